"""Load an RxNorm release into the database and put it in force; list what is kept; go back to an earlier one.

Usage: manage.py load_rxnorm PATH [--release YYYY-MM-DD] [--although-smaller] [--although-gone NAME]
       manage.py load_rxnorm --list
       manage.py load_rxnorm --use YYYY-MM-DD
PATH is a folder or a zip of the full release or the Current Prescribable Content, fetched by a person. A run that was
killed goes on at the next file when started again with the same files. See docs/vocabulary.md.
"""

from __future__ import annotations

import getpass
import os
import time
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from refillhub.practices import clock
from rules import vocabulary
from rules.intake import tables
from rules.models import Vocabulary
from rules.releases import keeping, loading
from rules.rxnorm import changes, rows, trust

MEGABYTE = 1_000_000
SAY_EVERY_S = 5.0
SAY_EVERY_ON_TERMINAL_S = 0.3
REFUSALS = (rows.BadFile, trust.NotTrusted, loading.Refused, keeping.Busy, keeping.NotKept, keeping.Damaged)


class Command(BaseCommand):
    """See the module."""

    help = "Load an RxNorm release, list the releases kept, or go back to one."

    def add_arguments(self, parser: CommandParser) -> None:
        """One of PATH, --list and --use."""
        parser.add_argument("path", nargs="?", type=Path, help="folder or zip of a release")
        parser.add_argument("--release", type=_day, help="its date, where no file tells it")
        parser.add_argument("--although-smaller", action="store_true", help="more than a tenth fewer entries are meant")
        parser.add_argument(
            "--although-gone", action="append", default=[], metavar="NAME",
            help="this scheduled ingredient may be missing (repeatable)",
        )  # fmt: skip
        parser.add_argument("--list", action="store_true", help="print the releases kept")
        parser.add_argument("--use", type=_day, metavar="RELEASE", help="put a retired release in force again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit status 0: done, or nothing to do; 1: refused, with the reason as one sentence."""
        if sum((options["path"] is not None, options["list"], options["use"] is not None)) != 1:
            raise CommandError("Give one of: the path of a release, --list, --use RELEASE.")
        try:
            if options["list"]:
                self._list()
            elif options["use"] is not None:
                row = loading.go_back(released_on=options["use"], by=_who(), now=clock.now())
                self.stdout.write(f"In force: RxNorm {row.released_on}. Workers follow within about a minute.")
            else:
                self._load(options)
        except REFUSALS as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"A file cannot be read: {error}.") from error
        except DatabaseError as error:
            raise CommandError(
                f"The database failed ({type(error).__name__}) and nothing new is in force; see that it answers and is"
                " migrated, then start the same command again: it goes on where it was."
            ) from error

    def _load(self, options: dict[str, Any]) -> None:
        wish = loading.Wish(
            path=options["path"],
            release=options["release"],
            may_be_smaller=options["although_smaller"],
            may_vanish=frozenset(options["although_gone"]),
        )
        voice = loading.Voice(progress=_Progress(self.stdout).say, tell=self.stdout.write)
        row = loading.load(wish=wish, voice=voice, by=_who(), now=clock.now())
        if row is None:
            self.stdout.write("This release is in force already: nothing to do.")
            return
        self._report(row)

    def _report(self, row: Vocabulary) -> None:
        """What there is now, what needs a look, what changed."""
        write = self.stdout.write
        write(f"In force: RxNorm {row.released_on}. Workers follow within about a minute.")
        write("  " + ", ".join(f"{kind} {row.counts.get(kind, 0)}" for kind in changes.KINDS))
        for note, count in sorted(row.notes.items()):
            if count:
                write(f"  {count} {note}")
        for key, title in changes.TITLES.items():
            change = row.changes.get(key) or {"count": 0, "examples": []}
            if change["count"]:
                write(f"{change['count']} {title}")
                for example in change["examples"]:
                    write(f"    {example}")
        write(vocabulary.manifest()["notice"])
        if past := vocabulary.days_past(release=row.released_on, today=clock.now().date()):
            self.stderr.write(f"This release is {past} days older than it should be: fetch the latest one.")

    def _list(self) -> None:
        whole = keeping.with_content()
        found = list(Vocabulary.objects.order_by("-started_at"))
        for row in found:
            content = "" if row.pk in whole or row.state == Vocabulary.State.loading else ", content dropped"
            when = f"{row.loaded_at or row.started_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{row.released_on}  {row.get_state_display()}{content}, {when} by {row.loaded_by}")
        in_force = "" if any(row.state == Vocabulary.State.current for row in found) else ": in force"
        self.stdout.write(f"{tables.shipped().release}  shipped with this version{in_force}")


class _Progress:
    """A line now and then; on a terminal one line that is rewritten."""

    def __init__(self, out: Any) -> None:
        self.out, self.is_terminal, self.said_at = out, out.isatty(), time.monotonic()

    def say(self, name: str, done: int, total: int) -> None:
        """`done` of `total` bytes of a file."""
        is_whole = done >= total
        every = SAY_EVERY_ON_TERMINAL_S if self.is_terminal else SAY_EVERY_S
        if not is_whole and time.monotonic() - self.said_at < every:
            return
        self.said_at = time.monotonic()
        percent = 100 * done // total if total else 100
        line = f"{name}: {done / MEGABYTE:.1f} of {total / MEGABYTE:.1f} MB, {percent} %"
        ending = "\n" if is_whole or not self.is_terminal else ""
        self.out.write(f"\r{line:<70}" if self.is_terminal else line, ending=ending)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _who() -> str:
    try:
        return getpass.getuser()[:150]
    except (KeyError, OSError):  # a container's account without a name
        return f"uid {os.getuid()}"
