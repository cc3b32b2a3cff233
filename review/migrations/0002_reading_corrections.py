"""Corrections of readings: a new table, nothing that runs now reads it."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("practices", "0001_initial"),
        ("review", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReadingCorrection",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("intent_read", models.CharField(blank=True, max_length=32)),
                ("intent_right", models.CharField(blank=True, max_length=32)),
                ("message", models.PositiveSmallIntegerField(null=True)),
                ("start", models.PositiveIntegerField(null=True)),
                ("end", models.PositiveIntegerField(null=True)),
                ("drug_words", models.CharField(blank=True, max_length=60)),
                ("drug_read", models.CharField(blank=True, max_length=300)),
                ("drug_right", models.CharField(blank=True, max_length=300)),
                ("rxcui_read", models.CharField(blank=True, max_length=32)),
                ("rxcui_right", models.CharField(blank=True, max_length=32)),
                ("is_read_listed", models.BooleanField(default=False)),
                ("is_right_listed", models.BooleanField(default=False)),
                ("is_none_right", models.BooleanField(default=False)),
                ("vocabulary_release", models.CharField(blank=True, max_length=64)),
                ("rewritten_sealed", models.BinaryField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "practice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="practices.practice"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="review.refillrequest",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["practice", "at"], name="correction_export")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("drug_words__regex", "^[^\\x01-\\x1f!-,./:-@\\[-`{-\\x7f]*$")),
                        name="drug_words_are_plain",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_none_right", False), ("drug_right", ""), _connector="OR"),
                        name="none_right_has_no_drug",
                    ),
                ],
            },
        ),
    ]
