"""What may reach a log line: ids and codes; never words of or about a patient, whoever writes them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from refillhub import logs

NAME = "Ana Quispe"


@pytest.fixture
def lines() -> Iterator[Any]:
    """JSON logging into memory; the process's own logging is restored afterwards."""
    logs.configure(level="INFO", plain=False)
    out = io.StringIO()
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.contextvars.clear_contextvars()
    logs.configure(level="WARNING", plain=True)


def test_a_field_outside_the_list_is_dropped_and_only_named(lines: Any) -> None:
    structlog.get_logger("t").info("request.opened", request_id="r1", patient=NAME, count=3)
    (line,) = lines()
    assert line["request_id"] == "r1"
    assert line["count"] == 3
    assert line["dropped"] == ["patient"]
    assert NAME not in json.dumps(line)


def test_a_line_of_a_library_keeps_its_template_and_loses_the_values(lines: Any) -> None:
    logging.getLogger("django.request").error("Failed for %s", NAME, extra={"body": NAME})
    (line,) = lines()
    assert line["event"] == "Failed for %s"
    assert NAME not in json.dumps(line)


def test_an_exception_is_its_type_and_place_without_its_message(lines: Any) -> None:
    try:
        raise ValueError(f"no such patient {NAME}")
    except ValueError:
        logging.getLogger("x").exception("failed")
        structlog.get_logger("y").exception("failed")
    first, second = lines()
    for line in (first, second):
        assert line["exception"].startswith("builtins.ValueError at test_an_exception")
        assert NAME not in json.dumps(line)


def test_a_long_value_is_cut(lines: Any) -> None:
    structlog.get_logger("t").info("x", code="z" * 5000)
    assert len(lines()[0]["code"]) == logs.LONGEST


def test_a_failing_page_is_logged_by_route_never_by_path(lines: Any, rf: RequestFactory) -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=503)

    logs.RequestLog(broken)(rf.get("/hooks/klara/very-secret-token/"))
    (line,) = lines()
    assert line["status"] == 503
    assert len(line["correlation_id"]) == 32
    assert "very-secret-token" not in json.dumps(line)


def test_the_settings_put_the_request_log_first() -> None:
    assert settings.MIDDLEWARE[0] == "refillhub.logs.RequestLog"
