"""A practice's written policy and its clauses, for rules to cite."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("practices", "0001_initial"),
        ("rules", "0002_vocabulary_releases"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WrittenPolicy",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=200)),
                ("media_type", models.CharField(max_length=40)),
                ("body", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("uploaded_at", models.DateTimeField()),
                (
                    "practice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="written_policies",
                        to="practices.practice",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "written policies",
            },
        ),
        migrations.CreateModel(
            name="PolicyClause",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=20)),
                ("title", models.CharField(max_length=200)),
                ("page", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("named_at", models.DateTimeField()),
                (
                    "named_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="clauses", to="rules.writtenpolicy"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="writtenpolicy",
            constraint=models.UniqueConstraint(fields=("practice", "sha256"), name="written_policy_once"),
        ),
        migrations.AddConstraint(
            model_name="writtenpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("media_type__in", ["application/pdf", "text/plain"])),
                name="written_policy_media_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="policyclause",
            constraint=models.UniqueConstraint(fields=("policy", "number"), name="policy_clause_once"),
        ),
    ]
