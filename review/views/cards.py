"""The card as a page, for prescribers (beside their list) and for assistants (by itself). Shows; never acts."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations.models import DirectoryState, PharmacyEntry
from refillhub.practices.models import Coverage
from review import access, forms, queries, queries_card
from review.models import RefillRequest

SHOWS = ("all", "met", "judgment", "controlled", "everyone")
NEAR = 20  # pharmacies offered beside the free field


def today_of(request: HttpRequest) -> date:
    """The practice-local day of this response."""
    return request.shell.local_now.date()


def show_of(request: HttpRequest) -> str:
    """Which filter of the list is chosen; anything unknown means all."""
    wanted = request.GET.get("show") or request.POST.get("show") or "all"
    return wanted if wanted in SHOWS else "all"


def list_of(request: HttpRequest) -> queries.QueueList:
    """The person's list under the chosen filter."""
    provider = access.provider_of(user=request.user, practice=request.practice)
    return queries.queue(
        practice=request.practice, provider=provider, now=request.now, today=today_of(request), show=show_of(request)
    )


def page(
    request: HttpRequest, row: RefillRequest, *, place: str, line: str = "", form: Any = None, status: int = 200
) -> HttpResponse:
    """The card of `row`; `place` is queue or desk. `line` says what could not be done, `form` what must be mended."""
    card = queries_card.card(
        request=row, held=request.roles, user=request.user, now=request.now, today=today_of(request)
    )
    shown: dict[str, Any] = {
        "card": card,
        "row": row,
        "place": place,
        "line": line,
        "form": form,
        "form_key": uuid.uuid4(),
        "denials": forms.DENIALS,
        "answers": forms.ANSWERS,
        "cancels": forms.CANCELS,
        "show": show_of(request),
    }
    if card.may.reassign:
        shown["prescribers"] = _prescribers(request, row)
    if card.may.approve and card.person is not None:
        shown["near"] = _near(row, card.person.zip_code)
    if place == "queue":
        found = list_of(request)
        shown |= {
            "list": found,
            "position": found.position(row.id),
            "tray": queries.tray(practice=request.practice, user=request.user, now=request.now),
        }
    return render(request, f"review/{'card' if place == 'queue' else 'item'}.html", shown, status=status)


def _prescribers(request: HttpRequest, row: RefillRequest) -> list[Any]:
    absences = {
        one.provider_id: one
        for one in Coverage.objects.during(request.now).filter(practice=request.practice).select_related("stand_in")
    }
    absent = absences.get(row.assignee_id or row.prescriber_id)
    return queries_card.prescribers_in(
        practice=request.practice, away=absences.keys(), first=absent.stand_in if absent else None
    )


def _near(row: RefillRequest, zip_code: str) -> list[PharmacyEntry]:
    """Active pharmacies of the patient's own ZIP code, to choose from."""
    if not zip_code:
        return []
    rows = PharmacyEntry.objects.filter(
        stage=row.practice.stage, directory_state=DirectoryState.active, zip_code__startswith=zip_code[:5]
    )
    return list(rows.order_by("name")[:NEAR])
