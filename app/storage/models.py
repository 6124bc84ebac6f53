"""The tables.

Every row of a tenant carries its account, and every query in this package takes the account first.
The hot path (key check, quota, job rows) writes these tables without the ORM: see `ledger.py`,
whose SQL names the same columns.
"""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class AccountRow(Model):
    """One tenant. `budget` is what its work may cost a month, in nano-dollars; null is no limit.

    `cache_ttl` is how long answers are kept for exact repeats, in seconds; null is not at all.
    """

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=200)
    email = fields.CharField(max_length=320, null=True)
    plan = fields.CharField(max_length=20)
    subscription_status = fields.CharField(max_length=20, default="active")
    retain_inputs = fields.BooleanField(default=False)
    budget = fields.BigIntField(null=True)
    cache_ttl = fields.IntField(null=True)
    default_model = fields.TextField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "accounts"


class ApiKeyRow(Model):
    """One API key, of which only the SHA-256 in hex is kept."""

    id = fields.IntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    name = fields.CharField(max_length=200)
    hint = fields.CharField(max_length=40)
    key_hash = fields.CharField(max_length=64, unique=True)
    created_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_keys"
        indexes = (Index(fields=("account_id",)),)


class SchemaRow(Model):
    """A saved set of categories, as [{"name", "description", "examples"}, …]."""

    id = fields.IntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    name = fields.CharField(max_length=200)
    description = fields.TextField(null=True)
    input_type = fields.CharField(max_length=10)
    mode = fields.CharField(max_length=10)
    model = fields.TextField(null=True)
    categories: list[dict[str, Any]] = fields.JSONField()
    total_uses = fields.BigIntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "schemas"
        indexes = (Index(fields=("account_id", "id")),)


class BatchRow(Model):
    """Several classifications asked for at once. `completed` and `failed` are its progress."""

    id = fields.CharField(primary_key=True, max_length=40)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    kind = fields.CharField(max_length=10, default="batch")
    status = fields.CharField(max_length=20)
    total = fields.IntField()
    completed = fields.IntField(default=0)
    failed = fields.IntField(default=0)
    latency_ms = fields.IntField(null=True)
    created_at = fields.DatetimeField()
    completed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "batches"
        indexes = (Index(fields=("account_id", "created_at")),)


class JobRow(Model):
    """One classification.

    `categories` holds the names, `labels` the answer as [[label, confidence, explanation], …].
    `schema_id` is no foreign key: deleting a schema leaves its jobs readable.
    `background` ones wait for a worker, from `due_at` on, the lowest `priority` first.
    `lease_expires_at` is set while the job runs: past it, whoever ran it is taken for dead. Workers
    hold it under a `lease_id`.
    `billed_at` is when a job that was tried again counted anew.
    `truncated` lists what the model got only in part, `flags` what is worth knowing of the content;
    null when that is nothing. `basis` lists what of other content than text the answer rests on;
    null for text.
    `tokens`, of which `completion_tokens` were written, and `cost`, in nano-dollars, are what all
    its attempts have taken so far; a cost of null is not known. With `cached` no model was asked.
    The migrations add indexes over what waits and what runs, which the ORM can't describe.
    """

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    status = fields.CharField(max_length=20)
    input_type = fields.CharField(max_length=10)
    input_preview = fields.CharField(max_length=100, null=True)
    mode = fields.CharField(max_length=10)
    categories: list[str] | None = fields.JSONField(null=True)
    schema_id = fields.IntField(null=True)
    batch_id = fields.CharField(max_length=40, null=True)
    batch_index = fields.IntField(null=True)
    item_id = fields.CharField(max_length=200, null=True)
    background = fields.BooleanField(default=False)
    priority = fields.SmallIntField(default=0)
    due_at = fields.DatetimeField(null=True)
    labels: list[tuple[str | None, float, str | None]] | None = fields.JSONField(null=True)
    outcome = fields.CharField(max_length=20, null=True)
    error_code = fields.CharField(max_length=40, null=True)
    error_message = fields.CharField(max_length=500, null=True)
    model = fields.CharField(max_length=200, null=True)
    confidence_source = fields.CharField(max_length=20, null=True)
    truncated: list[str] | None = fields.JSONField(null=True)
    flags: list[str] | None = fields.JSONField(null=True)
    basis: list[str] | None = fields.JSONField(null=True)
    tokens = fields.IntField(null=True)
    completion_tokens = fields.IntField(null=True)
    cost = fields.BigIntField(null=True)
    cached = fields.BooleanField(default=False, db_default=False)
    latency_ms = fields.IntField(null=True)
    attempts = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    billed_at = fields.DatetimeField(null=True)
    completed_at = fields.DatetimeField(null=True)
    lease_id = fields.CharField(max_length=32, null=True)
    lease_expires_at = fields.DatetimeField(null=True)

    class Meta:
        table = "jobs"
        indexes = (
            Index(fields=("account_id", "id")),
            Index(fields=("batch_id", "batch_index")),
        )


class BatchTemplateRow(Model):
    """What lines of a file have in common: kept once, however many they are.

    `template` is to the domain what a job's whole payload is, but for the content. The other
    columns are those of the jobs that are made of it.
    """

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    batch_id = fields.CharField(max_length=40)
    number = fields.IntField()
    mode = fields.CharField(max_length=10)
    categories: list[str] | None = fields.JSONField(null=True)
    schema_id = fields.IntField(null=True)
    template = fields.TextField()

    class Meta:
        table = "batch_templates"
        unique_together = (("batch_id", "number"),)


class FileLotRow(Model):
    """Lines of a file that are no jobs yet.

    They become jobs once workers get to them, lowest `position` first. A lot without a batch is of
    a file that is just being written down, or never was to its end.
    """

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    batch_id = fields.CharField(max_length=40)
    position = fields.IntField()
    size = fields.IntField()
    lines = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "file_lots"
        unique_together = (("batch_id", "position"),)


class JobInputRow(Model):
    """What a worker needs to run a job, as long as it needs it.

    With a `template`, the number of one of its batch's, `payload` is the content alone.
    `keep_until` is set when the job has ended: then it goes.
    """

    job_id = fields.BigIntField(primary_key=True, generated=False)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    payload = fields.TextField()
    template = fields.IntField(null=True)
    keep_until = fields.DatetimeField(null=True)

    class Meta:
        table = "job_inputs"
        indexes = (Index(fields=("keep_until",)),)


class WebhookRow(Model):
    """An endpoint that is told of what ends.

    `events` is what was subscribed to, the `on_…` columns what that means. Secrets are encrypted;
    the previous one signs too until `previous_until`. `failing_since` is set while no delivery
    succeeds, `disabled_reason` when the server switched it off.
    """

    id = fields.IntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    url = fields.CharField(max_length=2000)
    active = fields.BooleanField(default=True)
    events: list[str] = fields.JSONField()
    on_job_completed = fields.BooleanField()
    on_job_failed = fields.BooleanField()
    on_batch_completed = fields.BooleanField()
    secret = fields.TextField()
    previous_secret = fields.TextField(null=True)
    previous_until = fields.DatetimeField(null=True)
    failing_since = fields.DatetimeField(null=True)
    disabled_reason = fields.CharField(max_length=20, null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "webhooks"
        indexes = (Index(fields=("account_id", "id")),)


class DeliveryRow(Model):
    """One message to one endpoint, over all its attempts.

    `payload` is what is sent, byte for byte. Waiting and leases are as with jobs.
    """

    id = fields.CharField(primary_key=True, max_length=40)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    webhook_id = fields.IntField()
    event = fields.CharField(max_length=40)
    job_id = fields.BigIntField(null=True)
    batch_id = fields.CharField(max_length=40, null=True)
    payload = fields.TextField()
    status = fields.CharField(max_length=20)
    attempts = fields.IntField(default=0)
    due_at = fields.DatetimeField(null=True)
    lease_id = fields.CharField(max_length=32, null=True)
    lease_expires_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    completed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "deliveries"
        indexes = (
            Index(fields=("webhook_id", "created_at")),
            Index(fields=("created_at",)),
        )


class DeliveryAttemptRow(Model):
    """One attempt at a delivery: the answer's status and first 4 KiB, or why there was none."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    delivery_id = fields.CharField(max_length=40)
    attempted_at = fields.DatetimeField()
    duration_ms = fields.IntField()
    status_code = fields.IntField(null=True)
    response = fields.TextField(null=True)
    error = fields.CharField(max_length=500, null=True)

    class Meta:
        table = "delivery_attempts"
        indexes = (Index(fields=("delivery_id", "id")),)


class ReceiptRow(Model):
    """A request with an Idempotency-Key: what it was, and what it was answered once it was.

    A body without a status is a note of what was done, until there is an answer.
    """

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    key = fields.CharField(max_length=255)
    fingerprint = fields.CharField(max_length=64)
    status = fields.IntField(null=True)
    body = fields.BinaryField(null=True)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "receipts"
        unique_together = (("account_id", "key"),)
        indexes = (Index(fields=("expires_at",)),)


class ModelTemperatureRow(Model):
    """A model's temperature for one source of its confidence, fitted on labelled data.

    It is the whole server's, not a tenant's. The errors are calibration errors before and after, on
    the `texts` it was fitted to.
    """

    id = fields.IntField(primary_key=True)
    model = fields.CharField(max_length=200)
    source = fields.CharField(max_length=20)
    temperature = fields.FloatField()
    texts = fields.IntField()
    error_before = fields.FloatField()
    error_after = fields.FloatField()
    fitted_at = fields.DatetimeField()

    class Meta:
        table = "model_temperatures"
        unique_together = (("model", "source"),)
