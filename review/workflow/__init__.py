"""The verbs of the refill workflow: one transaction each, no network (laws 1 and 2).

`admission` takes messages in and decides; `people` holds what a person may do; `settlement` joins the wire to the request;
`timed` is what the clock does. This is the only place, beside the outbox, where a `state` is written.
"""

from review.asks import Ask
from review.workflow.admission import admit
from review.workflow.people import (
    AlreadyDecided,
    Locked,
    NotPossible,
    answer,
    approve,
    ask_cancel,
    ask_visit,
    cancel,
    comment,
    confirm_arrived,
    confirm_not_arrived,
    deny,
    hand_off,
    reassign,
    take_back,
    take_up,
    tell,
)
from review.workflow.settlement import Result, claim_due, settle
from review.workflow.timed import (
    find_unresolved,
    lose_leases,
    merge_patient,
    release,
    return_to_person,
    see_prescription,
)

__all__ = [
    "AlreadyDecided",
    "Ask",
    "Locked",
    "NotPossible",
    "Result",
    "admit",
    "answer",
    "approve",
    "ask_cancel",
    "ask_visit",
    "cancel",
    "claim_due",
    "comment",
    "confirm_arrived",
    "confirm_not_arrived",
    "deny",
    "find_unresolved",
    "hand_off",
    "lose_leases",
    "merge_patient",
    "reassign",
    "release",
    "return_to_person",
    "see_prescription",
    "settle",
    "take_back",
    "take_up",
    "tell",
]
