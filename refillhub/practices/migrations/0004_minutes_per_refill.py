"""The practice's own minutes for one refill; five until it says otherwise, also for old code."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0003_paging'),
    ]

    operations = [
        migrations.AddField(
            model_name='practice',
            name='minutes_per_refill',
            field=models.PositiveSmallIntegerField(db_default=5, default=5, help_text="The practice's own minutes for one refill by hand; the metrics page multiplies by it", validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(120)]),
        ),
    ]
