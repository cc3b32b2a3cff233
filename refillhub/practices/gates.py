"""The decorator of pages: role and method. Someone without the role gets 404, as a stranger would."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from refillhub.practices import roles

View = Callable[..., HttpResponse]


def page(*, action: roles.Action | None = None, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """A page of a practice: needs the practice, the role for `action`, one of `methods`; never stored by browsers."""
    allowed = list(methods) + (["HEAD"] if "GET" in methods else [])

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.practice is None:
                raise Http404
            if action is not None and not roles.may(roles=request.roles, action=action):
                raise Http404
            return view(request, *args, **kwargs)

        return never_cache(require_http_methods(allowed)(guarded))

    return decorate
