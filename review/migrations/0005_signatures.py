"""Controlled prescriptions: preparations, signatures, the daily report, incidents. Old code writes none of them.

Two triggers hold what a constraint of one row cannot: a signature never changes, and a controlled prescription leaves
only as the very bytes that its prescriber signed (21 CFR 1311.120(b)(18), 1311.170).
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

HOLD = """
CREATE FUNCTION signature_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'signatures are kept as they are: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION newrx_as_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM review_signature s JOIN review_preparation p ON p.id = s.preparation_id
        WHERE s.id = NEW.signature_id AND s.practice_id = NEW.practice_id AND s.request_id = NEW.request_id
          AND s.user_id = NEW.signed_by_id AND s.signed_at = NEW.signed_at
          AND s.document_sha256 = NEW.document_sha256 AND p.document_sha256 = NEW.document_sha256
          AND p.message_id = NEW.message_id AND p.schedule = NEW.schedule
    ) THEN
        RAISE EXCEPTION 'a controlled prescription leaves only as it was signed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER signature_kept BEFORE UPDATE OR DELETE ON review_signature
    FOR EACH STATEMENT EXECUTE FUNCTION signature_refuse();
CREATE TRIGGER signature_not_truncated BEFORE TRUNCATE ON review_signature
    FOR EACH STATEMENT EXECUTE FUNCTION signature_refuse();
CREATE TRIGGER newrx_leaves_as_signed
    BEFORE INSERT OR UPDATE OF signature_id, signed_by_id, signed_at, document_sha256, document_sealed, message_id,
        schedule, lane, kind, practice_id, request_id ON review_dispatch
    FOR EACH ROW WHEN (NEW.kind = 'newrx' AND NEW.lane = 'epcs') EXECUTE FUNCTION newrx_as_signed();
"""
LET_GO = """
DROP TRIGGER newrx_leaves_as_signed ON review_dispatch;
DROP TRIGGER signature_not_truncated ON review_signature;
DROP TRIGGER signature_kept ON review_signature;
DROP FUNCTION newrx_as_signed();
DROP FUNCTION signature_refuse();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0002_signing_grants'),
        ('review', '0004_renewal_requests'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EpcsDay',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('made_at', models.DateTimeField()),
                ('counts', models.JSONField(default=dict)),
                ('reviewed_at', models.DateTimeField(null=True)),
                ('note', models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('signature_broken', 'A signed prescription did not match its signature'), ('wrong_factors', 'Password or code were refused five times within an hour'), ('not_the_signer', 'Somebody tried to sign for another prescriber'), ('token_lost', 'A second factor was lost or compromised'), ('other', 'Something else, found by a person')], max_length=20)),
                ('key', models.CharField(blank=True, max_length=64)),
                ('words', models.CharField(blank=True, max_length=500)),
                ('opened_at', models.DateTimeField()),
                ('report_by', models.DateTimeField()),
                ('reported_at', models.DateTimeField(null=True)),
                ('reference', models.CharField(blank=True, max_length=100)),
                ('is_dismissed', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='Preparation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField()),
                ('schedule', models.CharField(max_length=16)),
                ('document_sealed', models.BinaryField()),
                ('document_sha256', models.CharField(max_length=64)),
                ('message_id', models.CharField(max_length=35)),
                ('order_number', models.CharField(max_length=35)),
                ('target', models.CharField(max_length=128)),
                ('prepared_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('reminded_at', models.DateTimeField(null=True)),
                ('escalated_at', models.DateTimeField(null=True)),
                ('on_call_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Signature',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('dea_number', models.CharField(max_length=9)),
                ('document_sha256', models.CharField(max_length=64)),
                ('batch', models.UUIDField()),
                ('signed_at', models.DateTimeField()),
                ('value', models.BinaryField()),
                ('public_key', models.BinaryField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='dispatch',
            name='controlled_is_signed',
        ),
        migrations.AddField(
            model_name='epcsday',
            name='practice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.practice'),
        ),
        migrations.AddField(
            model_name='epcsday',
            name='reviewed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='incident',
            name='opened_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='incident',
            name='practice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.practice'),
        ),
        migrations.AddField(
            model_name='incident',
            name='reported_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='preparation',
            name='practice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.practice'),
        ),
        migrations.AddField(
            model_name='preparation',
            name='prepared_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='preparation',
            name='provider',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.provider'),
        ),
        migrations.AddField(
            model_name='preparation',
            name='request',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='preparations', to='review.refillrequest'),
        ),
        migrations.AddField(
            model_name='preparation',
            name='told',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.provider'),
        ),
        migrations.AddField(
            model_name='signature',
            name='practice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.practice'),
        ),
        migrations.AddField(
            model_name='signature',
            name='preparation',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='signature', to='review.preparation'),
        ),
        migrations.AddField(
            model_name='signature',
            name='provider',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='practices.provider'),
        ),
        migrations.AddField(
            model_name='signature',
            name='request',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='review.refillrequest'),
        ),
        migrations.AddField(
            model_name='signature',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dispatch',
            name='signature',
            field=models.OneToOneField(help_text='A trigger holds bytes, signer, practice and request to what was signed.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='dispatch', to='review.signature'),
        ),
        migrations.AddConstraint(
            model_name='dispatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'newrx'), _negated=True), models.Q(('lane', 'routine'), ('schedule', 'not_controlled')), models.Q(('lane', 'epcs'), ('signature__isnull', False), ('signed_at__isnull', False), ('signed_by__isnull', False)), _connector='OR'), name='controlled_is_signed'),
        ),
        migrations.AddConstraint(
            model_name='epcsday',
            constraint=models.UniqueConstraint(fields=('practice', 'day'), name='one_epcs_report_per_day'),
        ),
        migrations.AddConstraint(
            model_name='epcsday',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reviewed_at__isnull', True), ('reviewed_by__isnull', True)), models.Q(('reviewed_at__isnull', False), ('reviewed_by__isnull', False)), _connector='OR'), name='epcs_day_reviewed_by_someone'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reference', ''), ('reported_at__isnull', True), ('reported_by__isnull', True)), models.Q(('reported_at__isnull', False), ('reported_by__isnull', False), models.Q(('reference', ''), _negated=True)), _connector='OR'), name='incident_ended_by_someone'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(('reported_at__isnull', True), models.Q(('key', ''), _negated=True)), fields=('practice', 'kind', 'key'), name='one_open_incident_per_matter'),
        ),
        migrations.AddIndex(
            model_name='preparation',
            index=models.Index(fields=['practice', 'prepared_at'], name='preparation_by_day'),
        ),
        migrations.AddConstraint(
            model_name='preparation',
            constraint=models.UniqueConstraint(fields=('request', 'version'), name='one_preparation_per_version'),
        ),
        migrations.AddConstraint(
            model_name='preparation',
            constraint=models.UniqueConstraint(fields=('practice', 'message_id'), name='one_preparation_per_message_id'),
        ),
        migrations.AddConstraint(
            model_name='preparation',
            constraint=models.CheckConstraint(condition=models.Q(('schedule__in', ['ii', 'iii', 'iv', 'v'])), name='preparation_is_controlled'),
        ),
        migrations.AddIndex(
            model_name='signature',
            index=models.Index(fields=['practice', 'signed_at'], name='signature_by_day'),
        ),
        migrations.RunSQL(sql=HOLD, reverse_sql=LET_GO),
    ]
