"""Read threads from a JSONL file and write a reading for each: for measuring, never for acting.

Usage: manage.py read_messages --input FILE.jsonl --output FILE.jsonl [--shipped]
Reads by the vocabulary in force; by the shipped one with --shipped, or (said on stderr) where no database answers.
A line that cannot be read is written as an error that must reach a human, counted, and makes the exit status 1.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from rules import vocabulary
from rules.intake import lexicon, lines
from rules.intake.lexicon import Lexicon


class Command(BaseCommand):
    """See the module."""

    help = "Read patient messages from JSONL and write what was understood."
    requires_system_checks = ()  # some ask the database, which need not be there

    def add_arguments(self, parser: CommandParser) -> None:
        """--input and --output, both files; --shipped."""
        parser.add_argument("--input", type=pathlib.Path, required=True)
        parser.add_argument("--output", type=pathlib.Path, required=True)
        parser.add_argument("--shipped", action="store_true", help="read by the shipped vocabulary")

    def handle(self, *args: Any, **options: Any) -> None:
        """One output line per input line, in order."""
        source: pathlib.Path = options["input"]
        if not source.is_file():
            raise CommandError(f"{source} is not a file")
        known = lexicon.load() if options["shipped"] else self._in_force()
        bad = count = 0
        with source.open(encoding="utf-8") as read, options["output"].open("w", encoding="utf-8") as write:
            for number, line in enumerate(read, start=1):
                if not line.strip():
                    continue
                count += 1
                try:
                    answer = lines.answer(line=line, lexicon=known)
                except lines.BadLine as error:
                    bad += 1
                    answer = json.dumps({"id": None, "line": number, "must_reach_human": True, "error": str(error)})
                write.write(answer + "\n")
        self.stdout.write(f"{count} read, {bad} not understood as threads")
        if bad:
            raise CommandError(f"{bad} of {count} lines were not threads")

    def _in_force(self) -> Lexicon:
        try:
            vocabulary.look()
        except DatabaseError as error:
            self.stderr.write(f"No database answers ({type(error).__name__}): reading by the shipped vocabulary.")
        return vocabulary.current()
