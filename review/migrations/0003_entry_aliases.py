"""Patients' own names for list entries: a new table, nothing that runs now reads it."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("practices", "0001_initial"),
        ("review", "0002_reading_corrections"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EntryAlias",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("patient_external_id", models.CharField(max_length=64)),
                ("entry_external_id", models.CharField(max_length=64)),
                ("fingerprint", models.CharField(max_length=64)),
                ("name_sealed", models.BinaryField(null=True)),
                ("name_ref", models.CharField(max_length=64)),
                ("proposed_at", models.DateTimeField()),
                ("checked_at", models.DateTimeField(help_text="The entry had not changed up to then.")),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("by_person", "ended by a person"),
                            ("entry_gone", "the entry is no longer on the list"),
                            ("entry_inactive", "the entry is no longer active"),
                            ("entry_changed", "the entry is now another drug"),
                            ("patients_merged", "two patient records were merged"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "practice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="practices.practice"
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="aliases", to="review.refillrequest"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["practice", "patient_external_id"],
                        name="alias_of_patient",
                    ),
                    models.Index(
                        condition=models.Q(("name_sealed__isnull", False)),
                        fields=["ended_at"],
                        name="alias_text_to_empty",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("patient_external_id", ""), _negated=True), name="alias_has_a_patient"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at__isnull", True), ("confirmed_by__isnull", True)),
                            models.Q(("confirmed_at__isnull", False), ("confirmed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="alias_is_confirmed_by_someone",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end_reason", ""), ("ended_at__isnull", True)),
                            models.Q(("ended_at__isnull", False), models.Q(("end_reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="alias_ends_for_a_reason",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("practice", "patient_external_id", "name_ref"),
                        name="one_standing_alias_per_name",
                    ),
                ],
            },
        ),
    ]
