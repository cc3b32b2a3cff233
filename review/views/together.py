"""Review together: items whose every criterion passes, looked at in one list and approved one by one with one button.

Each is a decision of its own, checked again at that moment; what fails stays with its reason, the others go. Never a
controlled item, one that came back, or one with an unmet criterion.
"""

from __future__ import annotations

import uuid
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from refillhub.practices import gates
from refillhub.practices.models import Provider
from refillhub.practices.roles import Action
from review import access, queries, queries_together, workflow
from review.states import WrongState
from review.views import acting, cards

MOST = 10


@gates.page(action=Action.decide)
def page(request: HttpRequest) -> HttpResponse:
    """At most ten of them; no box is ticked beforehand."""
    return _page(request)


@gates.page(action=Action.decide, methods=("POST",))
def approve(request: HttpRequest) -> HttpResponse:
    """Approve what is ticked, one transaction each."""
    provider = access.provider_of(user=request.user, practice=request.practice)
    if provider is None:
        return _page(request, line=acting.NO_RECORD, status=422)
    ticked = _ticked(request)
    if not ticked:
        return _page(request, line="Tick what you have looked at.", status=422)
    failed = {one: reason for one, version in ticked if (reason := _approve(request, provider, one, version))}
    done = len(ticked) - len(failed)
    if done:
        seconds = request.practice.undo_seconds_person
        messages.success(request, f"Approved {done}; each leaves in {seconds} s unless you undo it.")
    if failed:
        return _page(request, failed=failed, line=f"{len(failed)} stayed, with the reason beside each.", status=409)
    return redirect("review:queue")


def _ticked(request: HttpRequest) -> list[tuple[UUID, int]]:
    """Ids with the version that was looked at; what is unreadable is not ticked."""
    found = []
    for one in request.POST.getlist("tick")[:MOST]:
        version = request.POST.get(f"version-{one}", "")
        try:
            found.append((uuid.UUID(one), int(version)))
        except ValueError:
            continue
    return found


def _approve(request: HttpRequest, provider: Provider, request_id: UUID, version: int) -> str:
    """Approve one; "" when done, else why it stayed, in words."""
    row = access.request_for(practice=request.practice, request_id=request_id)
    if not queries_together.still_meets_all(row=row, now=request.now, today=cards.today_of(request)):
        return "It no longer meets every criterion; open it."
    try:
        workflow.approve(request_id=row.id, user=request.user, provider=provider, version=version, now=request.now)
    except (workflow.AlreadyDecided, WrongState):
        return "It changed or was decided meanwhile; open it."
    except workflow.Locked:
        return "It may be at the pharmacy already; open it."
    except workflow.NotPossible as no:
        return str(no)
    return ""


def _page(
    request: HttpRequest, *, failed: dict[UUID, str] | None = None, line: str = "", status: int = 200
) -> HttpResponse:
    own = access.provider_of(user=request.user, practice=request.practice)
    found = queries.queue(practice=request.practice, provider=own, now=request.now, today=cards.today_of(request),
                          show="met")  # fmt: skip
    rows = queries_together.rows(found=found.rows[:MOST], practice=request.practice, reasons=failed or {})
    shown = {"rows": rows, "more": max(0, len(found.rows) - MOST), "line": line}
    return render(request, "review/together.html", shown, status=status)
