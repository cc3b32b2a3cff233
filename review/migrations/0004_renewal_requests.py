"""Renewal requests of pharmacies: what a letter opened and what answers it; old rows and old code know neither."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("review", "0003_entry_aliases")]

    operations = [
        migrations.AddField(
            model_name="networkmail",
            name="request",
            field=models.ForeignKey(
                help_text="What it opened.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="mail",
                to="review.refillrequest",
            ),
        ),
        migrations.AddField(
            model_name="networkmail",
            name="answered_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="review.dispatch"
            ),
        ),
        migrations.AlterField(
            model_name="dispatch",
            name="kind",
            field=models.CharField(
                choices=[
                    ("newrx", "prescription to the pharmacy"),
                    ("cancelrx", "cancellation to the pharmacy"),
                    ("reply", "message to the patient"),
                    ("chart", "record on the chart"),
                    ("task", "task in DrChrono"),
                    ("pharmacy", "preferred pharmacy"),
                    ("page", "page to the on-call"),
                    ("answer", "denial to the pharmacy"),
                ],
                max_length=12,
            ),
        ),
        migrations.RemoveConstraint(model_name="dispatch", name="prescription_lane"),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("lane__in", ["routine", "epcs"]))
                | ~models.Q(("kind__in", ["newrx", "cancelrx", "answer"])),
                name="prescription_lane",
            ),
        ),
    ]
