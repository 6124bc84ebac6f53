from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('storage', '0002_durable_work')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ModelTemperatureRow',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('model', fields.CharField(max_length=200)),
                ('source', fields.CharField(max_length=20)),
                ('temperature', fields.FloatField()),
                ('texts', fields.IntField()),
                ('error_before', fields.FloatField()),
                ('error_after', fields.FloatField()),
                ('fitted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'model_temperatures', 'app': 'storage', 'unique_together': (('model', 'source'),), 'pk_attr': 'id', 'table_description': "A model's temperature for one source of its confidence, fitted on labelled data."},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='JobRow',
            name='truncated',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
    ]
