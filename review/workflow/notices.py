"""Notices to people of the practice: tasks in DrChrono, pages to the on-call, items in our queues, alarms.

Built inside a verb's transaction; texts hold codes and ids, the task (inside the chart) also the drug.
"""

import uuid
from datetime import datetime, timedelta

from django.db.models import F

from refillhub.practices.models import Practice, Provider, User
from review import identity, outbox, routing, states
from review.ledger import SYSTEM, person, verb
from review.models import Alarm, Dispatch, DispatchKind, Kind, Queue, RefillRequest
from review.states import RequestState
from review.workflow.settling import Settling

ALARMS = {
    "fax_fallback": "The network turned a prescription into a fax.",
    "task_failed": "A task could not be created in DrChrono.",
    "page_failed": "The person on call could not be paged.",
    "reply_failed": "A message to a patient could not be delivered.",
    "answer_failed": "A pharmacy's renewal request could not be answered by the network.",
    "renewal_waits": "A pharmacy has waited a day for an answer to its renewal request.",
    "renewal_overdue": "A pharmacy has waited three business days for an answer to its renewal request.",
    "event_conflict": "Klara sent one message id with two different contents.",
    "event_quarantined": "A signed message could not be read.",
    "unmatched_practice": "A signed message named another practice.",
    "webhook_missed": "A message was found by our own look; its webhook never came.",
    "macro_closed": "A macro closed a conversation right after a refill message.",
    "signs_event_time": "The account seems to sign the event's time, so its retries are refused.",
    "revoked_secret": "A webhook was signed with a secret that is revoked, or was never ours.",
    "connection_lost": "A vendor refuses our credentials.",
    "lane_busy": "A vendor's rate limit is used above 70 % for more than five minutes.",
    "unread": "Messages wait to be read longer than they should.",
    "accounting": "Messages and requests do not add up.",
    "spi_not_listed": "A prescriber's SPI is not active in the network's directory; nothing is sent with it.",
    "directory_shrunk": "The network's directory came with less than half of its pharmacies; the one before stands.",
    "receiver_failed": "The practice's own receiver of webhooks does not take events.",
    "incident": "A security incident was opened; it must be reported within one business day.",
    "incident_late": "A security incident has not been reported in time.",
    "epcs_day_late": "A day's report of controlled prescriptions has not been signed off.",
    "signed_waits": "A signed prescription has not left within two minutes.",
    "coverage_gap": "Nobody stands in for an absent prescriber.",
}


def language_of(request: RefillRequest) -> str:
    """The patient's language by the snapshot, "" when unknown."""
    snapshot = identity.unseal(sealed=request.snapshot_sealed, practice=request.practice)
    return snapshot.language if snapshot else ""


def task(*, request: RefillRequest, why: str, now: datetime, dispatch: Dispatch | None = None) -> Dispatch:
    """A task in DrChrono for the request's prescriber, with the exact code when something failed (F085, F090)."""
    lines = {
        "controlled": "Schedule {schedule}. Asked by patient message. Not routed automatically: please prescribe here.",
        "transmission_failed": "The prescription was not accepted. Code {codes}. {text}",
        "unresolved": "It is not known whether the pharmacy has this prescription. Please confirm by telephone with "
        "pharmacy {pharmacy}, then record it in Refill Hub.",
        "chart_record": "Please record on the medication list: {note}",
        "pharmacy_change": "The preferred pharmacy could not be changed by software. Please set NCPDP {pharmacy}.",
        "hand_off": "Please prescribe in DrChrono.",
    }
    codes = dispatch.code_line if dispatch else ""
    note = lines[why].format(
        schedule=request.schedule.upper(),
        codes=codes,
        text=dispatch.text if dispatch else "",
        pharmacy=request.pharmacy_ncpdp or "(none)",
        note=outbox.values_of(dispatch).get("note", "") if dispatch and why == "chart_record" else "",
    )
    detail = (
        f"{request.drug_name}; quantity {request.quantity or 'unknown'} {request.quantity_unit}; "
        f"days {request.days_supply or 'unknown'}; sig: {request.sig or 'see list'}. Request {request.short_id}."
    )
    who = request.assignee or request.prescriber
    # Two messages of one request may fail at one version: each has a task of its own.
    about = dispatch.id.hex if dispatch else str(request.version)
    marker = f"RH-{uuid.uuid5(request.id, f'{why}{about}').hex[:8]}"
    made = outbox.freeze(
        request=request,
        kind=DispatchKind.TASK,
        purpose=why[:16],
        document={
            "title": f"Refill: {request.drug_name or 'message'} [{marker}]"
            if why in ("controlled", "hand_off")
            else f"Refill needs a person: {request.drug_name or 'request'} [{marker}]",
            "marker": marker,
            "note": f"{note} {detail}",
            "patient": request.patient_external_id,
            "assignee_user": who.drchrono_user_id if who else "",
            "is_urgent": why in ("transmission_failed", "unresolved") or request.is_urgent,
        },
        target=who.drchrono_user_id if who else "",
        now=now,
    )
    if dispatch is not None:
        made.idempotency_key = uuid.uuid5(dispatch.id, f"task {why} {request.version}").hex
    return made


def page(*, work: Settling, request: RefillRequest, why: str) -> None:
    """Page the on-call, once for each reason and revision (F091); nobody on the roster is an alarm."""
    made = page_dispatch(request=request, why=why, now=work.ledger.now)
    if made is None:
        alarm(practice=request.practice, kind="coverage_gap", key="on_call", now=work.ledger.now)
        return
    work.new.append(made)
    work.ledger.on_request(request, "page.on_call", data={"why": why, "provider": made.target})


def page_dispatch(*, request: RefillRequest, why: str, now: datetime) -> Dispatch | None:
    """The page itself, frozen; None when the roster is empty."""
    provider = routing.on_call(practice=request.practice, now=now)
    return None if provider is None else page_to(request=request, provider=provider, why=why, now=now)


def page_to(*, request: RefillRequest, provider: Provider, why: str, now: datetime) -> Dispatch:
    """A page to one prescriber, frozen."""
    return outbox.freeze(
        request=request,
        kind=DispatchKind.PAGE,
        purpose=why[:16],
        document={"provider": str(provider.id), "why": why, "request": str(request.id)},
        target=str(provider.id),
        now=now,
    )


def item(*, work: Settling, request: RefillRequest, reason: str, code: str = "", text: str = "") -> RefillRequest:
    """A new item for a person about a request that cannot itself come back to the queue (law 5)."""
    row = RefillRequest(
        id=uuid.uuid4(),
        practice=request.practice,
        location=request.location,
        kind=Kind.MESSAGE,
        source=request.source,
        state=RequestState.IN_REVIEW,
        queue=Queue.ASSISTANT,
        patient_external_id=request.patient_external_id,
        patient_ref=request.patient_ref,
        sender_id=request.sender_id,
        conversation_id=request.conversation_id,
        snapshot_sealed=request.snapshot_sealed,
        snapshot_at=request.snapshot_at,
        drug_name=request.drug_name,
        prescriber=request.prescriber,
        assignee=request.assignee,
        about=request,
        reasons=[reason],
        is_shadow=request.is_shadow,
        is_urgent=True,
        last_code=code[:64],
        last_text=text[:500],
        asked_at=request.asked_at,
        opened_at=work.ledger.now,
        changed_at=work.ledger.now,
    )
    work.items.append(row)
    work.ledger.on_request(row, "request.opened", data={"about": str(request.id), "reason": reason, "code": code})
    return row


def alarm(*, practice: Practice, kind: str, key: str, now: datetime) -> None:
    """Open the alarm of this matter, or count it once more while it lasts. Runs in the caller's transaction."""
    _, created = Alarm.objects.get_or_create(
        practice=practice,
        kind=kind,
        key=key[:128],
        closed_at=None,
        defaults={"sentence": ALARMS[kind], "runbook": kind.replace("_", "-"), "opened_at": now, "last_seen_at": now},
    )
    if not created:
        Alarm.objects.filter(practice=practice, kind=kind, key=key[:128], closed_at=None).update(
            times=F("times") + 1, last_seen_at=now
        )


# What is seen again while it lasts ends by itself once it is not; everything else waits for a person's look.
LASTING = {
    "lane_busy": timedelta(seconds=90),
    "unread": timedelta(minutes=12),
    "accounting": timedelta(minutes=12),
    "connection_lost": timedelta(minutes=5),
    "signed_waits": timedelta(minutes=3),
}


def end_past(*, now: datetime) -> int:
    """Close lasting alarms whose trouble was not seen any more (a busy lane: one minute under the line)."""
    ended = 0
    for kind, quiet in LASTING.items():
        rows = Alarm.objects.filter(kind=kind, closed_at=None, last_seen_at__lt=now - quiet)
        for alarm_id in rows.values_list("id", flat=True)[:200]:
            ended += end_alarm(alarm_id=alarm_id, now=now)
    return ended


def end_alarm(*, alarm_id: uuid.UUID, now: datetime, practice: Practice | None = None, by: User | None = None) -> bool:
    """Close one alarm; a person of its practice says that it was seen. False when it is closed already."""
    with verb(now=now, actor=person(by.id) if by is not None else SYSTEM) as ledger:
        rows = Alarm.objects.select_for_update().filter(id=alarm_id, closed_at=None)
        row = (rows if practice is None else rows.filter(practice=practice)).first()
        if row is None:
            return False
        row.closed_at = now
        row.save(update_fields=["closed_at"])
        ledger.note(event="alarm.ended", practice_id=row.practice_id, data={"kind": row.kind, "key": row.key})
        return True


def raise_alarm(*, practice: Practice, kind: str, key: str, now: datetime) -> None:
    """The same as a verb of its own, with its audit entry."""
    with verb(now=now) as ledger:
        alarm(practice=practice, kind=kind, key=key, now=now)
        ledger.note(event="alarm.raised", practice_id=practice.id, data={"kind": kind, "key": key[:128]})


def is_ended(request: RefillRequest) -> bool:
    """Whether the request has its end already."""
    return request.state in states.ENDED_REQUEST_STATES
