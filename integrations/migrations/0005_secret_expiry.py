"""When a certificate itself ends; null for every other secret and for those stored before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0004_mirror_dose_changes")]

    operations = [
        migrations.AddField(
            model_name="secret",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True, help_text="When a certificate itself ends."),
        ),
    ]
