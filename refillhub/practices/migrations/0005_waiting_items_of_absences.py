"""What an absence does with waiting items; by default they move and stay moved, as before."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0004_minutes_per_refill'),
    ]

    operations = [
        migrations.AddField(
            model_name='coverage',
            name='moves_waiting',
            field=models.BooleanField(db_default=True, default=True, verbose_name='waiting items move too'),
        ),
        migrations.AddField(
            model_name='coverage',
            name='returns_waiting',
            field=models.BooleanField(db_default=False, default=False, verbose_name='what moved and still waits goes back'),
        ),
    ]
