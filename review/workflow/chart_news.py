"""News of everything that is not a prescription: replies, chart records, tasks, pharmacy preference, pages.

Called by settlement inside its transaction. What fails for good always opens something for a person.
"""

from integrations.outcome import Outcome
from review import outbox
from review.models import Dispatch, DispatchKind, RefillRequest, ReplyPurpose
from review.states import MESSAGE_BOUND_STATES, DispatchState, RequestState
from review.workflow import moves, notices
from review.workflow.settling import Settling

R = RequestState
GOOD = (DispatchState.ACCEPTED, DispatchState.DELIVERED)
BAD = (DispatchState.REJECTED, DispatchState.UNRESOLVED)


def follow(*, work: Settling, dispatch: Dispatch, before: str, outcome: Outcome) -> None:
    """What a new state of such a dispatch means for its request."""
    request = work.requests[dispatch.request_id]
    handlers = {
        DispatchKind.REPLY: _reply,
        DispatchKind.CHART: _chart,
        DispatchKind.TASK: _task,
        DispatchKind.PHARMACY: _pharmacy,
        DispatchKind.PAGE: _page,
        DispatchKind.ANSWER: _answer,
    }
    if dispatch.state in GOOD and before not in GOOD:
        handlers[DispatchKind(dispatch.kind)](work, request, dispatch, is_good=True)
    elif dispatch.state in BAD:
        handlers[DispatchKind(dispatch.kind)](work, request, dispatch, is_good=False)


def _reply(work: Settling, request: RefillRequest, dispatch: Dispatch, *, is_good: bool) -> None:
    if not is_good and not _back(work=work, request=request, dispatch=dispatch, reason="reply_failed"):
        notices.alarm(practice=request.practice, kind="reply_failed", key=str(request.id), now=work.ledger.now)


def _answer(work: Settling, request: RefillRequest, dispatch: Dispatch, *, is_good: bool) -> None:
    """A denial the network did not take: the pharmacy still waits, and a person telephones."""
    if not is_good:
        _back(work=work, request=request, dispatch=dispatch, reason="answer_failed")
        notices.alarm(practice=request.practice, kind="answer_failed", key=str(request.id), now=work.ledger.now)


def _back(*, work: Settling, request: RefillRequest, dispatch: Dispatch, reason: str) -> bool:
    """A request that ends by telling somebody has not ended when nobody was told: it is a person's again (True). One
    that has gone on gets an item beside it."""
    if request.state not in MESSAGE_BOUND_STATES:
        notices.item(work=work, request=request, reason=reason, code=dispatch.code, text=dispatch.text)
        return False
    moves.to_person(
        request=request,
        verb="return",
        reasons=[reason],
        ledger=work.ledger,
        queue="assistant",
        code=dispatch.code,
        text=dispatch.text,
    )
    work.moved.add(request.id)
    return True


def _chart(work: Settling, request: RefillRequest, dispatch: Dispatch, *, is_good: bool) -> None:
    if is_good:
        work.ledger.on_request(request, "chart.recorded", data={"dispatch": str(dispatch.id)})
        return
    work.ledger.on_request(request, "chart.record_failed", data={"dispatch": str(dispatch.id), "code": dispatch.code})
    values = outbox.values_of(dispatch)
    if values.get("how") == "patch":
        # PATCH refused: append a note instead, then a task (drchrono, decision 7).
        work.new.append(
            outbox.freeze(
                request=request,
                kind=DispatchKind.CHART,
                document={"how": "note", "entry": values["entry"], "note": values["note"]},
                target=dispatch.target,
                now=work.ledger.now,
                revision=request.version + 500,
                predecessor=dispatch,
            )
        )
        return
    work.new.append(notices.task(request=request, why="chart_record", now=work.ledger.now, dispatch=dispatch))


def _task(work: Settling, request: RefillRequest, dispatch: Dispatch, *, is_good: bool) -> None:
    if is_good:
        work.ledger.on_request(request, "chart.task_created", data={"task": dispatch.external_ref})
        if request.state == R.HANDING_OFF:
            moves.move(request=request, verb="settle", to=R.WITH_EHR, now=work.ledger.now)
            work.moved.add(request.id)
            work.ledger.on_request(request, "request.with_ehr", outcome=request.state)
        return
    if request.state == R.HANDING_OFF:
        moves.to_person(
            request=request,
            verb="settle",
            reasons=["task_failed"],
            ledger=work.ledger,
            code=dispatch.code,
            text=dispatch.text,
        )
        work.moved.add(request.id)
    elif request.state != R.IN_REVIEW:
        notices.item(work=work, request=request, reason="task_failed", code=dispatch.code, text=dispatch.text)
    notices.alarm(practice=request.practice, kind="task_failed", key=str(request.id), now=work.ledger.now)


def _pharmacy(work: Settling, request: RefillRequest, dispatch: Dispatch, *, is_good: bool) -> None:
    if request.state != R.APPROVED:
        return
    if not is_good:
        moves.to_person(
            request=request,
            verb="settle",
            reasons=["pharmacy_not_changed"],
            ledger=work.ledger,
            queue="assistant",
            code=dispatch.code,
            text=dispatch.text,
        )
        work.moved.add(request.id)
        work.new.append(notices.task(request=request, why="pharmacy_change", now=work.ledger.now))
        return
    moves.move(request=request, verb="settle", to=R.DONE, now=work.ledger.now)
    work.moved.add(request.id)
    work.ledger.on_request(request, "request.done", outcome=request.state)
    row = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
    message = moves.reply(
        request=request,
        purpose=ReplyPurpose.PHARMACY,
        now=work.ledger.now,
        pharmacy_name=row.name if row else "",
        language=notices.language_of(request),
    )
    if message is not None:
        work.new.append(message)


def _page(work: Settling, request: RefillRequest, dispatch: Dispatch, *, is_good: bool) -> None:
    if not is_good:
        notices.alarm(practice=request.practice, kind="page_failed", key=str(request.id), now=work.ledger.now)
        notices.item(work=work, request=request, reason="page_failed")
