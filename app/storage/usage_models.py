"""The tables of what was used and spent, and of what is kept to spend less; see `models`."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from app.storage.models import AccountRow


class UsageMonthRow(Model):
    """The use of one month by one account: completed and running work.

    `spent` is in nano-dollars, of whatever was asked of models, in vain too; `held` is what work
    that runs may cost at most, where the account has a budget.
    """

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    period = fields.CharField(max_length=7)
    used = fields.BigIntField(default=0)
    spent = fields.BigIntField(default=0, db_default=0)
    held = fields.BigIntField(default=0, db_default=0)

    class Meta:
        table = "usage_months"
        unique_together = (("account_id", "period"),)


class BudgetHoldRow(Model):
    """What is held of a month's budget for one attempt at a job, in nano-dollars.

    `lease_id` is empty for a job whose caller waits.
    """

    id = fields.BigIntField(primary_key=True)
    job_id = fields.BigIntField()
    lease_id = fields.CharField(max_length=32)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    period = fields.CharField(max_length=7)
    amount = fields.BigIntField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "budget_holds"
        unique_together = (("job_id", "lease_id"),)


class AnswerRow(Model):
    """An answer that is kept for exact repeats, under a hash of all that it depends on."""

    key = fields.CharField(primary_key=True, max_length=64)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    answer = fields.TextField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "answers"
        indexes = (Index(fields=("expires_at",)),)


class UsageDayRow(Model):
    """The same use by day and input type, with the tokens of completed work.

    `cost` is in nano-dollars, of failed work too.
    """

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRow] = fields.ForeignKeyField(
        "storage.AccountRow", related_name=False, on_delete=fields.RESTRICT
    )
    account_id: int
    day = fields.DateField()
    input_type = fields.CharField(max_length=10)
    requests = fields.BigIntField(default=0)
    tokens = fields.BigIntField(default=0)
    cost = fields.BigIntField(default=0, db_default=0)

    class Meta:
        table = "usage_days"
        unique_together = (("account_id", "day", "input_type"),)
