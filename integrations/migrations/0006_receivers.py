"""A practice's own receiver of signed webhooks; old code knows none."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import integrations.models.receivers


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0005_secret_expiry'),
        ('practices', '0002_signing_grants'),
    ]

    operations = [
        migrations.CreateModel(
            name='Receiver',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('url', models.CharField(max_length=300, validators=[integrations.models.receivers.check_address])),
                ('wants_pages', models.BooleanField(default=True)),
                ('wants_changes', models.BooleanField(default=False)),
                ('is_active', models.BooleanField(default=True)),
                ('secret_sealed', models.BinaryField()),
                ('former_sealed', models.BinaryField(null=True)),
                ('former_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('last_ok_at', models.DateTimeField(null=True)),
                ('last_error_at', models.DateTimeField(null=True)),
                ('last_error_code', models.CharField(blank=True, max_length=64)),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receivers', to='practices.practice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('practice',), name='receiver_one_active')],
            },
        ),
    ]
