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
    """One tenant."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=200)
    email = fields.CharField(max_length=320, null=True)
    plan = fields.CharField(max_length=20)
    subscription_status = fields.CharField(max_length=20, default="active")
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
    categories: list[dict[str, Any]] = fields.JSONField()
    total_uses = fields.BigIntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "schemas"
        indexes = (Index(fields=("account_id", "id")),)


class BatchRow(Model):
    """Several classifications asked for at once. Progress is counted from its jobs."""

    id = fields.CharField(primary_key=True, max_length=40)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    status = fields.CharField(max_length=20)
    total = fields.IntField()
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
    `lease_expires_at` is set while the job runs: past it, whoever ran it is taken for dead.
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
    labels: list[tuple[str, float, str | None]] | None = fields.JSONField(null=True)
    error_code = fields.CharField(max_length=40, null=True)
    error_message = fields.CharField(max_length=500, null=True)
    model = fields.CharField(max_length=200, null=True)
    confidence_source = fields.CharField(max_length=20, null=True)
    tokens = fields.IntField(null=True)
    latency_ms = fields.IntField(null=True)
    attempts = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    completed_at = fields.DatetimeField(null=True)
    lease_expires_at = fields.DatetimeField(null=True)

    class Meta:
        table = "jobs"
        indexes = (
            Index(fields=("account_id", "id")),
            Index(fields=("batch_id", "batch_index")),
            Index(fields=("lease_expires_at",)),
        )


class ReceiptRow(Model):
    """A request with an Idempotency-Key: what it was, and what it was answered once it was."""

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


class UsageMonthRow(Model):
    """The use of one month by one account: completed and running work."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    period = fields.CharField(max_length=7)
    used = fields.BigIntField(default=0)

    class Meta:
        table = "usage_months"
        unique_together = (("account_id", "period"),)


class UsageDayRow(Model):
    """The same use by day and input type, with the tokens of completed work."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    day = fields.DateField()
    input_type = fields.CharField(max_length=10)
    requests = fields.BigIntField(default=0)
    tokens = fields.BigIntField(default=0)

    class Meta:
        table = "usage_days"
        unique_together = (("account_id", "day", "input_type"),)
