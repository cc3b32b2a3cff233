"""What happens by the clock: releases at opening, lost leases, reconciliation, polls of the chart, sweeps,
accounting, purging.

Every function takes `now` and may run twice or on two workers at once without harm. Network allowed, never inside a
transaction.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef

from integrations import limits, mirror_results, mirror_sweeps
from integrations import upkeep as connections
from integrations.drchrono import wire as drchrono_wire
from integrations.http import VendorError
from integrations.klara import client as klara
from integrations.klara import wire as klara_wire
from integrations.models import (
    Connection,
    ConnectionStatus,
    MirrorMedication,
    PharmacyEntry,
    SweepKind,
    Vendor,
)
from integrations.outcome import Outcome, OutcomeKind
from refillhub.practices.models import Practice, Provider
from review import (
    asks_again,
    audit_runs,
    charts,
    clinical,
    context,
    epcs,
    identity,
    intake,
    outbox,
    pharmacies,
    poll_bodies,
    queries_coverage,
    telling,
    understanding,
    watching,
    workflow,
)
from review.asks import Ask
from review.ledger import SYSTEM
from review.models import (
    SCRIPT_KINDS,
    ApiReceipt,
    Dispatch,
    DispatchKind,
    EntryAlias,
    EventKind,
    FormReceipt,
    InboundEvent,
    Kind,
    NetworkMail,
    Progress,
    ReadingCorrection,
    RefillRequest,
)
from review.states import DispatchState, RequestState
from review.workflow import Result, inbox
from rules import hours, labs

log = logging.getLogger(__name__)
# Klara's poll looks back over its cursor by so much (contract section 4, macro silence).
OVERLAP = timedelta(minutes=10)
# A message that should have been read is overdue after this.
STUCK_AFTER = timedelta(minutes=10)
# A message rewritten for learning holds nothing personal, and is not needed for longer than this.
KEEP_REWRITTEN = timedelta(days=365)
# A key that was used answers with its first result for so long; the version on the row guards for ever.
KEEP_RECEIPTS = timedelta(days=30)
# DrChrono calls one look for changes, and one slice of the rolling sweep, may cost.
CHANGES_BUDGET, ROLLING_BUDGET, NIGHTLY_BUDGET, RESULTS_BUDGET = 40, 10, 120, 8


def release_held(*, now: datetime, limit: int = 100) -> int:
    """Held requests whose practice has opened: fresh chart, then the rules again."""
    rows = list(
        RefillRequest.objects.opening(now=now)
        .select_related("practice", "location", "prescriber")
        .order_by("run_out_on", "asked_at")[:limit]
    )
    released = 0
    for row in rows:
        try:
            ask = ask_again(request=row, now=now)
            if ask.match is not None and ask.kind == Kind.REFILL:
                connection = charts.connection_of(ask.practice)
                ask = clinical.completed(asks=[ask], connection=connection, now=now)[0]
            released += workflow.release(asks={row.id: ask}, now=now)
        except charts.Busy:
            continue  # still held; the next look releases it
        except Exception as error:
            # What cannot be decided afresh is a person's, and holds up nobody else.
            log.warning("a held request was not released", extra={"error": type(error).__name__})
            workflow.return_to_person(request_ids=[row.id], reason="not_released", now=now, urgent=True)
    return released


def ask_again(*, request: RefillRequest, now: datetime) -> Ask:
    """The stored request as an ask, on a fresh reading of the chart."""
    practice = request.practice
    connection = charts.connection_of(practice)
    chart = charts.read(practice=practice, connection=connection, patient_id=request.patient_external_id, now=now)
    kept = understanding.open_kept(sealed=request.reading_sealed, practice=practice)
    entry = next((row for row in chart.medications if row.external_id == request.entry_external_id), None)
    snapshot = chart.snapshot or identity.unseal(sealed=request.snapshot_sealed, practice=practice)
    ncpdp = snapshot.default_pharmacy if snapshot else ""
    row: PharmacyEntry | None = pharmacies.by_ncpdp(stage=practice.stage, ncpdp_ids=[ncpdp]).get(ncpdp)
    return asks_again.ask_of(
        request=request,
        kind=Kind(request.kind),
        chart=chart,
        match=asks_again.match_of(request=request, medication=entry),
        snapshot=snapshot,
        snapshot_at=now if chart.snapshot else request.snapshot_at,
        snapshot_sealed=intake.identity_sealed(snapshot, practice, row),
        pharmacy=row,
        kept=kept,
        reading=understanding.summary_of(kept),
        reasons=tuple(reason for reason in (chart.reason, "" if entry is not None else "entry_gone") if reason),
    )


def sweep_minute(*, now: datetime) -> None:
    """Leases that ran out: readers' events go back to the line, senders' dispatches become unknown."""
    inbox.recover(now=now)
    lost = workflow.lose_leases(now=now)
    if lost:
        log.warning("leases lost", extra={"count": len(lost)})
    return_old_approvals(now=now)
    end_dead_aliases(now=now)
    workflow.end_past(now=now)


def end_dead_aliases(*, now: datetime, limit: int = 500) -> int:
    """Patients' own names whose list entry is gone, inactive or another drug end, with an audit entry each.

    Housekeeping: no reading takes such a name, whether this ran or not. Looks only where the mirror changed.
    """
    entry = MirrorMedication.objects.filter(
        practice_id=OuterRef("practice_id"),
        external_id=OuterRef("entry_external_id"),
        patient__external_id=OuterRef("patient_external_id"),
    )
    same = entry.filter(is_active=True, gone_at__isnull=True, changed_at__lte=OuterRef("checked_at"))
    rows = list(EntryAlias.objects.standing().filter(~Exists(same)).order_by("id")[:limit])
    return workflow.end_aliases(alias_ids=[row.id for row in rows], now=now) if rows else 0


def return_old_approvals(*, now: datetime) -> int:
    """A prescription that waited longer than the practice allows goes back to a person (law 6)."""
    rows = Dispatch.objects.filter(
        kind=DispatchKind.NEWRX,
        state__in=[DispatchState.QUEUED, DispatchState.RETRY_WAIT],
        request__state=RequestState.APPROVED,
    ).values_list("request_id", "request__approved_at", "practice__queue_max_age_minutes")
    old = [
        request_id
        for request_id, approved_at, minutes in rows
        if approved_at is not None and now - approved_at > timedelta(minutes=minutes)
    ]
    return workflow.return_to_person(request_ids=old, reason="queued_too_long", now=now, urgent=True) if old else 0


def settle_unresolved(*, now: datetime) -> int:
    """What nobody could settle in time becomes unresolved: locked, with a task, for a person."""
    ids = workflow.unresolved_ids(now=now)
    return workflow.find_unresolved(dispatch_ids=ids, now=now) if ids else 0


def check_chart_records(*, now: datetime, limit: int = 100) -> int:
    """Chart records whose effect the vendor's push should have shown by now."""
    rows = list(
        Dispatch.objects.select_related("request", "practice").filter(
            kind=DispatchKind.CHART, state=DispatchState.ACCEPTED, next_check_at__lte=now
        )[:limit]
    )
    results = []
    for row in rows:
        entry = MirrorMedication.objects.filter(
            practice_id=row.practice_id, external_id=row.request.entry_external_id
        ).first()
        wanted = outbox.values_of(row).get("patch", {})
        shown = (
            entry is not None
            and entry.seen_at >= row.queued_at
            and entry.order_status == wanted.get("order_status")
            and (entry.prescribed_on.isoformat() if entry.prescribed_on else "") == wanted.get("date_prescribed")
        )
        if shown:
            results.append(Result(dispatch_id=row.id, outcome=Outcome(kind=OutcomeKind.DELIVERED)))
        elif row.checks >= 3:
            results.append(Result(dispatch_id=row.id, outcome=Outcome(kind=OutcomeKind.REJECTED, code="not_shown")))
        else:
            Dispatch.objects.filter(id=row.id).update(checks=F("checks") + 1, next_check_at=now + timedelta(minutes=5))
            _read_entry(row, now)
    workflow.settle(results=results, now=now)
    return len(rows)


def _read_entry(row: Dispatch, now: datetime) -> None:
    connection = charts.connection_of(row.practice)
    charts.read(practice=row.practice, connection=connection, patient_id=row.request.patient_external_id, now=now)


def escalate(*, now: datetime) -> int:
    """Waiting items whose owner has gone away move to the stand-in, the on-call, the administrator (F097, F098).

    First what goes back: whoever returns must be seen as here before the others' work is given out.
    """
    moved = sum(workflow.give_back(move_id=one, now=now) for one in queries_coverage.to_give_back(now=now))
    moved += sum(workflow.reroute(request_id=one, now=now) for one in queries_coverage.to_move(now=now))
    return moved + watching.ehr(now=now) + watching.renewals(now=now) + epcs.watch_signatures(now=now)


def reconcile_klara(*, now: datetime) -> int:
    """Messages whose webhook never came, found by our own look (K11, K13)."""
    found = 0
    for connection in _connections(Vendor.klara):
        if not connection.practice.may_take_in:
            continue
        found += _reconcile_one(connection, now)
    return found


def _reconcile_one(connection: Connection, now: datetime) -> int:
    cursor = dict(connection.poll_cursor or {})
    mark = cursor.get("klara")
    since = (datetime.fromisoformat(mark) if mark else now - timedelta(hours=25)) - OVERLAP
    line = klara_wire.Line(connection=connection, now=now, actor=SYSTEM)
    found = 0
    try:
        for event in klara.events_since(line=line, since=since):
            if not event.starts_work or event.message is None:
                continue
            known = InboundEvent.objects.filter(
                practice=connection.practice, vendor=Vendor.klara, message_id=event.message.id
            )
            if known.exists():
                continue
            body = poll_bodies.body_of(event)
            taken = inbox.store(arrival=inbox.arrival_of(event=event, connection=connection, body=body), now=now)
            if taken == inbox.Taken.STORED:
                found += 1
                workflow.note_missed(connection=connection, message_id=event.message.id, now=now)
    except VendorError as error:
        workflow.note_vendor_error(connection=connection, code=error.code or "poll", now=now)
        return found
    cursor["klara"] = now.isoformat()
    Connection.objects.filter(pk=connection.pk).update(poll_cursor=cursor, last_ok_at=now)
    return found


def refresh_mirror(*, now: datetime) -> int:
    """What changed in each chart since the last look, and a slice of the rolling sweep within the hour's budget."""
    looked = 0
    watching.stops(now=now)
    for connection in _connections(Vendor.drchrono):
        line = drchrono_wire.Line(connection=connection, now=now, actor=SYSTEM, priority=limits.Priority.background)
        try:
            mirror_sweeps.look_for_changes(line=line, budget=CHANGES_BUDGET)
            mirror_sweeps.sweep(
                line=line, doctor_ids=_doctors(connection.practice), kind=SweepKind.rolling, budget=ROLLING_BUDGET
            )
            _sweep_results(line, now, RESULTS_BUDGET)
            looked += 1
        except VendorError as error:
            workflow.note_vendor_error(connection=connection, code=error.code or "mirror", now=now)
    return looked


def sweep_nightly(*, now: datetime) -> int:
    """The whole mirror, in the practice's night."""
    swept = 0
    for connection in _connections(Vendor.drchrono):
        if not _is_night(connection.practice, now):
            continue
        line = drchrono_wire.Line(connection=connection, now=now, actor=SYSTEM, priority=limits.Priority.background)
        try:
            mirror_sweeps.sweep(
                line=line, doctor_ids=_doctors(connection.practice), kind=SweepKind.nightly, budget=NIGHTLY_BUDGET
            )
            _sweep_results(line, now, NIGHTLY_BUDGET // 2)
            swept += 1
        except VendorError as error:
            workflow.note_vendor_error(connection=connection, code=error.code or "sweep", now=now)
    return swept


def _sweep_results(line: drchrono_wire.Line, now: datetime, budget: int) -> None:
    """Results and vital signs, only of the kinds that a class the practice has adopted demands."""
    practice = line.connection.practice
    rules = context.rules_at(practice=practice, now=now)
    classes = [row for key, row in rules.protocols.by_key.items() if key in rules.policy.adopted_classes]
    kept = clinical.wanted(aliases=labs.aliases_of(names=rules.lab_names))
    for kind in sorted(clinical.kinds_of(classes=classes)):
        mirror_results.sweep(line=line, kind=kind, wanted=kept, budget=budget)


def _is_night(practice: Practice, now: datetime) -> bool:
    return hours.local(moment=now, time_zone=practice.time_zone or "UTC").hour < 5


def _doctors(practice: Practice) -> tuple[str, ...]:
    ids = Provider.objects.filter(practice=practice).exclude(drchrono_doctor_id="")
    return tuple(sorted(ids.values_list("drchrono_doctor_id", flat=True)))


def _connections(vendor: str) -> list[Connection]:
    # One that was refused is still asked, so that it comes back by itself once the credential is right again.
    usable = [ConnectionStatus.active, ConnectionStatus.needs_authorisation]
    rows = Connection.objects.select_related("practice").filter(vendor=vendor, status__in=usable)
    return [row for row in rows if row.stage == row.practice.stage]


def check_accounting(*, now: datetime) -> dict[str, int]:
    """Law 5: every message that was read has a request; the difference, by practice id, raises an alarm."""
    lost: dict[str, int] = {}
    stuck = InboundEvent.objects.filter(
        progress__in=[Progress.RECEIVED, Progress.READING], due_at__lt=now - STUCK_AFTER
    ).values_list("practice_id", flat=True)
    for practice in Practice.objects.filter(id__in=set(stuck)):
        workflow.raise_alarm(practice=practice, kind="unread", key="inbox", now=now)
    rows = InboundEvent.objects.filter(
        kind=EventKind.MESSAGE_IN, progress=Progress.READ, links__isnull=True
    ).values_list("practice_id", flat=True)
    for practice_id in rows:
        lost[str(practice_id)] = lost.get(str(practice_id), 0) + 1
    for practice in Practice.objects.filter(id__in=lost.keys()):
        workflow.raise_alarm(practice=practice, kind="accounting", key="unlinked", now=now)
    return lost


def upkeep(*, now: datetime) -> int:
    """Tokens renewed ahead of time, unused old secrets revoked, lanes above 70 % noticed; each trouble is an alarm."""
    troubles = [*connections.renew_tokens(now=now, actor=SYSTEM)]
    connections.retire_secrets(now=now, actor=SYSTEM)
    try:
        troubles += connections.busy_lanes(now=now)
    except limits.LimiterGone:
        log.warning("the shared limiter does not answer")
    practices = Practice.objects.in_bulk([each.practice_id for each in troubles])
    for each in troubles:
        kind = "lane_busy" if each.code == "lane_busy" else "connection_lost"
        workflow.raise_alarm(practice=practices[each.practice_id], kind=kind, key=each.vendor, now=now)
    return len(troubles)


def purge(*, now: datetime) -> dict[str, int]:
    """Raw bodies and identity snapshots past their keeping time (law 9); rows and audit stay."""
    bodies = snapshots = 0
    for practice in Practice.objects.all():
        old = now - timedelta(days=practice.body_days)
        bodies += InboundEvent.objects.filter(
            practice=practice,
            received_at__lt=old,
            purged_at__isnull=True,
            progress__in=[Progress.READ, Progress.IGNORED],
        ).update(body_sealed=b"", purged_at=now)
        snapshots += RefillRequest.objects.filter(
            practice=practice,
            ended_at__lt=now - timedelta(days=practice.snapshot_days),
            snapshot_sealed__isnull=False,
        ).update(snapshot_sealed=None, reading_sealed=None)
        bodies += InboundEvent.objects.filter(
            practice=practice,
            received_at__lt=old - timedelta(days=2 * practice.body_days),
            purged_at__isnull=True,
            progress__in=[Progress.QUARANTINED, Progress.CONFLICT],
        ).update(body_sealed=b"", purged_at=now)
        bodies += (
            NetworkMail.objects.filter(practice=practice, received_at__lt=old, applied_at__isnull=False)
            .exclude(document_sealed=b"")
            .update(document_sealed=b"")
        )
        # Prescriptions are records and stay for the practice's retention; what was said beside them does not.
        bodies += (
            Dispatch.objects.filter(practice=practice, settled_at__lt=old, request__ended_at__lt=old)
            .exclude(kind__in=SCRIPT_KINDS)
            .exclude(document_sealed=b"")
            .update(document_sealed=b"")
        )
        ended = EntryAlias.objects.filter(practice=practice, ended_at__lt=old, name_sealed__isnull=False)
        bodies += ended.update(name_sealed=None)
    bodies += FormReceipt.objects.filter(at__lt=now - KEEP_RECEIPTS).delete()[0]
    bodies += ApiReceipt.objects.filter(started_at__lt=now - KEEP_RECEIPTS).delete()[0]
    bodies += telling.purge(now=now) + audit_runs.purge(now=now)
    rewritten = ReadingCorrection.objects.filter(at__lt=now - KEEP_REWRITTEN, rewritten_sealed__isnull=False)
    bodies += rewritten.update(rewritten_sealed=None)
    return {"bodies": bodies, "snapshots": snapshots}
