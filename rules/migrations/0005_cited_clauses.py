"""Decisions name the clauses of the written policy they rest on. The database fills it for code that knows it not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rules", "0004_previews"),
    ]

    operations = [
        migrations.AddField(
            model_name="decisionrecord",
            name="clauses",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
