"""manage.py script_message read FILE.xml, build --input FILE.json: SCRIPT messages as JSON and back; sends nothing.

For people who hold our output against the standard's own schema, which this project may not store (contract, licence
note). The JSON is the version-neutral model, field by field, without the bytes.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError

from integrations.surescripts import script, script_write
from integrations.surescripts.script_checks import DoesNotFit
from integrations.surescripts.script_model import NetworkMessage
from integrations.surescripts.script_parts import UnreadableDocument


class Command(BaseCommand):
    """Read or build one SCRIPT message."""

    help = "read a SCRIPT message as JSON, or build one from JSON; nothing is sent"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`read FILE` or `build --input FILE [--output FILE]`; "-" is standard input or output."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        read = verbs.add_parser("read", help="print a message as JSON")
        read.add_argument("file", help='SCRIPT XML, "-" for standard input')
        build = verbs.add_parser("build", help="print a message as SCRIPT XML")
        build.add_argument("--input", required=True, help='JSON as `read` prints it, "-" for standard input')
        build.add_argument("--output", default="-", help="where to write the XML")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 with path and mend of everything that is wrong."""
        if options["verb"] == "read":
            self.stdout.write(to_json(_bytes(options["file"])).decode())
            return
        document = from_json(_bytes(options["input"]))
        if options["output"] == "-":
            self.stdout.write(document.decode("ascii"))
        else:
            Path(options["output"]).write_bytes(document)


def to_json(document: bytes) -> bytes:
    """The message of an XML document as indented JSON. Raises CommandError."""
    try:
        message = script.read(document)
    except UnreadableDocument as error:
        raise CommandError(f"not a readable SCRIPT message: {error}") from None
    plain = msgspec.to_builtins(message)
    del plain["raw"]
    return msgspec.json.format(msgspec.json.encode(plain), indent=2)


def from_json(text: bytes) -> bytes:
    """The XML of a message given as JSON. Raises CommandError naming every field that does not fit."""
    try:
        given = msgspec.json.decode(text)
        message = msgspec.convert({**given, "raw": b""}, NetworkMessage)
    except (msgspec.MsgspecError, TypeError) as error:
        raise CommandError(f"not a message: {error}") from None
    unknown = list(_unknown(given, msgspec.to_builtins(message), "$"))
    if unknown:
        raise CommandError(f"unknown fields: {', '.join(unknown)}")
    try:
        return script_write.write(message)
    except DoesNotFit as error:
        said = "\n".join(f"  {one.field}: {one.rule} {one.value_hint}. {one.mend}" for one in error.problems)
        raise CommandError(f"the message does not fit SCRIPT {script.CURRENT}:\n{said}") from None


def _unknown(given: Any, kept: Any, path: str) -> Iterator[str]:
    """Paths of what was given and is no part of the model: it would be left out in silence."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for name, value in given.items():
            if name not in kept:
                yield f"{path}.{name}"
            else:
                yield from _unknown(value, kept[name], f"{path}.{name}")
    elif isinstance(given, list) and isinstance(kept, list | tuple):
        for index, (one, other) in enumerate(zip(given, kept, strict=False)):
            yield from _unknown(one, other, f"{path}[{index}]")


def _bytes(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from None
