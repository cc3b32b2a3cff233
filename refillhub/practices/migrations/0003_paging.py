"""How a practice pages its people; e-mail as before by default."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0002_signing_grants'),
    ]

    operations = [
        migrations.AddField(
            model_name='practice',
            name='page_by',
            field=models.CharField(choices=[('email', 'E-mail'), ('webhook', "Webhook to the practice's receiver"), ('both', 'Both')], default='email', help_text='How the on-call and signers are paged', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='practice',
            constraint=models.CheckConstraint(condition=models.Q(('page_by__in', ['email', 'webhook', 'both'])), name='practice_pages_somehow'),
        ),
    ]
