"""`manage.py export_reading_corrections --output FILE.jsonl`: corrections of readings as test cases for the reader.

Nothing in the file can tell whose message it was. The export is an audit entry of each practice, with its count.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.events import Actor, ActorKind
from refillhub.practices import clock
from refillhub.practices.models import Practice
from review import teaching
from review.ledger import verb

ACTOR = Actor(ActorKind.system, "export_reading_corrections")


def _day(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Command(BaseCommand):
    """See the module."""

    help = "Export corrections of readings as test cases (JSONL)."

    def add_arguments(self, parser: CommandParser) -> None:
        """--output, and what to narrow it to."""
        parser.add_argument("--output", type=Path, required=True, help="file to write")
        parser.add_argument("--practice", default="", help="slug or id; all without it")
        parser.add_argument("--since", type=_day, help="ISO day or moment, UTC where no zone is given; included")

    def handle(self, *args: Any, **options: Any) -> None:
        """The file, in no order that could tell anything, and the audit entries."""
        cases: list[dict[str, Any]] = []
        counts: dict[UUID, int] = {}
        for practice in _practices(str(options["practice"])):
            rows = teaching.rows(practice=practice, since=options["since"])
            found = [teaching.case_of(correction=row, practice=practice) for row in rows]
            made = [case for case in found if case is not None]
            counts[practice.id] = len(made)
            cases += made
        cases.sort(key=lambda case: str(case["id"]))  # random ids: a random order
        with verb(now=clock.now(), actor=ACTOR) as ledger:
            for practice_id, count in counts.items():
                ledger.note(event="reading.exported", practice_id=practice_id, data={"cases": count, "format": "jsonl"})
            lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
            options["output"].write_text(lines, encoding="utf-8")
        self.stdout.write(f"{len(cases)} cases of {len(counts)} practices written to {options['output']}")


def _practices(wanted: str) -> list[Practice]:
    """All, or the one of this slug or id. Raises CommandError when there is none."""
    if not wanted:
        return list(Practice.objects.order_by("id"))
    try:
        found = Practice.objects.filter(id=UUID(wanted))
    except ValueError:
        found = Practice.objects.filter(slug=wanted)
    if not found.exists():
        raise CommandError(f"no practice {wanted}")
    return list(found)
