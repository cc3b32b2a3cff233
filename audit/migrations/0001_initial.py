"""The audit tables and the triggers that make entries append-only.

TRUNCATE is let through only in a database whose name begins with `test_`, where the test runner empties tables.
"""

from django.db import migrations, models

REFUSE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'audit entries are append-only: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION audit_forward_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.practice_id <> OLD.practice_id OR NEW.number <= OLD.number THEN
        RAISE EXCEPTION 'an audit head only moves forward' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_forward_only BEFORE UPDATE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_forward_only();
"""

ALLOW = """
DROP TRIGGER audit_entry_append_only ON audit_entry;
DROP TRIGGER audit_entry_no_truncate ON audit_entry;
DROP TRIGGER audit_head_kept ON audit_head;
DROP TRIGGER audit_head_no_truncate ON audit_head;
DROP TRIGGER audit_head_forward_only ON audit_head;
DROP FUNCTION audit_refuse();
DROP FUNCTION audit_forward_only();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("practice_id", models.UUIDField()),
                ("number", models.BigIntegerField(help_text="1, 2, 3 ... within the practice, without gaps")),
                ("at", models.DateTimeField()),
                ("event", models.CharField(max_length=64)),
                ("actor_kind", models.CharField(max_length=8)),
                ("actor_id", models.CharField(max_length=128)),
                ("request_id", models.UUIDField(null=True)),
                ("patient_ref", models.CharField(blank=True, max_length=64)),
                ("body", models.TextField()),
                ("previous_hash", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name_plural": "entries",
                "constraints": [
                    models.UniqueConstraint(fields=("practice_id", "number"), name="audit_entry_one_number"),
                    models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="audit_entry_counts_from_one"),
                ],
                "indexes": [
                    models.Index(condition=models.Q(("request_id__isnull", False)),
                                 fields=["request_id", "number"], name="audit_entry_by_request"),
                    models.Index(fields=["practice_id", "at"], name="audit_entry_by_time"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                ("practice_id", models.UUIDField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
        migrations.RunSQL(sql=REFUSE, reverse_sql=ALLOW),
    ]
