"""Changes of requests that a practice's own receiver is told of; old code writes none."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0003_paging'),
        ('review', '0005_signatures'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChangeEvent',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('request_id', models.UUIDField()),
                ('event', models.CharField(max_length=64)),
                ('state', models.CharField(blank=True, max_length=24)),
                ('at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('told_at', models.DateTimeField(null=True)),
                ('given_up_at', models.DateTimeField(null=True)),
                ('code', models.CharField(blank=True, max_length=64)),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.practice')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('given_up_at__isnull', True), ('told_at__isnull', True)), fields=['due_at'], name='change_event_due')],
            },
        ),
    ]
