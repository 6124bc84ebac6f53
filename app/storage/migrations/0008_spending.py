from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('storage', '0007_basis')]

    initial = False

    operations = [
        ops.CreateModel(
            name='BudgetHoldRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('job_id', fields.BigIntField()),
                ('lease_id', fields.CharField(max_length=32)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('period', fields.CharField(max_length=7)),
                ('amount', fields.BigIntField()),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'budget_holds', 'app': 'storage', 'unique_together': (('job_id', 'lease_id'),), 'pk_attr': 'id', 'table_description': "What is held of a month's budget for one attempt at a job, in nano-dollars."},
            bases=['Model'],
        ),
        ops.AlterModelOptions(
            name='AccountRow',
            options={'table': 'accounts', 'app': 'storage', 'pk_attr': 'id', 'table_description': 'One tenant. `budget` is what its work may cost a month, in nano-dollars; null is no limit.'},
        ),
        ops.AddField(
            model_name='AccountRow',
            name='budget',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='JobRow',
            name='completion_tokens',
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name='JobRow',
            name='cost',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='UsageDayRow',
            name='cost',
            field=fields.BigIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name='UsageMonthRow',
            name='held',
            field=fields.BigIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name='UsageMonthRow',
            name='spent',
            field=fields.BigIntField(default=0, db_default=0),
        ),
    ]
