"""Roll-ups of a day's figures, and the two indexes that counting a day needs; old code writes and reads none."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0004_minutes_per_refill'),
        ('review', '0007_audit_runs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DayFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('drug_class', models.CharField(blank=True, max_length=40)),
                ('is_shadow', models.BooleanField()),
                ('tally', models.JSONField(help_text='Counts, and times in log-scale buckets (review/figures.py).')),
                ('counted_at', models.DateTimeField()),
            ],
        ),
        migrations.AddIndex(
            model_name='dispatch',
            index=models.Index(fields=['practice', 'queued_at'], name='dispatch_queued'),
        ),
        migrations.AddIndex(
            model_name='refillrequest',
            index=models.Index(fields=['practice', 'changed_at'], name='request_changed'),
        ),
        migrations.AddField(
            model_name='dayfigures',
            name='location',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.location'),
        ),
        migrations.AddField(
            model_name='dayfigures',
            name='practice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.practice'),
        ),
        migrations.AddIndex(
            model_name='dayfigures',
            index=models.Index(fields=['practice', 'day'], name='day_figures_period'),
        ),
    ]
