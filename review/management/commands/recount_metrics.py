"""`manage.py recount_metrics --from 2026-10-01 --to 2026-10-31 [--practice P]`: roll-ups re-made from the events.

Reads requests and dispatches, writes roll-ups only; prints counts without names.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from refillhub.practices import clock
from refillhub.practices.models import Practice
from review import metrics
from review.figures import Period


class Command(BaseCommand):
    """See the module."""

    help = "Count the figures of past days anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which days of which practice."""
        parser.add_argument("--from", dest="first", required=True, type=_day, help="first day, YYYY-MM-DD")
        parser.add_argument("--to", dest="last", required=True, type=_day, help="last day, YYYY-MM-DD")
        parser.add_argument("--practice", help="slug of one practice; all of them otherwise")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, and say how much was written. A day that is not over is not counted."""
        first, last = options["first"], options["last"]
        if last < first:
            raise CommandError("--to: before --from")
        chosen = Practice.objects.order_by("slug")
        if options["practice"]:
            chosen = chosen.filter(slug=options["practice"])
            if not chosen:
                raise CommandError(f"--practice: there is no practice {options['practice']!r}")
        for practice in chosen:
            now = clock.now()
            if last >= now.astimezone(metrics.zone_of(practice)).date():
                raise CommandError(f"--to: {last} is not over yet for {practice.slug}")
            written = metrics.recount(practice=practice, days=Period(first, last), now=now)
            self.stdout.write(f"{practice.slug}: {written} roll-ups of {first} to {last}")


def _day(text: str) -> date:
    return date.fromisoformat(text)
