from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0003_one_owner')]

    initial = False

    operations = [
        ops.AddField(
            model_name='OutgoingMail',
            name='account_digest',
            field=fields.CharField(null=True, max_length=80),
        ),
        ops.AddIndex(
            model_name='OutgoingMail',
            index=Index(fields=['account_digest']),
        ),
        ops.AddIndex(
            model_name='SocialLoginAttempt',
            index=Index(fields=['account_id']),
        ),
    ]
