"""Which waiting item an absence moved, so that it can go back; old code writes none."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0005_waiting_items_of_absences'),
        ('review', '0008_day_figures'),
    ]

    operations = [
        migrations.CreateModel(
            name='CoverageMove',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('left_queue', models.CharField(choices=[('', 'nobody'), ('prescriber', 'prescriber'), ('assistant', 'assistant'), ('on_call', 'on-call'), ('administrator', 'administrator')], max_length=16)),
                ('moved_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('end', models.CharField(blank=True, choices=[('', 'still covered'), ('returned', 'went back'), ('stayed', 'stayed with the stand-in'), ('decided', 'was decided meanwhile'), ('elsewhere', 'is with someone else by now')], max_length=12)),
                ('coverage', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='practices.coverage')),
                ('left', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.provider')),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.practice')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='review.refillrequest')),
                ('taken_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.provider')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['coverage'], name='coverage_move_open')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('request', 'left'), name='one_open_move_per_leaver'), models.CheckConstraint(condition=models.Q(('end__in', ['', 'returned', 'stayed', 'decided', 'elsewhere'])), name='coverage_move_end_known')],
            },
        ),
    ]
