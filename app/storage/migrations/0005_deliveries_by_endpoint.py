from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [('storage', '0004_batch_files')]

    initial = False

    operations = [
        # What waits is found by endpoint, so that the backlog of one costs the others nothing.
        ops.RunSQL(
            [
                "DROP INDEX deliveries_waiting",
                "CREATE INDEX deliveries_waiting ON deliveries (webhook_id, due_at, id) WHERE status = 'pending'",
                "CREATE INDEX deliveries_in_flight ON deliveries (webhook_id) WHERE status = 'delivering'",
                "CREATE INDEX deliveries_leased ON deliveries (lease_id) WHERE lease_id IS NOT NULL",
            ],
        ),
    ]
