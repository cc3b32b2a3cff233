"""The verbs of the refill workflow: one transaction each, no network (laws 1 and 2).

`admission` takes messages in and decides; `people` holds what a person may do; `settlement` joins the wire to the
request; `timed` is what the clock does. This is the only place, beside the outbox, where a `state` is written.
"""

from review.asks import Ask
from review.workflow import incidents
from review.workflow.acts import AlreadyDecided, Locked, NotPossible
from review.workflow.admission import admit
from review.workflow.aliasing import confirm_alias, end_alias, end_aliases
from review.workflow.approving import Changes, approve
from review.workflow.correcting import Corrected, Correction, correct_reading
from review.workflow.covering import give_back, reroute
from review.workflow.incidents import (
    end_incident,
    make_day,
    note_refusal,
    note_token_lost,
    report_found,
    review_day,
)
from review.workflow.mail_news import (
    ask_about_sent,
    keep_fill,
    keep_stray,
    keep_unreadable_mail,
    note_vendor_error,
    settle_cancel,
)
from review.workflow.notices import end_alarm, end_past, raise_alarm
from review.workflow.people import (
    answer,
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
from review.workflow.renewing import renewal_waits, take_in_change, take_in_renewal
from review.workflow.replaying import replay
from review.workflow.repointing import Became
from review.workflow.settlement import Result, claim_due, claim_repeats, settle, unresolved_ids
from review.workflow.signatures import prepare, sign, watch, withdraw
from review.workflow.timed import (
    find_unresolved,
    lose_leases,
    merge_patient,
    note_missed,
    release,
    renew_snapshot,
    return_to_person,
    see_prescription,
)

__all__ = [
    "AlreadyDecided",
    "Ask",
    "Became",
    "Changes",
    "Corrected",
    "Correction",
    "Locked",
    "NotPossible",
    "Result",
    "admit",
    "answer",
    "approve",
    "ask_about_sent",
    "ask_cancel",
    "ask_visit",
    "cancel",
    "claim_due",
    "claim_repeats",
    "comment",
    "confirm_alias",
    "confirm_arrived",
    "confirm_not_arrived",
    "correct_reading",
    "deny",
    "end_alarm",
    "end_alias",
    "end_aliases",
    "end_incident",
    "end_past",
    "find_unresolved",
    "give_back",
    "hand_off",
    "incidents",
    "keep_fill",
    "keep_stray",
    "keep_unreadable_mail",
    "lose_leases",
    "make_day",
    "merge_patient",
    "note_missed",
    "note_refusal",
    "note_token_lost",
    "note_vendor_error",
    "prepare",
    "raise_alarm",
    "reassign",
    "release",
    "renew_snapshot",
    "renewal_waits",
    "replay",
    "report_found",
    "reroute",
    "return_to_person",
    "review_day",
    "see_prescription",
    "settle",
    "settle_cancel",
    "sign",
    "take_back",
    "take_in_change",
    "take_in_renewal",
    "take_up",
    "tell",
    "unresolved_ids",
    "watch",
    "withdraw",
]
