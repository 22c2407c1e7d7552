"""A key has at most one present secret. Written by hand: the ORM's own constraints with a condition know only PostgreSQL."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]

    operations = [
        ops.RunSQL(
            "CREATE UNIQUE INDEX one_present_secret ON api_key_secrets (api_key_id) WHERE ends_at IS NULL",
            reverse_sql="DROP INDEX one_present_secret",
        ),
    ]
