"""Watching what has left us: prescriptions seen in the chart, pharmacies that wait, drugs stopped after they were sent.

Called by the clock; every function may run twice without harm. No network.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from integrations.models import MirrorMedication, PrescriptionSeen
from review import answers, supplies, workflow
from review.models import NetworkMail, RefillRequest
from review.states import RequestState
from review.workflow.renewing import OVERDUE, WAITS
from rules import hours

# A controlled request waits for its prescriber in the chart so long before it comes back.
EHR_WAIT = timedelta(hours=24)
# A pharmacy waits so long for an answer before its request goes to the top; overdue after three business days
# (surescripts 7.2).
RENEWAL_WAITS = timedelta(hours=24)
RENEWAL_DAYS = 3
# A change of the list is looked at for so long after it came, and sent prescriptions for so long after they left.
STOPS_SINCE, SENT_SINCE = timedelta(days=3), timedelta(days=120)


def ehr(*, now: datetime) -> int:
    """Controlled requests with their prescriber: done when the prescription is seen, back to a person when time is
    up.
    """
    done = 0
    rows = RefillRequest.objects.select_related("practice").filter(state=RequestState.WITH_EHR)
    late = []
    for request in rows.order_by("is_shadow", "changed_at")[:2000]:
        seen = PrescriptionSeen.objects.filter(
            practice_id=request.practice_id,
            patient_external_id=request.patient_external_id,
            kind__in=["NewRx", "RefillResponse"],
            status="Sent",
            written_at__gte=request.opened_at,
        )
        match = next(
            (s for s in seen if supplies.is_same_drug(name=s.drug_name, ingredient_key=request.ingredient_key)), None
        )
        if match is not None:
            done += workflow.see_prescription(request_id=request.id, now=now, seen_id=match.external_id)
        elif now - request.changed_at > EHR_WAIT and not request.is_shadow:
            late.append(request.id)
    if late:
        workflow.return_to_person(request_ids=late, reason="prescriber_did_not_answer", now=now, urgent=True)
    return done


def renewals(*, now: datetime) -> int:
    """Renewal requests nobody has answered for a day, then for three business days. Returns how many went up."""
    rows = (
        NetworkMail.objects.filter(body_name__in=answers.ASKED, received_at__lte=now - RENEWAL_WAITS)
        .filter(request__state=RequestState.IN_REVIEW)
        .filter(Q(answered_by__isnull=True) | Q(answered_by__state__in=answers.NO_ANSWER))
        .exclude(request__reasons__contains=[OVERDUE])
        .values_list("request_id", "received_at", "practice__time_zone", "request__reasons")
    )
    moved = 0
    for request_id, received_at, zone, reasons in rows[:500]:
        if request_id is None:
            continue
        late = hours.business_days_after(moment=received_at, days=RENEWAL_DAYS, time_zone=zone or "UTC") <= now
        if late or WAITS not in reasons:
            moved += workflow.renewal_waits(request_id=request_id, now=now, is_overdue=late)
    return moved


def stops(*, now: datetime) -> int:
    """List entries that ended, or whose dose changed, after we had sent them to a pharmacy: a prescriber is asked
    whether the pharmacy is to cancel what it has (CancelRx). Returns how many items were opened.
    """
    changed = MirrorMedication.objects.filter(changed_at__gte=now - STOPS_SINCE).filter(
        Q(is_active=False) | Q(gone_at__isnull=False) | Q(dose_changed_on__gte=(now - STOPS_SINCE).date())
    )
    opened = 0
    for entry in changed.order_by("changed_at")[:500]:
        sent = RefillRequest.objects.filter(
            practice_id=entry.practice_id,
            entry_external_id=entry.external_id,
            state__in=[RequestState.SENT, RequestState.DONE],
            is_shadow=False,
            approved_at__gte=now - SENT_SINCE,
            approved_at__lt=entry.changed_at,
        )
        is_over = not entry.is_active or entry.gone_at is not None
        latest = sent.order_by("-approved_at").values_list("id", "approved_at").first()
        if latest is None:
            continue
        (request_id, approved_at), changed_on = latest, entry.dose_changed_on
        if is_over or (changed_on is not None and approved_at is not None and changed_on >= approved_at.date()):
            reason = "stopped_after_sending" if is_over else "dose_changed_after_sending"
            opened += workflow.ask_about_sent(request_id=request_id, reason=reason, now=now)
    return opened
