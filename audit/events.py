"""The catalogue of event names, each with its sentence for people, and the values an entry is made of.

Names are for ever: a name once written stands in chained entries and may never change its meaning.
Nothing here reads or writes; `log.py` refuses a name that is not in the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

JsonValue: TypeAlias = "str | int | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


class ActorKind(StrEnum):
    """Who acted."""

    person = "person"
    system = "system"
    vendor = "vendor"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acted. `id` is a user's uuid, the name of a job, or the name of a vendor."""

    kind: ActorKind
    id: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry before it has a number. Ids and codes only: never a name, a drug's directions or message text.

    `data` is JSON without floats; `patient_ref` is the keyed hash of `practices.references`.
    """

    practice_id: UUID
    event: str
    actor: Actor
    request_id: UUID | None = None
    patient_ref: str = ""
    trigger: str = ""
    decision_path: tuple[str, ...] = ()
    outcome: str = ""
    clinician: str = ""
    data: Mapping[str, JsonValue] = field(default_factory=dict)


CATALOGUE: dict[str, str] = {
    # Ways in
    "webhook.accepted": "A signed message was taken in.",
    "webhook.duplicate": "A message that was already here came again and was not taken twice.",
    "webhook.conflict": "A message came again under the same id with other content; both are kept for a person.",
    "webhook.rejected": "A message was refused at the door.",
    "webhook.quarantined": "A message could not be read and was set aside for a person.",
    "webhook.ignored": "A signed event of a kind that asks nothing of us was noted.",
    "poll.found_missed": "A poll found a message whose webhook never came.",
    "message.read": "A patient's message was read and understood or passed to a person.",
    "message.unmatched_sender": "The sender of a message could not be matched to exactly one patient.",
    # Requests
    "request.opened": "A request was opened.",
    "request.decided": "The rules decided on a request.",
    "request.approved": "A request was approved.",
    "request.held": "A request was held until the practice opens.",
    "request.released": "A held request was released and decided afresh.",
    "request.taken_up": "A person took up a held request.",
    "request.visit_asked": "The patient was asked to come for a visit first.",
    "request.told": "The patient was told something that needs no prescription.",
    "request.denied": "A request was denied.",
    "request.renewal_waits": "A pharmacy had waited a day for an answer.",
    "request.pharmacy_answered": "A pharmacy's renewal request was answered.",
    "request.answered": "A person answered a message.",
    "request.duplicate": "A request was linked to an earlier one as its duplicate.",
    "request.cancelled": "A request was cancelled.",
    "request.handed_off": "A request is being handed to the prescriber in the chart.",
    "request.with_ehr": "A request waits for the prescriber in the chart.",
    "request.done": "A request is done.",
    "request.sent": "The network accepted the prescription.",
    "request.returned": "A request came back to a person.",
    "request.reassigned": "A request was given to another person.",
    "request.locked": "A request was locked, because its prescription may already be at the pharmacy.",
    "request.arrival_confirmed": "A person confirmed that the prescription arrived.",
    "request.arrival_denied": "A person confirmed that the prescription did not arrive.",
    "request.taken_back": "An approval was taken back before anything left.",
    "request.cancel_asked": "The pharmacy was asked to cancel a prescription.",
    "request.moved_patient": "A request was moved to the record its patient was merged into.",
    "request.reread": "A request was read again after news from the patient.",
    "request.revealed": "A person revealed details of a request.",
    # Learning what patients mean
    "reading.corrected": "A person corrected what was read from a patient's message.",
    "reading.exported": "Corrections of readings were exported as test cases.",
    "alias.proposed": "A patient's own name for a drug of their list was proposed.",
    "alias.confirmed": "A prescriber confirmed a patient's own name for a drug of their list.",
    "alias.ended": "A patient's own name for a drug of their list counts no longer.",
    # The wire
    "dispatch.queued": "A message to a vendor was queued.",
    "dispatch.sending": "A message to a vendor is being sent.",
    "dispatch.accepted": "A vendor accepted a message.",
    "dispatch.delivered": "A message reached its receiver.",
    "dispatch.rejected": "A message was rejected.",
    "dispatch.retry": "A message was surely not sent and will be tried again.",
    "dispatch.unknown": "It is not known whether a message arrived.",
    "dispatch.unresolved": "It could not be found out whether a message arrived; a person must.",
    "dispatch.shadowed": "A message was written in shadow mode and never leaves.",
    "dispatch.taken_back": "A queued message was taken back.",
    "dispatch.handed_over": "A message was handed over to another system to send.",
    "dispatch.redue": "A message was given a new moment to leave.",
    "dispatch.replayed": "A person had a message that was surely refused sent anew.",
    "chart.recorded": "The prescription was recorded in the chart.",
    "chart.record_failed": "The prescription could not be recorded in the chart.",
    "chart.task_created": "A task was created in the chart system.",
    "apology.queued": "A correction to the patient was queued.",
    "page.on_call": "The person on call was paged.",
    "alarm.raised": "An alarm was raised.",
    "alarm.ended": "An alarm ended: its trouble was over, or a person had seen it.",
    # Secrets and connections
    "secret.read": "A secret was unsealed by a process.",
    "secret.displayed": "A secret was shown to a person.",
    "secret.added": "A secret was added.",
    "secret.activated": "A secret was put into use.",
    "secret.retired": "A secret is being retired.",
    "secret.revoked": "A secret was revoked.",
    "token.refreshed": "An access token was refreshed.",
    "token.refresh_failed": "An access token could not be refreshed.",
    "connection.authorized": "A connection to a vendor was authorized.",
    "connection.revoked": "A connection to a vendor was revoked.",
    "connection.changed": "A connection to a vendor was changed.",
    "receiver.changed": "The practice's own receiver of webhooks was changed.",
    "connection.tested": "A connection to a vendor was tested.",
    "mirror.swept": "The copy of the medication lists was swept.",
    "mirror.drift": "The copy of the medication lists differed from the chart.",
    "patient.merged": "Two patient records were merged.",
    # People
    "sign_in.succeeded": "A person gave the right password.",
    "sign_in.failed": "A sign-in failed.",
    "sign_in.locked_out": "A sign-in was locked out after too many failures.",
    "sign_in.second_factor": "A person passed the second factor.",
    "sign_in.unlocked": "A person unlocked their session.",
    "sign_out": "A person signed out.",
    "device.enrolled": "A person enrolled a second factor.",
    "device.removed": "A second factor was removed.",
    "recovery_codes.renewed": "A person made new recovery codes; the old ones are void.",
    "recovery_code.used": "A recovery code was used up.",
    "factor.refused": "Password and code given for an act were refused.",
    # Controlled prescriptions (21 CFR 1311)
    "grant.requested": "The right to sign controlled prescriptions was asked for.",
    "grant.approved": "A second person approved the right to sign controlled prescriptions.",
    "grant.ended": "The right to sign controlled prescriptions ended.",
    "epcs.prepared": "A controlled prescription was prepared for its prescriber to sign.",
    "epcs.signed": "A controlled prescription was signed.",
    "epcs.refused": "Signing a controlled prescription was refused.",
    "epcs.lapsed": "A controlled prescription was not signed in time and came back to a person.",
    "epcs.reminded": "A prescriber was reminded of an unsigned prescription.",
    "epcs.escalated": "A stand-in or the person on call was told of an unsigned prescription.",
    "epcs.day_made": "The day's report of controlled prescriptions was made.",
    "epcs.day_reviewed": "The day's report of controlled prescriptions was reviewed.",
    "incident.opened": "A security incident was opened.",
    "incident.reported": "A security incident was reported.",
    "incident.closed": "A security incident was closed.",
    # Switches, consent, set-up
    "sending.stopped": "All sending was stopped.",
    "sending.resumed": "Sending was resumed.",
    "auto_approval.stopped": "Automatic approval was stopped.",
    "auto_approval.resumed": "Automatic approval was resumed.",
    "consent.given": "A prescriber agreed to automatic approval in their own name.",
    "consent.revoked": "A prescriber withdrew from automatic approval in their own name.",
    "coverage.changed": "Coverage of an absence was changed.",
    "practice.changed": "The practice's set-up was changed.",
    "baa.recorded": "The business associate agreement was recorded.",
    "member.changed": "A person's membership or role was changed.",
    # Programs that act for a person
    "token.made": "A token for a program was made.",
    "token.accepted": "A person agreed that a program acts in their name.",
    "token.ended": "A program's token was ended.",
    "token.asked": "A program asked for an act in a person's name.",
    # Rules
    "rules.drafted": "A change of the rules was drafted.",
    "rules.proposed": "A change of the rules was proposed for a second person.",
    "rules.published": "A second person published a change of the rules.",
    "rules.withdrawn": "A change of the rules was withdrawn.",
    "rules.preview_asked": "A draft of the rules was to be tried on recorded decisions.",
    "rules.previewed": "A draft of the rules was tried on recorded decisions.",
    "policy.uploaded": "The practice's written policy was attached.",
    "policy.clause_named": "A clause of the practice's written policy was named.",
    "protocol.adopted": "The practice adopted a refill protocol.",
    # The trail itself
    "audit.verified": "The audit chain was verified.",
    "audit.looked_up": "A patient's entries were looked up by the chart's id.",
    "audit.exported": "Audit entries were exported.",
    "shadow.changed": "Shadow mode was switched.",
    "report.printed": "A report was printed.",
}
