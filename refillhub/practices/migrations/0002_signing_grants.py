"""Who may sign controlled prescriptions, and how a practice deals with them; the default stays the chart's task."""

import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SigningGrant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('dea_number', models.CharField(max_length=9, validators=[django.core.validators.RegexValidator('^[A-Z][A-Z9]\\d{7}$', 'Two letters and seven digits.')], verbose_name='DEA number')),
                ('registration_ends_on', models.DateField()),
                ('evidence', models.CharField(max_length=200)),
                ('requested_at', models.DateTimeField()),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end_reason', models.CharField(blank=True, choices=[('withdrawn', 'Withdrawn'), ('left', 'Left the practice'), ('token_lost', 'Second factor lost or compromised'), ('registration_ended', 'Registration ended'), ('refused', 'Not approved')], max_length=20)),
            ],
        ),
        migrations.AddField(
            model_name='practice',
            name='controlled_route',
            field=models.CharField(choices=[('ehr_task', 'Task in the chart system'), ('sign_here', 'Signed here (sandbox only)')], default='ehr_task', max_length=12),
        ),
        migrations.AddField(
            model_name='practice',
            name='sign_escalate_minutes',
            field=models.PositiveSmallIntegerField(default=30, help_text='Then the stand-in is told; after twice as long, the on-call', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(480)]),
        ),
        migrations.AddField(
            model_name='practice',
            name='sign_remind_minutes',
            field=models.PositiveSmallIntegerField(default=15, help_text='A prescriber is reminded of an unsigned prescription after so long', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(240)]),
        ),
        migrations.AlterField(
            model_name='practice',
            name='undo_seconds_person',
            field=models.PositiveIntegerField(default=30, validators=[django.core.validators.MinValueValidator(10), django.core.validators.MaxValueValidator(120)]),
        ),
        migrations.AddConstraint(
            model_name='practice',
            constraint=models.CheckConstraint(condition=models.Q(('controlled_route__in', ['ehr_task', 'sign_here'])), name='practice_controlled_route_known'),
        ),
        migrations.AddConstraint(
            model_name='practice',
            constraint=models.CheckConstraint(condition=models.Q(('sign_remind_minutes__lte', models.F('sign_escalate_minutes'))), name='practice_reminds_before_escalating'),
        ),
        migrations.AddField(
            model_name='signinggrant',
            name='approved_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='signinggrant',
            name='ended_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='signinggrant',
            name='practice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signing_grants', to='practices.practice'),
        ),
        migrations.AddField(
            model_name='signinggrant',
            name='provider',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signing_grants', to='practices.provider'),
        ),
        migrations.AddField(
            model_name='signinggrant',
            name='requested_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='signinggrant',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('provider',), name='grant_one_open'),
        ),
        migrations.AddConstraint(
            model_name='signinggrant',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('requested_by')), _negated=True), _connector='OR'), name='grant_by_two_people'),
        ),
        migrations.AddConstraint(
            model_name='signinggrant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('approved_at__isnull', True), ('approved_by__isnull', True)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False)), _connector='OR'), name='grant_approved_by_someone'),
        ),
        migrations.AddConstraint(
            model_name='signinggrant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('end_reason', ''), ('ended_at__isnull', True)), models.Q(('ended_at__isnull', False), models.Q(('end_reason', ''), _negated=True)), _connector='OR'), name='grant_ended_for_a_reason'),
        ),
    ]
