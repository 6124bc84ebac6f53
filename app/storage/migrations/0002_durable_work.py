from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('storage', '0001_initial')]

    initial = False

    operations = [
        ops.CreateModel(
            name='DeliveryAttemptRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('delivery_id', fields.CharField(max_length=40)),
                ('attempted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('duration_ms', fields.IntField()),
                ('status_code', fields.IntField(null=True)),
                ('response', fields.TextField(null=True, unique=False)),
                ('error', fields.CharField(null=True, max_length=500)),
            ],
            options={'table': 'delivery_attempts', 'app': 'storage', 'indexes': [Index(fields=['delivery_id', 'id'])], 'pk_attr': 'id', 'table_description': "One attempt at a delivery: the answer's status and first 4 KiB, or why there was none."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='DeliveryRow',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('webhook_id', fields.IntField()),
                ('event', fields.CharField(max_length=40)),
                ('job_id', fields.BigIntField(null=True)),
                ('batch_id', fields.CharField(null=True, max_length=40)),
                ('payload', fields.TextField(unique=False)),
                ('status', fields.CharField(max_length=20)),
                ('attempts', fields.IntField(default=0)),
                ('due_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('lease_id', fields.CharField(null=True, max_length=32)),
                ('lease_expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('completed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'deliveries', 'app': 'storage', 'indexes': [Index(fields=['webhook_id', 'created_at']), Index(fields=['created_at'])], 'pk_attr': 'id', 'table_description': 'One message to one endpoint, over all its attempts.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='JobInputRow',
            fields=[
                ('job_id', fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('payload', fields.TextField(unique=False)),
                ('keep_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'job_inputs', 'app': 'storage', 'indexes': [Index(fields=['keep_until'])], 'pk_attr': 'job_id', 'table_description': 'What a worker needs to run a job, as long as it needs it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='WebhookRow',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('url', fields.CharField(max_length=2000)),
                ('active', fields.BooleanField(default=True)),
                ('events', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('on_job_completed', fields.BooleanField()),
                ('on_job_failed', fields.BooleanField()),
                ('on_batch_completed', fields.BooleanField()),
                ('secret', fields.TextField(unique=False)),
                ('previous_secret', fields.TextField(null=True, unique=False)),
                ('previous_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('failing_since', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('disabled_reason', fields.CharField(null=True, max_length=20)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'webhooks', 'app': 'storage', 'indexes': [Index(fields=['account_id', 'id'])], 'pk_attr': 'id', 'table_description': 'An endpoint that is told of what ends.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='AccountRow',
            name='retain_inputs',
            field=fields.BooleanField(default=False),
        ),
        ops.AlterModelOptions(
            name='BatchRow',
            options={'table': 'batches', 'app': 'storage', 'indexes': [Index(fields=['account_id', 'created_at'])], 'pk_attr': 'id', 'table_description': 'Several classifications asked for at once. `completed` and `failed` are its progress.'},
        ),
        ops.AddField(
            model_name='BatchRow',
            name='completed',
            field=fields.IntField(default=0),
        ),
        ops.AddField(
            model_name='BatchRow',
            name='failed',
            field=fields.IntField(default=0),
        ),
        ops.AddField(
            model_name='BatchRow',
            name='kind',
            field=fields.CharField(default='batch', max_length=10),
        ),
        ops.RemoveIndex(
            model_name='JobRow',
            name=None,
            fields=['lease_expires_at'],
        ),
        ops.AddField(
            model_name='JobRow',
            name='background',
            field=fields.BooleanField(default=False),
        ),
        ops.AddField(
            model_name='JobRow',
            name='billed_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='JobRow',
            name='due_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='JobRow',
            name='lease_id',
            field=fields.CharField(null=True, max_length=32),
        ),
        ops.AddField(
            model_name='JobRow',
            name='outcome',
            field=fields.CharField(null=True, max_length=20),
        ),
        ops.AddField(
            model_name='JobRow',
            name='priority',
            field=fields.SmallIntField(default=0),
        ),
        # Both databases index a part of a table alike; the ORM has no word for it.
        ops.RunSQL(
            [
                "CREATE INDEX jobs_waiting ON jobs (priority, due_at, id) WHERE status = 'pending'",
                "CREATE INDEX jobs_running ON jobs (lease_expires_at) WHERE status = 'processing'",
                "CREATE INDEX jobs_leased ON jobs (lease_id) WHERE lease_id IS NOT NULL",
                "CREATE INDEX deliveries_waiting ON deliveries (due_at, id) WHERE status = 'pending'",
                "CREATE INDEX deliveries_running ON deliveries (lease_expires_at) WHERE status = 'delivering'",
                "UPDATE batches SET completed = (SELECT COUNT(*) FROM jobs WHERE jobs.batch_id = batches.id AND jobs.status = 'completed')",
                "UPDATE batches SET failed = (SELECT COUNT(*) FROM jobs WHERE jobs.batch_id = batches.id AND jobs.status = 'failed')",
            ],
        ),
    ]
