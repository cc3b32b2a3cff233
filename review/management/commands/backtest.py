"""`manage.py backtest --practice P --draft N [--days 28] [--json]`: a version of the rules on recorded decisions.

Runs here and now, kept like a run asked for on the page; prints counts and cases without names.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from refillhub.practices import clock
from refillhub.practices.models import Practice
from review import backtest
from rules import previewing
from rules.models import PreviewRun, RuleVersion


class Command(BaseCommand):
    """See the module."""

    help = "Try a version of the rules on recorded decisions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which version of which practice, on how many days."""
        parser.add_argument("--practice", required=True, help="slug of the practice")
        parser.add_argument("--draft", required=True, type=int, help="number of the version")
        parser.add_argument("--days", type=int, default=previewing.DAYS, help="how far back, in days")
        parser.add_argument("--json", action="store_true", help="the whole result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for a run, work it off, print it. Exit 1 with a sentence when that cannot be."""
        practice = Practice.objects.filter(slug=options["practice"]).first()
        if practice is None:
            raise CommandError(f"--practice: there is no practice {options['practice']!r}")
        version = RuleVersion.objects.filter(practice=practice, number=options["draft"]).first()
        if version is None:
            raise CommandError(f"--draft: {practice.slug} has no rules version {options['draft']}")
        if options["days"] < 1:
            raise CommandError("--days: at least 1")
        asked = previewing.ask(version=version, by=None, now=clock.now(), days=options["days"])
        run = previewing.claim(now=clock.now(), run_id=asked.pk)
        if run is None:
            raise CommandError("a worker is at this very run already; look at its page, or try again when it is done")
        backtest.work_off(run=run, clock=clock.now, longest=None)
        run.refresh_from_db()
        if run.state != PreviewRun.State.done:
            raise CommandError(f"the run ended as {run.state}: {run.error}")
        self.stdout.write(json.dumps(run.result, indent=2) if options["json"] else "\n".join(_lines(run)))


def _lines(run: PreviewRun) -> list[str]:
    made = run.result
    lines = [f"{made['counted']} decisions tried, {made['unreadable']} could not be opened"]
    lines += [f"  {before:>16} -> {after:<16} {count}" for before, after, count in made["matrix"]]
    lines.append(f"{made['newly_automatic']} would become automatic; people had: {made['people'] or 'none'}")
    answers = {answer: 0 for answer in ("agree", "differ", "left", "open")}
    for _recipe, _class, answer, count in made["agreement"]:
        answers[answer] += count
    lines.append(
        f"beside people: {answers['agree']} the same, {answers['differ']} otherwise, {answers['left']} left to them, "
        f"{answers['open']} not decided yet"
    )
    if made["bound_permille"] is not None:
        lines.append(f"the unsafe share of these could be up to {made['bound_permille'] / 10:.1f} % (95 %)")
    return lines
