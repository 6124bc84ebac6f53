from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='AccountRow',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=200)),
                ('email', fields.CharField(null=True, max_length=320)),
                ('plan', fields.CharField(max_length=20)),
                ('subscription_status', fields.CharField(default='active', max_length=20)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'accounts', 'app': 'storage', 'pk_attr': 'id', 'table_description': 'One tenant.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ApiKeyRow',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(max_length=200)),
                ('hint', fields.CharField(max_length=40)),
                ('key_hash', fields.CharField(unique=True, max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'api_keys', 'app': 'storage', 'indexes': [Index(fields=['account_id'])], 'pk_attr': 'id', 'table_description': 'One API key, of which only the SHA-256 in hex is kept.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='BatchRow',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('status', fields.CharField(max_length=20)),
                ('total', fields.IntField()),
                ('latency_ms', fields.IntField(null=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('completed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'batches', 'app': 'storage', 'indexes': [Index(fields=['account_id', 'created_at'])], 'pk_attr': 'id', 'table_description': 'Several classifications asked for at once. Progress is counted from its jobs.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='JobRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('status', fields.CharField(max_length=20)),
                ('input_type', fields.CharField(max_length=10)),
                ('input_preview', fields.CharField(null=True, max_length=100)),
                ('mode', fields.CharField(max_length=10)),
                ('categories', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('schema_id', fields.IntField(null=True)),
                ('batch_id', fields.CharField(null=True, max_length=40)),
                ('batch_index', fields.IntField(null=True)),
                ('item_id', fields.CharField(null=True, max_length=200)),
                ('labels', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('error_code', fields.CharField(null=True, max_length=40)),
                ('error_message', fields.CharField(null=True, max_length=500)),
                ('model', fields.CharField(null=True, max_length=200)),
                ('confidence_source', fields.CharField(null=True, max_length=20)),
                ('tokens', fields.IntField(null=True)),
                ('latency_ms', fields.IntField(null=True)),
                ('attempts', fields.IntField(default=0)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('completed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('lease_expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'jobs', 'app': 'storage', 'indexes': [Index(fields=['account_id', 'id']), Index(fields=['batch_id', 'batch_index']), Index(fields=['lease_expires_at'])], 'pk_attr': 'id', 'table_description': 'One classification.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ReceiptRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('key', fields.CharField(max_length=255)),
                ('fingerprint', fields.CharField(max_length=64)),
                ('status', fields.IntField(null=True)),
                ('body', fields.BinaryField(null=True)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'receipts', 'app': 'storage', 'unique_together': (('account_id', 'key'),), 'indexes': [Index(fields=['expires_at'])], 'pk_attr': 'id', 'table_description': 'A request with an Idempotency-Key: what it was, and what it was answered once it was.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SchemaRow',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(max_length=200)),
                ('description', fields.TextField(null=True, unique=False)),
                ('input_type', fields.CharField(max_length=10)),
                ('mode', fields.CharField(max_length=10)),
                ('categories', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('total_uses', fields.BigIntField(default=0)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'schemas', 'app': 'storage', 'indexes': [Index(fields=['account_id', 'id'])], 'pk_attr': 'id', 'table_description': 'A saved set of categories, as [{"name", "description", "examples"}, …].'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='UsageDayRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('day', fields.DateField()),
                ('input_type', fields.CharField(max_length=10)),
                ('requests', fields.BigIntField(default=0)),
                ('tokens', fields.BigIntField(default=0)),
            ],
            options={'table': 'usage_days', 'app': 'storage', 'unique_together': (('account_id', 'day', 'input_type'),), 'pk_attr': 'id', 'table_description': 'The same use by day and input type, with the tokens of completed work.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='UsageMonthRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('period', fields.CharField(max_length=7)),
                ('used', fields.BigIntField(default=0)),
            ],
            options={'table': 'usage_months', 'app': 'storage', 'unique_together': (('account_id', 'period'),), 'pk_attr': 'id', 'table_description': 'The use of one month by one account: completed and running work.'},
            bases=['Model'],
        ),
    ]
