"""The inspector: one request's whole life as a timeline, and the replay of a dead step. Never a patient's name.

The page reads; the only act is one verb. Compliance and administrators see initials, ids and codes only.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from refillhub.practices import gates, roles
from refillhub.practices.roles import Action
from review import access, queries_steps, queries_timeline, workflow


@gates.page(action=Action.inspect)
def timeline(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The page, or with `?as=text` its plain text with ids only."""
    row = access.request_for(practice=request.practice, request_id=request_id)
    found = queries_timeline.timeline(request=row, now=request.now)
    if request.GET.get("as") == "text":
        return HttpResponse(queries_timeline.as_text(found), content_type="text/plain; charset=utf-8")
    works = roles.may(roles=request.roles, action=Action.work_items)
    return render(request, "review/timeline.html", {
        "row": row, "found": found, "works": works, "lanes": queries_steps.LANES.values(),
        "reviews": roles.may(roles=request.roles, action=Action.review),
        "lists": roles.may(roles=request.roles, action=Action.see_requests),
        "sees_audit": roles.may(roles=request.roles, action=Action.see_audit)})


@gates.page(action=Action.work_items, methods=("POST",))
def again(request: HttpRequest, request_id: UUID, dispatch_id: UUID) -> HttpResponse:
    """Have a dead message sent anew."""
    row = access.request_for(practice=request.practice, request_id=request_id)
    if dispatch_id not in {one.id for one in access.dispatches_of(request=row)}:
        raise Http404
    try:
        workflow.replay(request_id=row.id, dispatch_id=dispatch_id, user=request.user, now=request.now)
    except workflow.NotPossible as no:
        messages.warning(request, str(no))
    else:
        messages.success(request, "Queued anew. The refused message stays as it is; this is a new one.")
    return redirect("review:timeline", request_id=row.id)
