"""What the clock and the vendors' late news do: releases at opening, lost leases, unresolved outcomes, merges.

Each is one transaction; the network work before them (fresh facts, polls) is done by `review.timers`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integrations.models import Connection
from refillhub.practices.models import Practice
from review import facts as facts_of
from review import identity, outbox, states
from review.asks import Ask
from review.identity import Snapshot
from review.ledger import Ledger, verb
from review.models import Dispatch, DispatchKind, RefillRequest, ReplyPurpose
from review.states import DispatchState, RequestState
from review.workflow import aliasing, answering, deciding, moves, notices
from review.workflow.settling import Settling

R = RequestState


def release(*, asks: Mapping[uuid.UUID, Ask], now: datetime) -> int:
    """Decide held requests afresh, on the facts of this morning. Returns how many left the hold."""
    if not asks:
        return 0
    with verb(now=now) as ledger:
        moves.lock_patients((ask.practice.id, ask.patient_external_id) for ask in asks.values())
        context = facts_of.load(asks=list(asks.values()), now=now)
        requests = moves.lock_requests(asks.keys())
        dispatches: list[Dispatch] = []
        released = [row for row in requests.values() if row.state == R.HELD]
        for request in released:
            request.snapshot_sealed = asks[request.id].snapshot_sealed
            request.snapshot_at = asks[request.id].snapshot_at
            ledger.on_request(request, "request.released")
            deciding.decide(
                request=request, ask=asks[request.id], context=context, ledger=ledger, dispatches=dispatches
            )
        moves.save(released)
        deciding.store(requests=[], dispatches=dispatches, context=context, ledger=ledger)
        return sum(1 for request in released if request.state != R.HELD)


def return_to_person(*, request_ids: Sequence[uuid.UUID], reason: str, now: datetime, urgent: bool = False) -> int:
    """Bring requests back to a person, where their table allows it; what is queued is taken back."""
    with verb(now=now) as ledger:
        rows = moves.lock_requests(request_ids)
        dispatches = moves.lock_dispatches(rows.values())
        back = []
        for request in rows.values():
            if not states.allows(state=request.state, verb="return"):
                continue
            mine = [d for d in dispatches if d.request_id == request.id]
            if request.state in (R.APPROVED, *states.MESSAGE_BOUND_STATES) and not deciding.is_unsent(mine):
                continue
            outbox.take_back(dispatches=mine, ledger=ledger)
            moves.to_person(request=request, verb="return", reasons=[reason], ledger=ledger, urgent=urgent)
            deciding.assign(request=request, queue=request.queue, ledger=ledger)
            back.append(request)
        moves.save(back)
        return len(back)


def lose_leases(*, now: datetime, limit: int = 200) -> list[uuid.UUID]:
    """Dispatches whose sender died become unknown. Returns their ids, for reconciliation."""
    with verb(now=now) as ledger:
        return [row.id for row in outbox.lose_leases(now=now, limit=limit, ledger=ledger)]


def find_unresolved(*, dispatch_ids: Sequence[uuid.UUID], now: datetime) -> int:
    """Nobody could tell what became of these: unresolved, their requests locked, a task and (controlled) a page."""
    with verb(now=now) as ledger:
        ids = Dispatch.objects.filter(id__in=dispatch_ids).values_list("request_id", flat=True)
        requests = moves.lock_requests(ids)
        work = Settling(ledger=ledger, dispatches=moves.lock_dispatches(requests.values()), requests=requests)
        wanted = set(dispatch_ids)
        changed = []
        for dispatch in work.dispatches:
            if dispatch.id not in wanted or dispatch.state not in (DispatchState.UNKNOWN, DispatchState.ACCEPTED):
                continue
            dispatch.state = states.next_dispatch_state(
                state=dispatch.state, verb="settle", to=DispatchState.UNRESOLVED
            )
            dispatch.next_check_at = None
            dispatch.settled_at = now
            changed.append(dispatch)
            ledger.on_dispatch(dispatch, "dispatch.unresolved", patient_ref=dispatch.request.patient_ref)
            _lock(work=work, dispatch=dispatch)
        Dispatch.objects.bulk_update(changed, ["state", "next_check_at", "settled_at"])
        moves.save(requests[request_id] for request_id in work.moved)
        if work.items:
            RefillRequest.objects.bulk_create(work.items)
        outbox.put(dispatches=work.new, ledger=ledger)
        return len(changed)


def _lock(*, work: Settling, dispatch: Dispatch) -> None:
    request = work.requests[dispatch.request_id]
    is_script = dispatch.kind in (DispatchKind.NEWRX, DispatchKind.CANCELRX)
    if dispatch.kind == DispatchKind.PHARMACY and request.state == R.APPROVED:
        moves.to_person(
            request=request, verb="settle", reasons=["pharmacy_not_changed"], ledger=work.ledger, queue="assistant"
        )
        work.moved.add(request.id)
        return
    if is_script and request.state in (R.APPROVED, R.SENT, R.CANCEL_ASKED):
        moves.to_person(
            request=request, verb="settle", reasons=["unresolved"], ledger=work.ledger, lock=True, urgent=True
        )
        work.moved.add(request.id)
        work.new.append(notices.task(request=request, why="unresolved", now=work.ledger.now, dispatch=dispatch))
        if request.schedule != "not_controlled":
            notices.page(work=work, request=request, why="unresolved")
        return
    if request.state == R.HANDING_OFF:
        moves.to_person(request=request, verb="settle", reasons=["task_unresolved"], ledger=work.ledger)
        work.moved.add(request.id)
        return
    notices.item(work=work, request=request, reason=f"{dispatch.kind}_unresolved")


def renew_snapshot(*, request_id: uuid.UUID, snapshot: Snapshot, now: datetime) -> bool:
    """A fresh reading of the patient before a prescription leaves. What is printed on it must not have changed.

    Else the request returns to a person with the new reading. True when the prescription may go.
    """
    with verb(now=now) as ledger:
        request = moves.lock_requests([request_id])[request_id]
        before = identity.unseal(sealed=request.snapshot_sealed, practice=request.practice)
        if request.state != R.APPROVED:
            return False
        kept = (
            snapshot
            if before is None
            else replace(snapshot, pharmacy_name=before.pharmacy_name, pharmacy_street=before.pharmacy_street)
        )
        request.snapshot_sealed = identity.seal(snapshot=kept, practice=request.practice)
        request.snapshot_at = now
        is_same = before is not None and before.printed() == snapshot.printed()
        if not is_same:
            rows = moves.lock_dispatches([request])
            if deciding.is_unsent(rows):
                outbox.take_back(dispatches=rows, ledger=ledger)
                moves.to_person(request=request, verb="return", reasons=["identity_changed"], ledger=ledger)
                deciding.assign(request=request, queue=request.queue, ledger=ledger)
        moves.save([request])
        return is_same


def see_prescription(*, request_id: uuid.UUID, now: datetime, seen_id: str) -> bool:
    """The prescriber's own prescription was seen in DrChrono: the request is done and the patient hears so."""
    with verb(now=now) as ledger:
        request = moves.lock_requests([request_id])[request_id]
        if request.state != R.WITH_EHR:
            return False
        moves.move(request=request, verb="see_prescription", to=R.DONE, now=now)
        answering.dealt_with(request=request, text=answering.IN_CHART, ledger=ledger)
        moves.save([request])
        answer = moves.reply(
            request=request,
            purpose=ReplyPurpose.PRESCRIBED,
            now=now,
            language=notices.language_of(request),
        )
        outbox.put(dispatches=[answer] if answer else [], ledger=ledger)
        ledger.on_request(request, "request.done", outcome=request.state, data={"seen": seen_id})
        return True


def merge_patient(*, practice: Practice, old_sender: str, new_sender: str, now: datetime) -> int:
    """Klara merged two patients: open requests move to the surviving one; if the chart patient differs, a person
    looks. Their own names for drugs end: whose words they were is no longer sure.
    """
    with verb(now=now) as ledger:
        moves.lock_patients([(practice.id, f"sender:{old_sender}"), (practice.id, f"sender:{new_sender}")])
        # Both senders' requests in one go: a second, later set of locks could wait for whoever waits for ours.
        ids = RefillRequest.objects.unfinished().filter(practice=practice, sender_id__in=[old_sender, new_sender])
        both = moves.lock_requests(ids.values_list("id", flat=True))
        rows = {key: request for key, request in both.items() if request.sender_id == old_sender}
        for request in rows.values():
            request.sender_id = new_sender
            request.version += 1
            request.changed_at = now
            ledger.on_request(request, "request.moved_patient", data={"from": old_sender, "to": new_sender})
        if rows:
            RefillRequest.objects.bulk_update(rows.values(), ["sender_id", "version", "changed_at"])
            _look_at_both(practice=practice, sender=new_sender, ledger=ledger)
        ended = aliasing.end_of_patients(practice=practice, senders=[old_sender, new_sender], ledger=ledger)
        ledger.note(
            event="patient.merged",
            practice_id=practice.id,
            data={"from": old_sender, "to": new_sender, "requests": len(rows), "aliases_ended": ended},
        )
        return len(rows)


def _look_at_both(*, practice: Practice, sender: str, ledger: Ledger) -> None:
    """Open requests of one sender for two chart patients: one of them may be about the wrong person."""
    mine = RefillRequest.objects.unfinished().filter(practice=practice, sender_id=sender)
    rows = moves.lock_requests(mine.exclude(patient_external_id="").values_list("id", flat=True))
    if len({row.patient_external_id for row in rows.values()}) < 2:
        return
    dispatches = moves.lock_dispatches(rows.values())
    back = []
    for request in rows.values():
        unsent = [d for d in dispatches if d.request_id == request.id]
        if request.state == R.IN_REVIEW:
            others = [reason for reason in request.reasons if reason != "patients_merged"]
            request.reasons = ["patients_merged", *others]
            request.version += 1
        elif states.allows(state=request.state, verb="return") and (
            request.state != R.APPROVED or deciding.is_unsent(unsent)
        ):
            deciding.bring_back(request=request, dispatches=unsent, reason="patients_merged", ledger=ledger)
        else:
            continue
        back.append(request)
    moves.save(back)


def note_missed(*, connection: Connection, message_id: str, now: datetime) -> None:
    """A message was found by our own look: its webhook never came (runbook 1)."""
    with verb(now=now) as ledger:
        notices.alarm(practice=connection.practice, kind="webhook_missed", key=str(connection.id), now=now)
        ledger.note(event="poll.found_missed", practice_id=connection.practice_id, data={"message": message_id})
