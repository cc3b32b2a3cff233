"""Exports of the audit trail made in the background; old code makes none."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0003_paging'),
        ('review', '0006_change_events'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditRun',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('csv', 'CSV'), ('json', 'signed JSON')], max_length=4)),
                ('wanted', models.JSONField(default=dict)),
                ('asked_at', models.DateTimeField()),
                ('progress', models.CharField(choices=[('waiting', 'waiting'), ('running', 'being made'), ('done', 'ready'), ('failed', 'failed')], default='waiting', max_length=8)),
                ('up_to', models.BigIntegerField(help_text='The last entry it looks at; the trail goes on meanwhile.')),
                ('total', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('first_number', models.BigIntegerField(null=True)),
                ('last_number', models.BigIntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('error', models.CharField(blank=True, max_length=80)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.practice')),
            ],
        ),
        migrations.CreateModel(
            name='AuditPiece',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('body', models.BinaryField()),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='review.auditrun')),
            ],
        ),
        migrations.AddIndex(
            model_name='auditrun',
            index=models.Index(fields=['practice', '-asked_at'], name='audit_run_newest'),
        ),
        migrations.AddConstraint(
            model_name='auditrun',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['csv', 'json'])), name='audit_run_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='auditpiece',
            constraint=models.UniqueConstraint(fields=('run', 'number'), name='audit_piece_once'),
        ),
    ]
