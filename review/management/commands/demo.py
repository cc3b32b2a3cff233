"""`manage.py demo [--once]`: plays a clinic day against the three sandboxes, prints what became of each message.

Ends with status 0 only if every expectation of the script held, judged by the sandboxes' own journals and never by our
tables. With --once the last line of its output is JSON. Refuses anything but sandboxes on this machine.
"""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from refillhub.practices.models import Practice
from review.management import clinic_day, judging, playing


class Command(BaseCommand):
    help = "Play the clinic day on a seeded demo; the exit status says whether every expectation held."

    def add_arguments(self, parser: Any) -> None:
        """--once: end with one line of JSON."""
        parser.add_argument("--once", action="store_true", help="the last line is JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play, judge, print."""
        if not settings.DEMO:
            raise CommandError("DEMO is not set: this command posts messages and moves office hours")
        practice = Practice.objects.filter(slug=clinic_day.SLUG).first()
        if practice is None:
            raise CommandError("no demo practice: run seed_demo first")
        self.is_tty = sys.stdout.isatty()
        self.last = ""
        try:
            data = clinic_day.read("practice")
            day = playing.Day(
                practice=practice, key=data["practice"]["key"], scenes=clinic_day.read("scenes"), show=self._show,
                people=clinic_day.people(run=clinic_day.run_of(practice=practice)), desks=clinic_day.desks(),
                pharmacies={row["ncpdp"]: row["name"] for row in data["pharmacies"]},
            )  # fmt: skip
        except clinic_day.NotTheSandbox as refused:
            raise CommandError(str(refused)) from refused
        late = ""
        try:
            day.play()
        except playing.TookTooLong as slow:
            late = str(slow)
        self._end_line()
        verdict = judging.judge(day=day)
        self._table(judging.table(day=day, verdict=verdict))
        for problem in [*([late] if late else []), *verdict.problems]:
            self.stdout.write(f"  ! {problem}")
        held = not verdict.problems and not late
        self.stdout.write(f"\n  {len(day.said)} messages of {verdict.patients} patients; "
                          + ("every expectation held" if held else "NOT every expectation held") + "\n")  # fmt: skip
        if options["once"]:
            self.stdout.write(json.dumps(verdict.counts, separators=(",", ":")))
        if not held:
            sys.exit(1)

    def _show(self, text: str, done: int, total: int) -> None:
        """One line of progress: rewritten in place on a terminal, one line per change elsewhere."""
        if self.is_tty:
            width = 24
            bar = "#" * (width * done // max(1, total))
            self.stdout.write(f"\r  [{bar:<{width}}] {done:>2}/{total} {text[:60]:<60}", ending="")
            self.stdout.flush()
        elif text != self.last:
            self.stdout.write(f"  {done:>2}/{total} {text}")
            self.stdout.flush()
        self.last = text

    def _end_line(self) -> None:
        if self.is_tty:
            self.stdout.write("")

    def _table(self, rows: list[tuple[str, str, str, str]]) -> None:
        heads = ("", "what was asked", "what became of it", "at the pharmacy")
        widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(4)]
        self.stdout.write("")
        for row in [heads, *rows]:
            cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
            self.stdout.write("  " + "  ".join(cells).rstrip())
