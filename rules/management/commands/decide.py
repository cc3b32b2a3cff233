"""Decide cases from a JSONL file: facts in, decisions out, for an independent judge to compare. Acts on nothing.

Usage: manage.py decide --input FILE.jsonl --output FILE.jsonl [--rules FILE.json]
Without --rules the safe defaults decide: nothing is automatic. A line that is no case is written as an error, counted,
and makes the exit status 1. Needs no database.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rules import documents, files, oracle
from rules.documents import Rules


class Command(BaseCommand):
    """See the module."""

    help = "Decide recorded or invented facts and write each decision with its trace."
    requires_system_checks = ()  # some ask the database, which is not needed

    def add_arguments(self, parser: CommandParser) -> None:
        """--input, --output and --rules, all files."""
        parser.add_argument("--input", type=pathlib.Path, required=True)
        parser.add_argument("--output", type=pathlib.Path, required=True)
        parser.add_argument("--rules", type=pathlib.Path, help="a file written by `manage.py rules export`")

    def handle(self, *args: Any, **options: Any) -> None:
        """One output line per input line, in order."""
        source: pathlib.Path = options["input"]
        if not source.is_file():
            raise CommandError(f"{source} is not a file")
        rules = _rules(options["rules"])
        bad = count = 0
        with source.open(encoding="utf-8") as read, options["output"].open("w", encoding="utf-8") as write:
            for number, line in enumerate(read, start=1):
                if not line.strip():
                    continue
                count += 1
                try:
                    made = oracle.answer(line=line, rules=rules)
                except oracle.BadLine as error:
                    bad += 1
                    made = json.dumps({"id": None, "line": number, "error": str(error)})
                write.write(made + "\n")
        self.stdout.write(f"{count} decided, {bad} of them no cases")
        if bad:
            raise CommandError(f"{bad} of {count} lines were no cases")


def _rules(path: pathlib.Path | None) -> Rules:
    if path is None:
        return documents.check(document={})
    if not path.is_file():
        raise CommandError(f"{path} is not a file")
    try:
        return files.load(text=path.read_text(encoding="utf-8"))[1]
    except files.NotRules as error:
        raise CommandError(f"{path}: {error}") from error
