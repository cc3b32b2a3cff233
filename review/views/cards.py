"""The card as a page, for prescribers (beside their list) and for assistants (by itself). Shows; never acts."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from refillhub.practices.models import Coverage, Provider
from review import access, forms, presence, queries, queries_card, queries_reading
from review.models import RefillRequest

SHOWS = ("all", "met", "judgment", "controlled", "everyone")


def today_of(request: HttpRequest) -> date:
    """The practice-local day of this response."""
    return request.shell.local_now.date()


def show_of(request: HttpRequest) -> str:
    """Which filter of the list is chosen; anything unknown means all."""
    wanted = request.GET.get("show") or request.POST.get("show") or "all"
    return wanted if wanted in SHOWS else "all"


def order_of(request: HttpRequest) -> str:
    """How the person orders their list: by supply left, or by when it was asked; kept for the session."""
    wanted = request.GET.get("order")
    if wanted in queries.ORDERS:
        request.session["queue_order"] = wanted
    return request.session.get("queue_order", queries.ORDERS[0])


def list_of(request: HttpRequest, provider: Provider | None = None) -> queries.QueueList:
    """The person's list under the chosen filter."""
    own = provider or access.provider_of(user=request.user, practice=request.practice)
    return queries.queue(practice=request.practice, provider=own, now=request.now, today=today_of(request),
                         show=show_of(request), order=order_of(request))


def page(
    request: HttpRequest, row: RefillRequest, *, place: str, line: str = "", form: Any = None, status: int = 200
) -> HttpResponse:
    """The card of `row`; `place` is queue or desk. `line` says what could not be done, `form` what must be mended."""
    shown: dict[str, Any] = {
        "row": row, "place": place, "line": line, "form": form, "form_key": uuid.uuid4(),
        "denials": forms.DENIALS, "answers": forms.ANSWERS, "cancels": forms.CANCELS,
        "intents": queries_reading.INTENTS.items(), "show": show_of(request),
    }
    providers = access.providers_of(practice=request.practice)
    read: dict[uuid.UUID, Any] = {}
    if place == "queue":
        found = list_of(request, next((one for one in providers if one.user_id == request.user.id), None))
        read = found.records()
        shown |= {
            "list": found, "position": found.position(row.id),
            "tray": queries.tray(practice=request.practice, user=request.user, now=request.now),
        }
    others = presence.note(request_id=row.id, user=request.user, now=request.now) if status == 200 else []
    shown["others_here"] = others
    card = queries_card.card(request=row, held=request.roles, now=request.now, today=today_of(request), read=read)
    shown |= {"card": card, "prescribers": _prescribers(request, row, providers) if card.may.reassign else []}
    return render(request, f"review/{'card' if place == 'queue' else 'item'}.html", shown, status=status)


def _prescribers(request: HttpRequest, row: RefillRequest, providers: list[Provider]) -> list[Provider]:
    absences = {one.provider_id: one for one in
                Coverage.objects.during(request.now).filter(practice=request.practice).select_related("stand_in")}
    absent = absences.get(row.assignee_id or row.prescriber_id)
    return queries_card.prescribers_in(providers=providers, away=absences.keys(),
                                       first=absent.stand_in if absent else None)
