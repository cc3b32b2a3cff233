"""Bodies of calls: JSON of a modest size and depth, answered as JSON whatever the caller says it accepts."""

from __future__ import annotations

import io
from typing import Any, ClassVar

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser

from review.api.errors import Problem

MOST_BYTES = 16_384


class SmallJson(JSONParser):
    """Refuses what is longer than any body of ours, and what is nested so deep that reading it would fail."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The parsed body. Raises ParseError, Problem."""
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise Problem(status=413, code="too_large", message=f"A body is at most {MOST_BYTES} bytes long.")
        try:
            return super().parse(io.BytesIO(body), media_type=media_type, parser_context=parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deep.") from error


class AlwaysJson(BaseContentNegotiation):
    """One kind of answer for everybody."""

    settings: ClassVar[None] = None

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """The JSON parser, for JSON only; None is answered 415."""
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((one for one in parsers if one.media_type == kind), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """JSON."""
        return renderers[0], renderers[0].media_type
