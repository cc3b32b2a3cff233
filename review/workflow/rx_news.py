"""News of a prescription on the wire, and what follows for its request, the patient and the chart.

Called by settlement inside its transaction. A rejected prescription always reaches a person with the exact code;
a patient who was told otherwise is corrected, and the apology counted.
"""

from datetime import timedelta

from integrations.outcome import Outcome, OutcomeKind
from review import orders, outbox, pharmacies, states
from review.models import Dispatch, DispatchKind, Lane, RefillRequest, ReplyPurpose
from review.states import DispatchState, RequestState
from review.workflow import moves, notices
from review.workflow.settling import Settling

R = RequestState
TOLD_PURPOSES = (ReplyPurpose.SENT, ReplyPurpose.RECEIVED)
# A reply in one of these states may have been read by the patient.
PERHAPS_READ = (
    DispatchState.SENDING,
    DispatchState.ACCEPTED,
    DispatchState.DELIVERED,
    DispatchState.UNKNOWN,
    DispatchState.UNRESOLVED,
)


def follow(*, work: Settling, dispatch: Dispatch, before: str, outcome: Outcome) -> None:
    """What a new state of a NewRx or CancelRx means for its request."""
    request = work.requests[dispatch.request_id]
    if dispatch.kind == DispatchKind.CANCELRX:
        _cancel_news(work=work, request=request, dispatch=dispatch)
    elif dispatch.state == DispatchState.ACCEPTED:
        _accepted(work=work, request=request, dispatch=dispatch)
    elif dispatch.state == DispatchState.DELIVERED:
        _delivered(work=work, request=request, dispatch=dispatch)
    elif dispatch.state == DispatchState.REJECTED:
        _rejected(work=work, request=request, dispatch=dispatch, outcome=outcome)
    if outcome.fax_fallback:
        notices.alarm(practice=request.practice, kind="fax_fallback", key=str(request.id), now=work.ledger.now)


def _pharmacy_name(work: Settling, request: RefillRequest) -> str:
    if work.pharmacies is None:  # of the whole settlement, in one query
        work.pharmacies = moves.pharmacy_names(work.requests.values())
    row = work.pharmacies.get((request.practice.stage, request.pharmacy_ncpdp))
    return row.name if row else ""


def _say(work: Settling, request: RefillRequest, purpose: ReplyPurpose) -> None:
    """Queue a message to the patient, once for each purpose and revision."""
    message = moves.reply(
        request=request,
        purpose=purpose,
        now=work.ledger.now,
        pharmacy_name=_pharmacy_name(work, request),
        language=notices.language_of(request),
    )
    if message is not None:
        work.new.append(message)


def _accepted(*, work: Settling, request: RefillRequest, dispatch: Dispatch) -> None:
    if not _arrives(work=work, request=request, dispatch=dispatch, expected=(R.APPROVED, R.IN_REVIEW)):
        return
    moves.move(request=request, verb="settle", to=R.SENT, now=work.ledger.now)
    work.moved.add(request.id)
    work.ledger.on_request(request, "request.sent", outcome=request.state, data={"dispatch": str(dispatch.id)})
    _say(work, request, ReplyPurpose.SENT)
    record_on_chart(work=work, request=request)


def _delivered(*, work: Settling, request: RefillRequest, dispatch: Dispatch) -> None:
    if not _arrives(work=work, request=request, dispatch=dispatch, expected=(R.APPROVED, R.SENT, R.IN_REVIEW)):
        return
    if not work.of(request, DispatchKind.CHART):
        record_on_chart(work=work, request=request)
    # "Sent" that has not left yet would only repeat what "received" says better.
    outbox.take_back(
        dispatches=[d for d in work.of(request, DispatchKind.REPLY) if d.purpose == ReplyPurpose.SENT],
        ledger=work.ledger,
    )
    moves.move(request=request, verb="settle", to=R.DONE, now=work.ledger.now)
    work.moved.add(request.id)
    work.ledger.on_request(request, "request.done", outcome=request.state, data={"dispatch": str(dispatch.id)})
    _say(work, request, ReplyPurpose.RECEIVED)


def _arrives(*, work: Settling, request: RefillRequest, dispatch: Dispatch, expected: tuple[RequestState, ...]) -> bool:
    """Whether news of an arrival is the request's own. A second copy that has not left is kept here; one that has, and
    an arrival after the request ended otherwise, is a person's (nothing is sent twice or silently)."""
    if request.state in (R.SENT, R.DONE, R.CANCEL_ASKED) and request.state not in expected:
        return False
    others = [d for d in work.of(request, DispatchKind.NEWRX) if d.id != dispatch.id]
    outbox.take_back(dispatches=others, ledger=work.ledger)
    out = [d for d in others if d.state in states.MAYBE_DELIVERED_STATES and not d.is_void]
    if out:
        notices.item(work=work, request=request, reason="may_be_twice", code=dispatch.code)
    elif dispatch.is_void:
        # Somebody was told that it had not arrived; it has, and counts as supply again.
        dispatch.is_void = False
    if request.state not in expected:
        notices.item(work=work, request=request, reason="late_arrival", code=dispatch.code)
        return False
    return True


def contradicted(*, work: Settling, dispatch: Dispatch, outcome: Outcome) -> None:
    """The network says that a message arrived which counted as dead: no successor leaves, and a person looks."""
    request = work.requests[dispatch.request_id]
    others = [d for d in work.of(request, DispatchKind.NEWRX) if d.id != dispatch.id]
    taken = outbox.take_back(dispatches=others, ledger=work.ledger)
    work.ledger.on_dispatch(dispatch, "dispatch.redue", contradicted_by=outcome.code)
    if taken and request.state == R.APPROVED:
        moves.to_person(
            request=request,
            verb="settle",
            reasons=["late_arrival"],
            ledger=work.ledger,
            lock=True,
            urgent=True,
            code=outcome.code,
        )
        work.moved.add(request.id)
    else:
        notices.item(work=work, request=request, reason="late_arrival", code=outcome.code)


def record_on_chart(*, work: Settling, request: RefillRequest) -> None:
    """Queue the chart record of a prescription the network has taken."""
    work.new.append(orders.chart_dispatch(request=request, now=work.ledger.now))


def _rejected(*, work: Settling, request: RefillRequest, dispatch: Dispatch, outcome: Outcome) -> None:
    if dispatch.is_void:
        return  # A person had already recorded that it did not arrive; what was sent since stands by itself.
    # What was never sent has had its own tries (outbox.MOST_NOT_SENT); then it is a person's.
    may_follow = outcome.transient and outcome.kind == OutcomeKind.REJECTED and request.state == R.APPROVED
    if may_follow and _successor(work=work, request=request, dispatch=dispatch):
        return
    if request.state not in (R.APPROVED, R.SENT, R.DONE, R.IN_REVIEW):
        notices.item(work=work, request=request, reason="late_rejection", code=dispatch.code, text=dispatch.text)
        return
    if "1000" in dispatch.description_codes and "NCPDPID" in dispatch.text:
        pharmacies.doubt(stage=request.practice.stage, ncpdp_id=dispatch.target, now=work.ledger.now)
    _correct_patient(work=work, request=request)
    _correct_chart(work=work, request=request)
    moves.to_person(
        request=request,
        verb="settle",
        reasons=["transmission_failed"],
        ledger=work.ledger,
        code=dispatch.code_line[:64],
        text=dispatch.text,
        urgent=True,
    )
    work.moved.add(request.id)
    work.new.append(notices.task(request=request, why="transmission_failed", dispatch=dispatch, now=work.ledger.now))
    if request.schedule != "not_controlled":
        notices.page(work=work, request=request, why="transmission_failed")


def _successor(*, work: Settling, request: RefillRequest, dispatch: Dispatch) -> bool:
    """A surely undelivered refusal (600, 210, 4000): a linked successor with a new MessageID, three at most."""
    if dispatch.lane == Lane.EPCS:
        return False  # another MessageID would be other bytes than were signed: the prescriber signs anew (1311.170)
    generation = sum(1 for d in work.of(request, DispatchKind.NEWRX) if d.state == DispatchState.REJECTED)
    if generation > outbox.MOST_SUCCESSORS:
        return False
    wait = timedelta(minutes=15) if "4000" in dispatch.description_codes else timedelta(seconds=30 * 2**generation)
    if "4000" in dispatch.description_codes and generation > 1:
        return False
    work.new.append(orders.successor(dispatch=dispatch, due_at=work.ledger.now + wait, now=work.ledger.now))
    return True


def _correct_patient(*, work: Settling, request: RefillRequest) -> None:
    """What the patient may have read is corrected; what has not left is taken back."""
    replies = [d for d in work.of(request, DispatchKind.REPLY) if d.purpose in TOLD_PURPOSES]
    outbox.take_back(dispatches=replies, ledger=work.ledger)
    if any(d.state in PERHAPS_READ for d in replies):
        _say(work, request, ReplyPurpose.CORRECTION)
        work.ledger.on_request(request, "apology.queued")


def _correct_chart(*, work: Settling, request: RefillRequest) -> None:
    """The chart was told of a prescription that died: say so there too."""
    records = work.of(request, DispatchKind.CHART)
    outbox.take_back(dispatches=records, ledger=work.ledger)
    if any(d.state not in (DispatchState.TAKEN_BACK, DispatchState.SHADOWED, DispatchState.REJECTED) for d in records):
        work.new.append(
            outbox.freeze(
                request=request,
                kind=DispatchKind.CHART,
                document=orders.chart_correction(request=request, now=work.ledger.now),
                target=request.entry_external_id,
                now=work.ledger.now,
                revision=request.version + 1000,
            )
        )


def _cancel_news(*, work: Settling, request: RefillRequest, dispatch: Dispatch) -> None:
    """A CancelRx refused at the network itself; the pharmacy's own answer comes as a CancelRxResponse."""
    if request.state == R.CANCEL_ASKED and dispatch.state in (DispatchState.REJECTED, DispatchState.UNRESOLVED):
        moves.to_person(
            request=request,
            verb="settle",
            reasons=["cancel_failed"],
            ledger=work.ledger,
            code=dispatch.code_line[:64],
            text=dispatch.text,
            lock=True,
        )
        work.moved.add(request.id)


def is_ours_as_supply(state: str) -> bool:
    """Whether a NewRx in this state counts as the drug's last supply (law 6)."""
    return state in states.MAYBE_DELIVERED_STATES
