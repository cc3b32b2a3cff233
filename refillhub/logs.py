"""Log lines as JSON with an allow-list of fields: ids, codes, counts and durations; never words of or about a patient.

A field that is not on the list is dropped and only its name is kept. Lines of libraries appear as their unformatted
template, exceptions as their type and the places they passed through: values interpolated by others stay out.
"""

import logging
import logging.config
import sys
import time
import traceback
import uuid
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

_ALLOWED = """
    event level logger timestamp exception dropped pid host port
    request_id practice_id location_id connection_id event_id dispatch_id entry_id user_id correlation_id task task_id
    vendor lane queue kind state outcome verb code status route method stage version reason
    attempt attempts count batch size age seconds duration_ms retry_after due_at limit used percent
"""
ALLOWED = frozenset(_ALLOWED.split())
LONGEST = 200  # characters of one value; longer ones are cut, so that nobody logs a body by accident

Fields = MutableMapping[str, Any]


def keep_allowed(_logger: object, _method: str, fields: Fields) -> Fields:
    """Drop every field outside ALLOWED, naming it under `dropped`; cut long values."""
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        if name.startswith("_"):
            kept[name] = value  # structlog's own, removed before rendering
        elif name in ALLOWED:
            kept[name] = _plain(value)
    dropped = sorted(name for name in fields if name not in kept)
    if dropped:
        kept["dropped"] = dropped
    return kept


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value[:50]]
    return str(value)[:LONGEST]


def name_exception(_logger: object, _method: str, fields: Fields) -> Fields:
    """Replace `exc_info` by the exception's type and the functions it passed through; its message may hold data."""
    info = fields.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info or None
    if error is None:
        return fields
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    fields["exception"] = f"{type(error).__module__}.{type(error).__name__} at {where}"
    return fields


class TemplateOnly(structlog.stdlib.ProcessorFormatter):
    """Renders our lines as they are, lines of libraries as their template without the values put into it."""

    def format(self, record: logging.LogRecord) -> str:
        if not isinstance(record.msg, dict):
            record = logging.makeLogRecord({**record.__dict__, "args": None, "msg": str(record.msg)})
        return super().format(record)


def configure(*, level: str, plain: bool) -> None:
    """Set up logging for this process. `plain` gives readable lines with everything in them: development only."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    guarded = [*shared, name_exception, keep_allowed]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *(shared if plain else guarded),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": TemplateOnly,
                    "foreign_pre_chain": guarded,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.JSONRenderer(sort_keys=True),
                    ],
                },
                "plain": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.dev.ConsoleRenderer(colors=False),
                    ],
                },
            },
            "handlers": {
                "out": {"class": "logging.StreamHandler", "formatter": "plain" if plain else "json"},
            },
            "root": {"handlers": ["out"], "level": level},
            "loggers": {
                "urllib3": {"level": "WARNING"},
                "axes": {"level": "WARNING"},
                "django.server": {"handlers": ["out"], "level": "INFO", "propagate": False},
            },
        }
    )


class RequestLog:
    """Middleware: one id per web request on every line written meanwhile, and one line for answers 500 and above.

    The path is never written (it may carry an endpoint token); the name of the route is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.log = structlog.get_logger("refillhub.request")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(correlation_id=uuid.uuid4().hex)
        response = self.get_response(request)
        if response.status_code >= 500:
            match = request.resolver_match
            self.log.error(
                "web.failed",
                status=response.status_code,
                method=request.method,
                route=match.view_name if match else "",
                duration_ms=round((time.perf_counter() - started) * 1000),
            )
        return response
