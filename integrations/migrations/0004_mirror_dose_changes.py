"""When drug, strength or directions of an entry changed, as far as we saw. Nullable; reverse drops it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0003_mirror_results'),
    ]

    operations = [
        migrations.AddField(
            model_name='mirrormedication',
            name='dose_changed_on',
            field=models.DateField(blank=True, help_text='Day we saw drug, strength or directions of this entry change; never at first.', null=True),
        ),
    ]
