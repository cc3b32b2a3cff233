"""DayFigures: what was counted of one practice-local day, by place, drug class and mode. Sums only, never a person."""

from typing import ClassVar

from django.db import models

from refillhub.practices.models import Location, Practice


class DayFigures(models.Model):
    """One roll-up; always re-made from the requests and dispatches, never changed by itself."""

    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    location = models.ForeignKey(Location, null=True, on_delete=models.PROTECT, related_name="+")
    drug_class = models.CharField(max_length=40, blank=True)
    is_shadow = models.BooleanField()
    tally = models.JSONField(help_text="Counts, and times in log-scale buckets (review/figures.py).")
    counted_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["practice", "day"], name="day_figures_period")]

    def __str__(self) -> str:
        return f"figures of {self.day}"
