"""The two state machines as data: what people see (RefillRequest) and what the wire did (Dispatch).

Pure: enums and tables only. Verbs in `review/workflow` and `review/outbox.py` check every move here; tests walk the
tables and the compliance page draws them. Nothing else may write a `state`.
"""

from collections.abc import Mapping
from enum import StrEnum


class RequestState(StrEnum):
    """Where a request stands, as people see it (architecture section 5)."""

    RECEIVED = "received"
    HELD = "held"
    IN_REVIEW = "in_review"
    AWAITING_SIGNATURE = "awaiting_signature"
    APPROVED = "approved"
    SENT = "sent"
    DONE = "done"
    CANCEL_ASKED = "cancel_asked"
    HANDING_OFF = "handing_off"
    WITH_EHR = "with_ehr"
    DENIED = "denied"
    VISIT_ASKED = "visit_asked"
    TOLD = "told"
    ANSWERED = "answered"
    DUPLICATE = "duplicate"
    CANCELLED = "cancelled"


class DispatchState(StrEnum):
    """What became of one outgoing message."""

    QUEUED = "queued"
    SENDING = "sending"
    RETRY_WAIT = "retry_wait"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"
    TAKEN_BACK = "taken_back"
    SHADOWED = "shadowed"


class WrongState(Exception):
    """A verb was asked of a row whose state does not allow it; names the row's state and the verb."""

    def __init__(self, *, state: str, verb: str) -> None:
        super().__init__(f"{verb} is not possible while the state is {state}")
        self.state = state
        self.verb = verb


R = RequestState
D = DispatchState

REQUEST_MOVES: Mapping[tuple[RequestState, str], frozenset[RequestState]] = {
    # `cancelled`: the patient took the ask back within the quiet window (K26).
    (R.RECEIVED, "decide"): frozenset(
        {R.APPROVED, R.IN_REVIEW, R.HELD, R.VISIT_ASKED, R.TOLD, R.HANDING_OFF, R.DUPLICATE, R.CANCELLED}
    ),
    (R.HELD, "release"): frozenset(
        {R.APPROVED, R.IN_REVIEW, R.HELD, R.VISIT_ASKED, R.TOLD, R.HANDING_OFF, R.DUPLICATE}
    ),
    (R.HELD, "take_up"): frozenset({R.IN_REVIEW}),
    (R.HELD, "cancel"): frozenset({R.CANCELLED}),
    (R.IN_REVIEW, "approve"): frozenset({R.APPROVED, R.AWAITING_SIGNATURE, R.HANDING_OFF}),
    # A controlled one is filled in for its prescriber; also anew, for a stand-in or after a change.
    (R.IN_REVIEW, "prepare"): frozenset({R.AWAITING_SIGNATURE}),
    (R.AWAITING_SIGNATURE, "prepare"): frozenset({R.AWAITING_SIGNATURE}),
    (R.AWAITING_SIGNATURE, "withdraw"): frozenset({R.IN_REVIEW}),
    (R.IN_REVIEW, "deny"): frozenset({R.DENIED}),
    (R.IN_REVIEW, "ask_visit"): frozenset({R.VISIT_ASKED}),
    (R.IN_REVIEW, "tell"): frozenset({R.TOLD}),
    (R.IN_REVIEW, "hand_off"): frozenset({R.HANDING_OFF}),
    (R.IN_REVIEW, "reassign"): frozenset({R.IN_REVIEW}),
    # What the patient meant was read wrongly: it stays with a person, whatever the rules say of the right drug.
    (R.IN_REVIEW, "correct"): frozenset({R.IN_REVIEW}),
    (R.IN_REVIEW, "answer"): frozenset({R.ANSWERED}),
    (R.IN_REVIEW, "cancel"): frozenset({R.CANCELLED}),
    (R.IN_REVIEW, "confirm_arrived"): frozenset({R.DONE}),
    (R.IN_REVIEW, "confirm_not_arrived"): frozenset({R.IN_REVIEW}),
    # A late answer of the network may still settle a locked request.
    (R.IN_REVIEW, "settle"): frozenset({R.DONE, R.SENT, R.IN_REVIEW}),
    (R.AWAITING_SIGNATURE, "sign"): frozenset({R.APPROVED}),
    (R.AWAITING_SIGNATURE, "lapse"): frozenset({R.IN_REVIEW}),
    (R.AWAITING_SIGNATURE, "cancel"): frozenset({R.CANCELLED}),
    (R.APPROVED, "take_back"): frozenset({R.IN_REVIEW}),
    (R.APPROVED, "return"): frozenset({R.IN_REVIEW}),
    (R.APPROVED, "settle"): frozenset({R.SENT, R.DONE, R.IN_REVIEW}),
    (R.SENT, "settle"): frozenset({R.DONE, R.IN_REVIEW}),
    (R.SENT, "ask_cancel"): frozenset({R.CANCEL_ASKED}),
    (R.DONE, "settle"): frozenset({R.IN_REVIEW}),
    (R.DONE, "ask_cancel"): frozenset({R.CANCEL_ASKED}),
    (R.CANCEL_ASKED, "settle"): frozenset({R.CANCELLED, R.SENT, R.DONE, R.IN_REVIEW}),
    (R.HANDING_OFF, "settle"): frozenset({R.WITH_EHR, R.IN_REVIEW}),
    (R.HANDING_OFF, "return"): frozenset({R.IN_REVIEW}),
    (R.WITH_EHR, "see_prescription"): frozenset({R.DONE}),
    (R.WITH_EHR, "return"): frozenset({R.IN_REVIEW}),
    (R.DENIED, "take_back"): frozenset({R.IN_REVIEW}),
    (R.VISIT_ASKED, "take_back"): frozenset({R.IN_REVIEW}),
    (R.TOLD, "take_back"): frozenset({R.IN_REVIEW}),
    (R.DENIED, "return"): frozenset({R.IN_REVIEW}),
    (R.VISIT_ASKED, "return"): frozenset({R.IN_REVIEW}),
    (R.TOLD, "return"): frozenset({R.IN_REVIEW}),
    (R.HELD, "return"): frozenset({R.IN_REVIEW}),
    (R.AWAITING_SIGNATURE, "return"): frozenset({R.IN_REVIEW}),
}

DISPATCH_MOVES: Mapping[tuple[DispatchState, str], frozenset[DispatchState]] = {
    (D.QUEUED, "claim"): frozenset({D.SENDING}),
    (D.QUEUED, "take_back"): frozenset({D.TAKEN_BACK}),
    (D.SENDING, "settle"): frozenset({D.ACCEPTED, D.DELIVERED, D.REJECTED, D.RETRY_WAIT, D.UNKNOWN, D.UNRESOLVED}),
    (D.SENDING, "lease_lost"): frozenset({D.UNKNOWN}),
    (D.RETRY_WAIT, "requeue"): frozenset({D.QUEUED}),
    (D.RETRY_WAIT, "take_back"): frozenset({D.TAKEN_BACK}),
    (D.UNKNOWN, "settle"): frozenset({D.ACCEPTED, D.DELIVERED, D.REJECTED, D.UNRESOLVED}),
    # Only where the route declares that it removes duplicates: the same bytes once more.
    (D.UNKNOWN, "repeat"): frozenset({D.SENDING}),
    (D.ACCEPTED, "settle"): frozenset({D.DELIVERED, D.REJECTED, D.UNRESOLVED}),
    (D.DELIVERED, "settle"): frozenset({D.REJECTED}),
    (D.UNRESOLVED, "settle"): frozenset({D.ACCEPTED, D.DELIVERED, D.REJECTED}),
}

FINAL_REQUEST_STATES = frozenset({R.ANSWERED, R.DUPLICATE, R.CANCELLED})
# Closed for the count of open work, yet news may still bring them back.
ENDED_REQUEST_STATES = FINAL_REQUEST_STATES | {R.DONE, R.DENIED, R.VISIT_ASKED, R.TOLD}
OPEN_REQUEST_STATES = frozenset(R) - ENDED_REQUEST_STATES
# On the way to a pharmacy by itself, or about to be; at most one per patient and ingredient set.
SENDING_REQUEST_STATES = frozenset({R.RECEIVED, R.HELD, R.APPROVED, R.AWAITING_SIGNATURE, R.HANDING_OFF, R.WITH_EHR})
# A patient hears of these; until the message is delivered they can come back.
MESSAGE_BOUND_STATES = frozenset({R.DENIED, R.VISIT_ASKED, R.TOLD})
FINAL_DISPATCH_STATES = frozenset({D.TAKEN_BACK, D.SHADOWED})
# Not surely undelivered: counts as supply (law 6).
MAYBE_DELIVERED_STATES = frozenset(
    {D.QUEUED, D.SENDING, D.RETRY_WAIT, D.ACCEPTED, D.DELIVERED, D.UNKNOWN, D.UNRESOLVED}
)


def next_request_state(*, state: str, verb: str, to: RequestState) -> RequestState:
    """The new state, when the table allows it; WrongState otherwise."""
    if to not in REQUEST_MOVES.get((RequestState(state), verb), frozenset()):
        raise WrongState(state=state, verb=f"{verb} to {to}")
    return to


def next_dispatch_state(*, state: str, verb: str, to: DispatchState) -> DispatchState:
    """The new state of a dispatch, when the table allows it; WrongState otherwise."""
    if to not in DISPATCH_MOVES.get((DispatchState(state), verb), frozenset()):
        raise WrongState(state=state, verb=f"{verb} to {to}")
    return to


def allows(*, state: str, verb: str) -> bool:
    """Whether any move by this verb leaves this request state."""
    return (RequestState(state), verb) in REQUEST_MOVES
