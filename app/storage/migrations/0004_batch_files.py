from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('storage', '0003_models')]

    initial = False

    operations = [
        ops.CreateModel(
            name='BatchTemplateRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('batch_id', fields.CharField(max_length=40)),
                ('number', fields.IntField()),
                ('mode', fields.CharField(max_length=10)),
                ('categories', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('schema_id', fields.IntField(null=True)),
                ('template', fields.TextField(unique=False)),
            ],
            options={'table': 'batch_templates', 'app': 'storage', 'unique_together': (('batch_id', 'number'),), 'pk_attr': 'id', 'table_description': 'What lines of a file have in common: kept once, however many they are.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FileLotRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('batch_id', fields.CharField(max_length=40)),
                ('position', fields.IntField()),
                ('size', fields.IntField()),
                ('lines', fields.TextField(unique=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'file_lots', 'app': 'storage', 'unique_together': (('batch_id', 'position'),), 'pk_attr': 'id', 'table_description': 'Lines of a file that are no jobs yet.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='JobInputRow',
            name='template',
            field=fields.IntField(null=True),
        ),
        # Of a file most jobs have ended while others wait: a claim must not read past them.
        ops.RunSQL(
            [
                "CREATE INDEX jobs_waiting_of_batch ON jobs (batch_id, batch_index) WHERE status = 'pending' AND batch_id IS NOT NULL",
            ],
        ),
    ]
