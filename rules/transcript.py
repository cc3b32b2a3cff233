"""Facts as JSON and back, so that a decision can be replayed years later. Loses nothing, invents nothing."""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from rules.facts import Facts


class TranscriptError(ValueError):
    """A document is not a Facts; the message names the path."""


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
    facts: Facts = _build(Facts, document, "facts")
    return facts


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _build(kind: type, document: Any, path: str) -> Any:
    if not isinstance(document, Mapping):
        raise TranscriptError(f"{path}: must be an object")
    hints = _hints(kind)
    unknown = set(document) - set(hints)
    if unknown:
        raise TranscriptError(f"{path}.{sorted(unknown)[0]}: unknown field")
    try:
        return kind(**{name: _value(hints[name], value, f"{path}.{name}") for name, value in document.items()})
    except TypeError as error:
        raise TranscriptError(f"{path}: {error}") from error


def _value(hint: Any, value: Any, path: str) -> Any:
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(one for one in typing.get_args(hint) if one is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise TranscriptError(f"{path}: must be a list")
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, one, f"{path}[{index}]") for index, one in enumerate(value))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value, path)
    try:
        return _scalar(hint, value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise TranscriptError(f"{path}: must be {getattr(hint, '__name__', hint)}") from error


def _scalar(hint: Any, value: Any) -> Any:
    if hint is bool or hint is int:
        if type(value) is not hint:
            raise TypeError(hint)
        return value
    if not isinstance(value, str):
        raise TypeError(hint)
    if hint is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment must carry its zone")
        return moment
    if hint is date:
        return date.fromisoformat(value)
    if hint is Decimal or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return hint(value)
    return value
