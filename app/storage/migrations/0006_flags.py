import functools
from json import dumps, loads

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [('storage', '0005_deliveries_by_endpoint')]

    initial = False

    operations = [
        ops.AddField(
            model_name='JobRow',
            name='flags',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
    ]
