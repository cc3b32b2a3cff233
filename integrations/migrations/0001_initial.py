"""Connections and secrets, the mirror, the pharmacy directory and the sweeps. Reverse: the tables are dropped."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('practices', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('vendor', models.CharField(choices=[('drchrono', 'DrChrono'), ('klara', 'Klara'), ('surescripts', 'Surescripts')], max_length=16)),
                ('stage', models.CharField(choices=[('dev', 'Development'), ('staging', 'Staging'), ('production', 'Production')], max_length=16)),
                ('base_url', models.CharField(blank=True, help_text='Empty: the address of the settings.', max_length=200)),
                ('status', models.CharField(choices=[('new', 'Not yet connected'), ('active', 'Active'), ('needs_authorisation', 'Needs authorization'), ('paused', 'Paused')], default='new', max_length=24)),
                ('client_id', models.CharField(blank=True, max_length=128)),
                ('account', models.CharField(blank=True, help_text='Account id, practice id or certificate fingerprint at the vendor.', max_length=128)),
                ('endpoint_token', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('profile', models.JSONField(blank=True, default=dict, help_text='Klara: how this account talks.')),
                ('facts', models.JSONField(blank=True, default=dict, help_text='What was looked up at connection time.')),
                ('token_expires_at', models.DateTimeField(blank=True, null=True)),
                ('last_refresh_at', models.DateTimeField(blank=True, null=True)),
                ('last_ok_at', models.DateTimeField(blank=True, null=True)),
                ('last_error_at', models.DateTimeField(blank=True, null=True)),
                ('last_error_code', models.CharField(blank=True, max_length=64)),
                ('last_webhook_at', models.DateTimeField(blank=True, null=True)),
                ('push_seen_at', models.DateTimeField(blank=True, help_text='Last pushed record that proved current.', null=True)),
                ('poll_cursor', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='connections', to='practices.practice')),
            ],
        ),
        migrations.CreateModel(
            name='MirrorPatient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=32)),
                ('doctor_external_id', models.CharField(blank=True, max_length=32)),
                ('status', models.CharField(blank=True, help_text='A active, I inactive, D deceased.', max_length=8)),
                ('last_visit_on', models.DateField(blank=True, null=True)),
                ('next_visit_on', models.DateField(blank=True, null=True)),
                ('medications_read_at', models.DateTimeField(blank=True, null=True)),
                ('patient_read_at', models.DateTimeField(blank=True, null=True)),
                ('pushed_at', models.DateTimeField(blank=True, null=True)),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mirror_patients', to='practices.practice')),
            ],
        ),
        migrations.CreateModel(
            name='MirrorMedication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=32)),
                ('name', models.TextField(blank=True)),
                ('rxcui', models.CharField(blank=True, max_length=32)),
                ('ndc', models.CharField(blank=True, max_length=32)),
                ('status', models.CharField(blank=True, max_length=32)),
                ('order_status', models.CharField(blank=True, max_length=64)),
                ('is_active', models.BooleanField(default=False)),
                ('doctor_external_id', models.CharField(blank=True, max_length=32)),
                ('dosage_quantity', models.CharField(blank=True, max_length=64)),
                ('dosage_units', models.CharField(blank=True, max_length=64)),
                ('route', models.CharField(blank=True, max_length=64)),
                ('frequency', models.CharField(blank=True, max_length=255)),
                ('prn', models.BooleanField(null=True)),
                ('dispense_quantity', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True)),
                ('number_refills', models.IntegerField(blank=True, null=True)),
                ('daw', models.BooleanField(null=True)),
                ('sig', models.TextField(blank=True, help_text="The chart's signature note, verbatim.")),
                ('prescribed_on', models.DateField(blank=True, null=True)),
                ('started_on', models.DateField(blank=True, null=True)),
                ('stopped_on', models.DateField(blank=True, null=True)),
                ('record_hash', models.CharField(max_length=64)),
                ('seen_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('gone_at', models.DateTimeField(blank=True, null=True)),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mirror_medications', to='practices.practice')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='medications', to='integrations.mirrorpatient')),
            ],
        ),
        migrations.CreateModel(
            name='PharmacyEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(choices=[('dev', 'Development'), ('staging', 'Staging'), ('production', 'Production')], max_length=16)),
                ('ncpdp_id', models.CharField(max_length=7)),
                ('npi', models.CharField(blank=True, max_length=10)),
                ('name', models.CharField(max_length=70)),
                ('store_number', models.CharField(blank=True, max_length=35)),
                ('address_line_1', models.CharField(blank=True, max_length=55)),
                ('address_line_2', models.CharField(blank=True, max_length=55)),
                ('city', models.CharField(blank=True, max_length=35)),
                ('state', models.CharField(blank=True, max_length=2)),
                ('zip_code', models.CharField(blank=True, max_length=10)),
                ('country', models.CharField(default='US', max_length=2)),
                ('phone', models.CharField(blank=True, max_length=20)),
                ('fax', models.CharField(blank=True, max_length=20)),
                ('specialties', models.JSONField(blank=True, default=list)),
                ('service_levels', models.JSONField(blank=True, default=list, help_text='New, Cancel, Renewal, EPCS ...')),
                ('active_from', models.DateTimeField(blank=True, null=True)),
                ('active_until', models.DateTimeField(blank=True, null=True)),
                ('directory_state', models.CharField(choices=[('active', 'Active'), ('inactive', 'Inactive'), ('missing', 'Missing from the directory'), ('changed', 'Changed')], default='active', max_length=12)),
                ('record_hash', models.CharField(blank=True, max_length=64)),
                ('seen_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['stage', 'zip_code'], name='pharmacy_by_zip')],
                'constraints': [models.UniqueConstraint(fields=('stage', 'ncpdp_id'), name='pharmacy_once_per_stage'), models.CheckConstraint(condition=models.Q(('directory_state__in', ['active', 'inactive', 'missing', 'changed'])), name='pharmacy_state_known')],
            },
        ),
        migrations.CreateModel(
            name='PrescriptionSeen',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=32)),
                ('patient_external_id', models.CharField(blank=True, max_length=32)),
                ('doctor_external_id', models.CharField(blank=True, max_length=32)),
                ('kind', models.CharField(blank=True, help_text='NewRx, RefillRequest, RefillResponse, Error ...', max_length=32)),
                ('direction', models.CharField(choices=[('incoming', 'Incoming'), ('outgoing', 'Outgoing'), ('unknown', 'Unknown')], default='unknown', max_length=12)),
                ('status', models.CharField(blank=True, max_length=32)),
                ('parent_external_id', models.CharField(blank=True, max_length=32)),
                ('pharmacy_ncpdp_id', models.CharField(blank=True, max_length=16)),
                ('drug_name', models.TextField(blank=True)),
                ('rxcui', models.CharField(blank=True, max_length=32)),
                ('ndc', models.CharField(blank=True, max_length=32)),
                ('quantity', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True)),
                ('days_supply', models.IntegerField(blank=True, null=True)),
                ('number_refills', models.IntegerField(blank=True, null=True)),
                ('written_at', models.DateTimeField(blank=True, null=True)),
                ('seen_at', models.DateTimeField()),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prescriptions_seen', to='practices.practice')),
            ],
        ),
        migrations.CreateModel(
            name='Secret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('client_secret', 'Client secret'), ('access_token', 'Access token'), ('refresh_token', 'Refresh token'), ('api_key', 'API key'), ('webhook_secret', 'Webhook secret'), ('certificate', 'Certificate and key')], max_length=24)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('active', 'Active'), ('retiring', 'Retiring'), ('revoked', 'Revoked')], default='active', max_length=12)),
                ('sealed', models.BinaryField()),
                ('fingerprint', models.CharField(editable=False, max_length=8)),
                ('created_at', models.DateTimeField()),
                ('activated_at', models.DateTimeField(blank=True, null=True)),
                ('retires_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='secrets', to='integrations.connection')),
            ],
        ),
        migrations.CreateModel(
            name='SweepState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('rolling', 'Rolling medication sweep'), ('nightly', 'Nightly full sweep'), ('changes', 'Changes since the last poll'), ('directory', 'Pharmacy directory'), ('klara_poll', 'Klara reconcile poll')], max_length=16)),
                ('cursor', models.JSONField(blank=True, default=dict)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('completed_at', models.DateTimeField(blank=True, help_text='Last time a whole sweep came to its end.', null=True)),
                ('counts', models.JSONField(blank=True, default=dict)),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sweeps', to='practices.practice')),
            ],
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(fields=('practice', 'vendor', 'stage'), name='connection_one_per_stage'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(('vendor__in', ['drchrono', 'klara', 'surescripts'])), name='connection_vendor_known'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(('stage__in', ['dev', 'staging', 'production'])), name='connection_stage_known'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['new', 'active', 'needs_authorisation', 'paused'])), name='connection_status_known'),
        ),
        migrations.AddConstraint(
            model_name='mirrorpatient',
            constraint=models.UniqueConstraint(fields=('practice', 'external_id'), name='mirror_patient_once'),
        ),
        migrations.AddIndex(
            model_name='mirrormedication',
            index=models.Index(fields=['patient', 'is_active'], name='mirror_medication_by_patient'),
        ),
        migrations.AddConstraint(
            model_name='mirrormedication',
            constraint=models.UniqueConstraint(fields=('practice', 'external_id'), name='mirror_medication_once'),
        ),
        migrations.AddIndex(
            model_name='prescriptionseen',
            index=models.Index(fields=['practice', 'patient_external_id', 'written_at'], name='prescription_seen_by_patient'),
        ),
        migrations.AddConstraint(
            model_name='prescriptionseen',
            constraint=models.UniqueConstraint(fields=('practice', 'external_id'), name='prescription_seen_once'),
        ),
        migrations.AddIndex(
            model_name='secret',
            index=models.Index(fields=['connection', 'kind', 'state'], name='secret_lookup'),
        ),
        migrations.AddConstraint(
            model_name='secret',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'active')), fields=('connection', 'kind'), name='secret_one_active_per_kind'),
        ),
        migrations.AddConstraint(
            model_name='secret',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['client_secret', 'access_token', 'refresh_token', 'api_key', 'webhook_secret', 'certificate'])), name='secret_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='secret',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'active', 'retiring', 'revoked'])), name='secret_state_known'),
        ),
        migrations.AddConstraint(
            model_name='sweepstate',
            constraint=models.UniqueConstraint(fields=('practice', 'kind'), name='sweep_once_per_kind'),
        ),
    ]
