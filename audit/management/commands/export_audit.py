"""`manage.py export_audit --practice ID --csv FILE`: one practice's entries as CSV; the export is an entry itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from audit import export, log
from audit.events import CATALOGUE, Actor, ActorKind, Draft


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Export one practice's audit entries as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--practice", type=UUID, required=True)
        parser.add_argument("--csv", type=Path, required=True, help="file to write")
        parser.add_argument("--since", type=_moment, help="ISO moment, UTC where no zone is given; included")
        parser.add_argument("--until", type=_moment, help="ISO moment; not included")
        parser.add_argument("--event", default="", choices=["", *CATALOGUE], metavar="NAME")

    def handle(self, *args: Any, **options: Any) -> None:
        practice = options["practice"]
        found = export.entries(
            practice_id=practice, since=options["since"], until=options["until"], event=options["event"])
        count = -1  # the head line is no entry
        with transaction.atomic():
            with options["csv"].open("w", encoding="utf-8", newline="") as file:
                for line in export.csv_lines(found=found.iterator(chunk_size=2000)):
                    file.write(line)
                    count += 1
            log.record(now=datetime.now(UTC), draft=Draft(
                practice_id=practice, event="audit.exported", actor=Actor(ActorKind.system, "export_audit"),
                data={"entries": count, "format": "csv"}))
        self.stdout.write(f"{count} entries written to {options['csv']}")
