"""What the network's directory says of each SPI; unknown until it was looked up, which speaks against nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0005_waiting_items_of_absences'),
    ]

    operations = [
        migrations.AddField(
            model_name='spi',
            name='checked_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='spi',
            name='directory_state',
            field=models.CharField(blank=True, default='', editable=False, help_text="What the network's directory says: listed, ended, missing, other", max_length=8),
        ),
        migrations.AddField(
            model_name='spi',
            name='service_levels',
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
    ]
