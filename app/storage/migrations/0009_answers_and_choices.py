from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('storage', '0008_spending')]

    initial = False

    operations = [
        ops.CreateModel(
            name='AnswerRow',
            fields=[
                ('key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('account', fields.ForeignKeyField('storage.AccountRow', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('answer', fields.TextField(unique=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'answers', 'app': 'storage', 'indexes': [Index(fields=['expires_at'])], 'pk_attr': 'key', 'table_description': 'An answer that is kept for exact repeats, under a hash of all that it depends on.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='AccountRow',
            name='cache_ttl',
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name='AccountRow',
            name='default_model',
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name='JobRow',
            name='cached',
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name='SchemaRow',
            name='model',
            field=fields.TextField(null=True, unique=False),
        ),
    ]
