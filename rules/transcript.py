"""Facts as JSON and back, so that a decision can be replayed years later. Loses nothing, invents nothing."""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from rules.facts import Facts


class TranscriptError(ValueError):
    """A document is not a Facts; the message names the path."""


class _Wrong(Exception):
    """A value that cannot be read; each level on the way out puts its part of the path in front."""

    def __init__(self, rule: str, path: str = "") -> None:
        super().__init__(rule)
        self.rule, self.path = rule, path

    def inside(self, part: str) -> "_Wrong":
        return _Wrong(self.rule, part + self.path)


@functools.cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    kind: Any = type(value)
    return {name: _plain(getattr(value, name)) for name in _field_names(kind)}


def to_document(*, facts: Facts) -> dict[str, Any]:
    """JSON-ready form: dates and moments ISO 8601, decimals as text, tuples as lists."""
    document: dict[str, Any] = _plain(facts)
    return document


def from_document(*, document: Mapping[str, Any]) -> Facts:
    """Facts from their JSON form. Missing fields take the dataclass default (unknown); raises TranscriptError."""
    try:
        facts: Facts = _build(Facts, document)
    except _Wrong as wrong:
        raise TranscriptError(f"facts{wrong.path}: {wrong.rule}") from wrong
    return facts


Reader = Callable[[Any], Any]
"""Turns one JSON value into its field's value."""


@functools.cache
def _readers(kind: type) -> dict[str, tuple[Reader, bool]]:
    """For each field of a dataclass the reader of its type, and whether null is one; worked out once a process."""
    found = {}
    for name, hint in typing.get_type_hints(kind).items():
        is_optional = isinstance(hint, types.UnionType)
        if is_optional:
            hint = next(one for one in typing.get_args(hint) if one is not types.NoneType)
        found[name] = _reader(hint), is_optional
    return found


def _build(kind: type, document: Any) -> Any:
    if not isinstance(document, Mapping):
        raise _Wrong("must be an object")
    readers = _readers(kind)
    values: dict[str, Any] = {}
    for name, value in document.items():
        reader, is_optional = readers.get(name, _UNKNOWN)
        if value is None and is_optional:
            values[name] = None
            continue
        try:
            values[name] = reader(value)
        except _Wrong as wrong:
            raise wrong.inside(f".{name}") from None
    try:
        return kind(**values)
    except TypeError as error:
        raise _Wrong(str(error)) from error


def _refuse(value: Any) -> Any:
    raise _Wrong("unknown field")


_UNKNOWN: tuple[Reader, bool] = (_refuse, False)


def _reader(hint: Any) -> Reader:
    if typing.get_origin(hint) is tuple:
        return _list_reader(_reader(typing.get_args(hint)[0]))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        kind: type = hint
        return lambda value: _build(kind, value)
    return _scalar_reader(hint)


def _list_reader(inner: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise _Wrong("must be a list")
        found = []
        for one in value:
            try:
                found.append(inner(one))
            except _Wrong as wrong:
                raise wrong.inside(f"[{len(found)}]") from None
        return tuple(found)

    return read


def _scalar_reader(hint: Any) -> Reader:
    """Reader of a plain value, which must be of the very type JSON has for it (a bool is no int)."""
    given = hint if hint in (bool, int) else str
    convert = _converter(hint)

    def read(value: Any) -> Any:
        if type(value) is not given:
            raise _Wrong(f"must be {hint.__name__}")
        if convert is None:
            return value
        try:
            return convert(value)
        except (ValueError, ArithmeticError):
            raise _Wrong(f"must be {hint.__name__}") from None

    return read


def _converter(hint: Any) -> Callable[[str], Any] | None:
    """From the JSON text to the field's value; None where it is the value."""
    if hint is datetime:
        return _moment
    if hint is date:
        return date.fromisoformat
    return hint if hint is Decimal or issubclass(hint, StrEnum) else None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment must carry its zone")
    return moment
