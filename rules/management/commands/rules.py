"""Rules as files: check one, write a version's, take one in as a draft, print the schema.

Usage: manage.py rules check FILE
       manage.py rules export --practice SLUG [--number N]       (the version in force without --number)
       manage.py rules import FILE --practice SLUG --by EMAIL [--note TEXT]
       manage.py rules schema
A draft is changed, proposed and published like any other: by two people, on the pages.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from refillhub.practices import clock, roles
from refillhub.practices.models import Membership, Practice, User
from rules import files, schema, versions
from rules.policy import PolicyError


class Command(BaseCommand):
    """See the module."""

    help = "Check, export and import rules as files."
    requires_system_checks = ()  # `check` and `schema` need no database

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand."""
        steps = parser.add_subparsers(dest="step", required=True)
        check = steps.add_parser("check", help="read a file as strictly as a draft")
        check.add_argument("file", type=pathlib.Path)
        export = steps.add_parser("export", help="write a version as a file")
        export.add_argument("--practice", required=True)
        export.add_argument("--number", type=int, help="of the version; the one in force without it")
        take = steps.add_parser("import", help="make a draft of a file")
        take.add_argument("file", type=pathlib.Path)
        take.add_argument("--practice", required=True)
        take.add_argument("--by", required=True, help="e-mail address of a person who may draft rules")
        take.add_argument("--note", default="")
        steps.add_parser("schema", help="print the JSON Schema of a rule file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the step. Exit 1 with path and mend when a file is wrong."""
        step = options["step"]
        if step == "schema":
            self.stdout.write(json.dumps(schema.whole(), indent=2))
        elif step == "export":
            self.stdout.write(self._export(options["practice"], options["number"]), ending="")
        elif step == "check":
            rules = _load(options["file"])[1]
            self.stdout.write(f"{options['file']}: {len(rules.recipes)} recipes, "
                              f"{len(rules.policy.adopted_classes)} adopted classes; the rules are right.")  # fmt: skip
        else:
            self._take(options)

    def _export(self, slug: str, number: int | None) -> str:
        practice = _practice(slug)
        if number is None:
            version = versions.in_force(practice=practice, now=clock.now())
        else:
            version = versions.of(practice=practice).filter(number=number).first()
        if version is None:
            raise CommandError(f"{slug} has no version {number}" if number else f"{slug} has no version in force")
        return files.dump(document=version.document)

    def _take(self, options: dict[str, Any]) -> None:
        practice = _practice(options["practice"])
        document, _ = _load(options["file"])
        person = User.objects.filter(email__iexact=options["by"]).first()
        held = Membership.objects.roles_of(user_id=person.pk, practice_id=practice.pk) if person else frozenset()
        if person is None or not roles.may(roles=held, action=roles.Action.draft_rules):
            raise CommandError(f"--by: {options['by']} may not draft rules of {practice.slug}")
        try:
            made = versions.draft(
                practice=practice, by=person, document=document, now=clock.now(), note=options["note"]
            )
        except PolicyError as error:
            raise CommandError(f"{options['file']}: rules.{error}") from error
        self.stdout.write(f"Draft {made.number} is kept. A second person publishes it.")


def _practice(slug: str) -> Practice:
    practice = Practice.objects.filter(slug=slug).first()
    if practice is None:
        raise CommandError(f"--practice: there is no practice {slug!r}")
    return practice


def _load(path: pathlib.Path) -> Any:
    if not path.is_file():
        raise CommandError(f"{path} is not a file")
    try:
        return files.load(text=path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: is no UTF-8 text") from error
    except files.NotRules as error:
        raise CommandError(f"{path}: {error}") from error
