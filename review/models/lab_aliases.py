"""A practice's own names and codes of laboratory tests that come without LOINC, and the unit they are meant in.

Kept by the practice in the admin site, every change in the audit trail; a row is switched off, never deleted.
"""

import uuid
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from refillhub.practices.models import Practice
from rules import labs, protocols, units


def lab_keys() -> list[tuple[str, str]]:
    """Tests of the protocol table a name may stand for."""
    return [(key, f"{key} ({unit})") for key, unit in sorted(protocols.load().lab_units.items())]


class LabAlias(models.Model):
    """One local name or code. `unit` stands in where a result gives none; empty: such a result is a person's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="lab_aliases")
    name = models.CharField(max_length=labs.LONGEST, help_text="Its name or code, exactly as the chart shows it.")
    folded = models.CharField(max_length=labs.LONGEST, editable=False)
    lab_key = models.CharField("stands for", max_length=32, choices=lab_keys)
    unit = models.CharField(max_length=32, blank=True, help_text="Of results that come without a unit.")
    is_active = models.BooleanField("counts", default=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name, verbose_name_plural = "local lab name", "local lab names"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "folded"], condition=models.Q(is_active=True), name="lab_alias_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} = {self.lab_key}"

    def clean(self) -> None:
        self.folded = labs.folded(self.name)
        if not self.folded:
            raise ValidationError({"name": "Enter letters or digits."})
        if self.name.strip() in protocols.load().loinc:
            raise ValidationError({"name": "This is a LOINC code; it is known without a local name."})
        into = protocols.load().lab_units.get(self.lab_key, "")
        if self.unit and into and not units.is_known(key=self.lab_key, unit=self.unit, into=into):
            raise ValidationError({"unit": f"Not a unit of this test that can be converted to {into}."})
        others = LabAlias.objects.filter(practice_id=self.practice_id, folded=self.folded, is_active=True)
        if self.is_active and self.practice_id and others.exclude(pk=self.pk).exists():
            raise ValidationError({"name": "This name stands for a test already."})
