from tortoise import migrations
from tortoise.migrations import operations as ops
from kit.clock import now
from kit.ids import new_id
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0004_mails_of_accounts')]

    initial = False

    operations = [
        ops.CreateModel(
            name='NobodysEvent',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('kind', fields.CharField(max_length=40)),
                ('ip_address', fields.CharField(null=True, max_length=45)),
                ('user_agent', fields.CharField(null=True, max_length=512)),
                ('details', fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={'table': 'nobodys_events', 'app': 'models', 'indexes': [Index(fields=['kind', 'id'])], 'pk_attr': 'id', 'table_description': 'What was asked for an address without an account. Nobody reads it, and it goes after a day.'},
            bases=['Row'],
        ),
    ]
