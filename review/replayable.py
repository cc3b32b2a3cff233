"""Which dead messages a person may send anew, and why not the others. Asks the rows it is given; changes nothing.

Never a prescription, a cancellation or an answer to a pharmacy: those are the card's. Never what may have arrived, and
never words that are no longer true.
"""

from collections.abc import Mapping, Sequence

from review import outbox
from review.models import Dispatch, DispatchKind, RefillRequest, ReplyPurpose
from review.states import OPEN_REQUEST_STATES, DispatchState, RequestState

R = RequestState
REPLAYED_KINDS = (DispatchKind.REPLY, DispatchKind.TASK, DispatchKind.CHART, DispatchKind.PHARMACY, DispatchKind.PAGE)
# While the request stands here, what the patient would read is still true. A purpose not named is never replayed.
TRUE_WHILE: Mapping[str, frozenset[RequestState]] = {
    ReplyPurpose.EMERGENCY: frozenset(R),
    ReplyPurpose.SENT: frozenset({R.SENT, R.DONE}),
    ReplyPurpose.RECEIVED: frozenset({R.DONE}),
    ReplyPurpose.HELD: frozenset({R.HELD}),
    ReplyPurpose.PHARMACY: frozenset({R.DONE}),
    ReplyPurpose.PRESCRIBED: frozenset({R.DONE}),
    ReplyPurpose.WITH_DOCTOR: frozenset({R.HANDING_OFF, R.WITH_EHR}),
    ReplyPurpose.CORRECTION: frozenset({R.IN_REVIEW}),
    ReplyPurpose.ANSWER: frozenset({R.ANSWERED}),
    ReplyPurpose.VISIT: frozenset({R.VISIT_ASKED}),
    ReplyPurpose.DENIED: frozenset({R.DENIED}),
    ReplyPurpose.TOLD: frozenset({R.TOLD}),
}
ASKS_TO_PRESCRIBE = ("controlled", "hand_off")
AT_THE_PHARMACY = frozenset({R.SENT, R.DONE, R.CANCEL_ASKED})


def objection(*, request: RefillRequest, dispatch: Dispatch, dispatches: Sequence[Dispatch]) -> tuple[str, str]:
    """Why this message may not go anew, as code and sentence; two empty texts when it may. Asks rows given, no others.

    `dispatches`: all of the request.
    """
    if dispatch.kind not in REPLAYED_KINDS:
        return "card_only", "Prescriptions, cancellations and answers to a pharmacy are sent again on the card only."
    if dispatch.state != DispatchState.REJECTED:
        return "not_dead", "Only a message that was surely refused may go anew."
    if dispatch.accepted_at is not None or dispatch.was_repeated:
        return "may_have_arrived", "An earlier attempt may have arrived. Look in the other system first."
    if any(one.predecessor_id == dispatch.id for one in dispatches):
        return "has_successor", "It went anew already: see the later message."
    same = [one for one in dispatches if (one.kind, one.purpose) == (dispatch.kind, dispatch.purpose)]
    if any(one.queued_at > dispatch.queued_at for one in same):
        return "later_one", "A later message of the same kind took its place."
    if _ancestors(dispatch=dispatch, dispatches=dispatches) >= outbox.MOST_SUCCESSORS:
        return "too_often", "It was refused too often. Deal with it by telephone or in the other system."
    return _no_longer_true(request=request, dispatch=dispatch)


def _no_longer_true(*, request: RefillRequest, dispatch: Dispatch) -> tuple[str, str]:
    """What the message says must still hold for the request as it stands now."""
    old = "no_longer_true", "The request has moved on and this message would no longer be true. Act on the card."
    state = RequestState(request.state)
    if dispatch.kind == DispatchKind.REPLY:
        return ("", "") if state in TRUE_WHILE.get(dispatch.purpose, ()) else old
    if dispatch.kind == DispatchKind.TASK and dispatch.purpose in ASKS_TO_PRESCRIBE:
        # Two tasks to prescribe are two prescriptions: handing off is the card's.
        return "card_only", "A task to prescribe is made again on the card only: hand it off there."
    if dispatch.kind == DispatchKind.CHART:
        return ("", "") if state in AT_THE_PHARMACY else old
    if dispatch.kind == DispatchKind.PHARMACY:
        return ("", "") if state == R.IN_REVIEW and dispatch.target == request.pharmacy_ncpdp else old
    if dispatch.kind == DispatchKind.PAGE:
        return ("", "") if state in OPEN_REQUEST_STATES else old
    return "", ""


def _ancestors(*, dispatch: Dispatch, dispatches: Sequence[Dispatch]) -> int:
    by_id = {one.id: one for one in dispatches}
    count, before = 0, dispatch.predecessor_id
    while before is not None and before in by_id and count <= len(by_id):
        count, before = count + 1, by_id[before].predecessor_id
    return count
