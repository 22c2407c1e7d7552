from tortoise import migrations
from tortoise.migrations import operations as ops
from kit.clock import now
from kit.ids import new_id
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='Account',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('email', fields.CharField(max_length=254)),
                ('email_canonical', fields.CharField(unique=True, max_length=254)),
                ('password_hash', fields.CharField(null=True, max_length=255)),
                ('generation', fields.IntField(default=1)),
                ('two_factor_enabled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'accounts', 'app': 'models', 'pk_attr': 'id', 'table_description': "A person's account. Its generation goes up whenever all sessions must end, and never down."},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='ApiKey',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=120)),
                ('description', fields.CharField(max_length=1000)),
                ('hint', fields.CharField(max_length=4)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'api_keys', 'app': 'models', 'indexes': [Index(fields=['account_id', 'id'])], 'pk_attr': 'id', 'table_description': 'A named key of an account.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='ApiKeySecret',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('api_key', fields.ForeignKeyField('models.ApiKey', source_field='api_key_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('ends_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'api_key_secrets', 'app': 'models', 'pk_attr': 'id', 'table_description': 'The digest of a secret of a key. The present one has no end, a former one works until its own.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='AttemptCounter',
            fields=[
                ('bucket', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ('tries', fields.IntField()),
                ('refusals', fields.IntField()),
                ('ends_at_ms', fields.BigIntField(db_index=True)),
                ('shares', fields.TextField(unique=False)),
            ],
            options={'table': 'attempt_counters', 'app': 'models', 'pk_attr': 'bucket', 'table_description': "One bucket's count. Its name holds a digest, so a dump does not say whom it is about."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='OutgoingMail',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('address_digest', fields.CharField(db_index=True, max_length=80)),
                ('sealed', fields.TextField(null=True, unique=False)),
                ('due_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('claimed_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('attempts', fields.IntField(default=0)),
                ('sent_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'outgoing_mails', 'app': 'models', 'indexes': [Index(fields=['sent_at', 'due_at'])], 'pk_attr': 'id', 'table_description': 'A mail on its way. Its text rests sealed, and is wiped once it is sent (the development outbox keeps it).'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='PendingSignUp',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('token_digest', fields.CharField(unique=True, max_length=64)),
                ('email', fields.CharField(max_length=254)),
                ('email_canonical', fields.CharField(db_index=True, max_length=254)),
                ('password_hash', fields.CharField(max_length=255)),
                ('code_digest', fields.CharField(null=True, max_length=80)),
                ('tries', fields.IntField(default=0)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'pending_sign_ups', 'app': 'models', 'pk_attr': 'id', 'table_description': 'A sign-up that waits for its mailed code. Without a code digest it is a decoy, for an address that is taken.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('digest', fields.CharField(max_length=64)),
            ],
            options={'table': 'recovery_codes', 'app': 'models', 'unique_together': (('account_id', 'digest'),), 'pk_attr': 'id', 'table_description': 'The keyed hash of a recovery code that is not used yet.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='SecurityEvent',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('kind', fields.CharField(max_length=40)),
                ('ip_address', fields.CharField(null=True, max_length=45)),
                ('user_agent', fields.CharField(null=True, max_length=512)),
                ('details', fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={'table': 'security_events', 'app': 'models', 'indexes': [Index(fields=['account_id', 'id'])], 'pk_attr': 'id', 'table_description': 'One thing that happened, from where, with facts that hold no secret.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='SignInOrigin',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('network', fields.CharField(max_length=64)),
                ('agent_digest', fields.CharField(max_length=64)),
                ('seen_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sign_in_origins', 'app': 'models', 'unique_together': (('account_id', 'network', 'agent_digest'),), 'pk_attr': 'id', 'table_description': 'Where an account was signed in from: a known client address still gets in while a stranger guesses.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='SignInTicket',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('token_digest', fields.CharField(unique=True, max_length=64)),
                ('generation', fields.IntField()),
                ('methods', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('tries', fields.IntField(default=0)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sign_in_tickets', 'app': 'models', 'indexes': [Index(fields=['account_id'])], 'pk_attr': 'id', 'table_description': 'A sign-in whose first factor was right. It opens nothing but the second step, and that once.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='TotpDevice',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
                ('account', fields.OneToOneField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('secret_sealed', fields.CharField(max_length=255)),
                ('recovery_key_sealed', fields.CharField(null=True, max_length=255)),
                ('pending_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('confirmed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_step', fields.BigIntField(null=True)),
                ('told_step', fields.BigIntField(null=True)),
            ],
            options={'table': 'totp_devices', 'app': 'models', 'pk_attr': 'id', 'table_description': 'The authenticator app of an account: pending until a code confirms it. Its secret rests sealed to the account.'},
            bases=['Row'],
        ),
    ]
