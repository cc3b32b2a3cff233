"""Deciding one request: facts to the rules, the decision to a state, and the messages that follow from it.

The only place where an automatic approval is made. Whatever does not fit a message's tables goes to a person with the
field named. Called inside a verb's transaction; stores in bulk.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from integrations.models import PharmacyEntry
from integrations.surescripts.script_checks import ControlledDrug, DoesNotFit
from review import access, answers, orders, outbox, parties, records, routing
from review import facts as facts_of
from review.asks import Ask, Match
from review.context import Context
from review.ledger import Ledger
from review.models import Dispatch, DispatchKind, Kind, Queue, RefillRequest, ReplyPurpose, Source
from review.states import DispatchState, RequestState
from review.workflow import answering, moves, notices
from rules import hours
from rules.decision import Decision, Outcome

R = RequestState
D = DispatchState
# Replies that are the decision itself.
DECISIONS = (ReplyPurpose.VISIT, ReplyPurpose.DENIED, ReplyPurpose.TOLD)


def new_request(*, ask: Ask, now: datetime) -> RefillRequest:
    """An unsaved request of one ask, in `received`; shadow is decided here, once (law 7)."""
    match = ask.match
    request = RefillRequest(
        id=uuid.uuid4(),
        practice=ask.practice,
        location=ask.location,
        kind=ask.kind,
        source=ask.source,
        state=R.RECEIVED,
        patient_external_id=ask.patient_external_id,
        patient_ref=ask.patient_ref,
        sender_id=ask.sender_id,
        conversation_id=ask.conversation_id,
        channel_source=ask.channel_source,
        snapshot_sealed=ask.snapshot_sealed,
        snapshot_at=ask.snapshot_at,
        reading_sealed=ask.reading_sealed,
        is_shadow=ask.practice.is_shadow,
        pharmacy_ncpdp=ask.pharmacy.ncpdp_id if ask.pharmacy else "",
        asked_at=ask.asked_at,
        opened_at=now,
        changed_at=now,
    )
    if match is not None:
        point_at(request=request, match=match)
    return request


# What `point_at` writes beside the fields every verb may change (moves.CHANGED_FIELDS).
ENTRY_FIELDS = (
    "entry_external_id", "entry_hash", "ingredient_key", "drug_key", "drug_name", "rxcui", "rxcui_qualifier", "ndc",
    "schedule", "drug_class", "quantity_unit",
)  # fmt: skip


def point_at(*, request: RefillRequest, match: Match) -> None:
    """Make a request be about this list entry, with what the entry itself prescribes."""
    request.entry_external_id = match.medication.external_id
    request.entry_hash = match.medication.record_hash
    request.ingredient_key = match.ingredient_key
    request.drug_key = match.drug_key
    request.drug_name = match.drug_name
    request.rxcui, request.rxcui_qualifier, request.ndc = match.rxcui, match.rxcui_qualifier, match.ndc
    request.schedule = str(match.drug.schedule)
    request.drug_class = match.drug.drug_class
    request.quantity = match.medication.dispense_quantity
    request.quantity_unit = match.quantity_unit
    request.days_supply = match.days_supply
    request.refills = match.medication.number_refills
    request.sig = match.medication.sig
    request.prescriber = match.prescriber


def point_at_nothing(*, request: RefillRequest) -> None:
    """A message for a person: it names no entry of the list, so there is nothing to approve."""
    request.kind = Kind.MESSAGE
    for name in (*ENTRY_FIELDS, "sig"):
        setattr(request, name, "")
    request.quantity = request.days_supply = request.refills = request.run_out_on = None


def decide(*, request: RefillRequest, ask: Ask, context: Context, ledger: Ledger, dispatches: list[Dispatch]) -> None:
    """Decide a request in `received` or `held`; new messages are added to `dispatches`, unsaved."""
    verb = "decide" if request.state == R.RECEIVED else "release"
    if ask.is_cancel:
        moves.move(request=request, verb=verb, to=R.CANCELLED, now=ledger.now)
        request.reasons = ["taken_back_by_patient"]
        ledger.on_request(request, "request.cancelled", outcome=request.state)
        return
    if request.kind == Kind.MESSAGE:
        _message(request=request, ask=ask, verb=verb, ledger=ledger, dispatches=dispatches)
        return
    decision = ask_rules(request=request, ask=ask, context=context, ledger=ledger)
    if ask.reasons and decision.outcome not in (Outcome.person, Outcome.review):
        _review(request=request, verb=verb, queue=decision.queue, reasons=ask.reasons, ledger=ledger)
        return
    apply(request=request, ask=ask, decision=decision, context=context, verb=verb, ledger=ledger, dispatches=dispatches)


def ask_rules(*, request: RefillRequest, ask: Ask, context: Context, ledger: Ledger) -> Decision:
    """The rules in force on the facts of this moment, recorded and noted on the request; nothing follows from it here.

    The record is written by `store`.
    """
    known = facts_of.build(ask=ask, request=request, context=context, now=ledger.now)
    decision = facts_of.decide(context=context, practice=request.practice, known=known)
    context.decisions.append(records.Decided(request=request, facts=known, decision=decision))
    _note(request=request, decision=decision)
    path = tuple(f"{step.node}:{step.fact}={step.result}" for step in decision.trace)
    ledger.on_request(
        request,
        "request.decided",
        outcome=str(decision.outcome),
        decision_path=(decision.recipe, *decision.reasons, *path),
        data={"mirror_age_minutes": known.mirror_age_minutes, "rules": context.version_number(request.practice)},
    )
    return decision


def _note(*, request: RefillRequest, decision: Decision) -> None:
    request.outcome = str(decision.outcome)
    request.recipe = decision.recipe
    request.reasons = list(decision.reasons)
    request.is_urgent = decision.is_pressing


def apply(
    *,
    request: RefillRequest,
    ask: Ask,
    decision: Decision,
    context: Context,
    verb: str,
    ledger: Ledger,
    dispatches: list[Dispatch],
) -> None:
    """The decision becomes a state and, where something leaves, a dispatch."""
    request.run_out_on = context.run_out_of(request)
    request.decided_at = ledger.now
    outcome = decision.outcome
    has_news = context.was_pulled(request)
    if outcome == Outcome.auto_approve and not has_news:
        _approve(request=request, ask=ask, context=context, verb=verb, ledger=ledger, dispatches=dispatches)
    elif outcome == Outcome.pharmacy_change and ask.named_pharmacy is not None and not has_news:
        _change_pharmacy(request=request, named=ask.named_pharmacy, verb=verb, ledger=ledger, dispatches=dispatches)
    elif outcome == Outcome.ask_visit and not has_news:
        _tell(request, ReplyPurpose.VISIT, R.VISIT_ASKED, "request.visit_asked", ask, verb, ledger, dispatches)
    elif outcome == Outcome.tell and not has_news:
        _tell(request, ReplyPurpose.TOLD, R.TOLD, "request.told", ask, verb, ledger, dispatches)
    elif outcome == Outcome.duplicate:
        _join(request=request, ask=ask, context=context, verb=verb, ledger=ledger)
    elif outcome == Outcome.hold:
        _hold(request=request, ask=ask, verb=verb, ledger=ledger, dispatches=dispatches)
    elif outcome == Outcome.controlled_task:
        _hand_off(request=request, verb=verb, ledger=ledger, dispatches=dispatches)
    elif outcome == Outcome.person:
        request.kind = Kind.MESSAGE
        request.reasons = list(decision.reasons)
        _message(request=request, ask=ask, verb=verb, ledger=ledger, dispatches=dispatches, queue=decision.queue)
    else:
        reasons: tuple[str, ...] = ("news_from_patient",) if has_news else ()
        if request.source == Source.PHARMACY:
            reasons += ask.reasons  # whom and what the letter could not be matched to
        _review(request=request, verb=verb, queue=decision.queue, reasons=reasons, ledger=ledger)


def assign(*, request: RefillRequest, queue: str, ledger: Ledger) -> None:
    """Give the item to whoever is here: prescriber, stand-in, on-call, else the administrator with an alarm."""
    owner = routing.owner(practice=request.practice, prescriber=request.prescriber, queue=queue, now=ledger.now)
    request.queue = owner.queue
    request.assignee = owner.provider
    if owner.queue == Queue.ADMINISTRATOR:
        notices.alarm(practice=request.practice, kind="coverage_gap", key=str(request.id), now=ledger.now)


def _review(
    *, request: RefillRequest, verb: str, queue: str, reasons: Sequence[str], ledger: Ledger, code: str = ""
) -> None:
    moves.move(request=request, verb=verb, to=R.IN_REVIEW, now=ledger.now)
    request.reasons = [*reasons, *(reason for reason in request.reasons if reason not in reasons)]
    request.last_text = code[:500]
    assign(request=request, queue=str(queue), ledger=ledger)
    ledger.on_request(
        request,
        "request.returned",
        outcome=request.state,
        decision_path=tuple(request.reasons),
        data={"queue": request.queue},
    )


def _message(
    *,
    request: RefillRequest,
    ask: Ask,
    verb: str,
    ledger: Ledger,
    dispatches: list[Dispatch],
    queue: str = Queue.ASSISTANT,
) -> None:
    """An item for a person. An emergency also answers with the practice's text and pages, at once."""
    request.kind = Kind.MESSAGE
    request.reasons = request.reasons or list(ask.reasons)
    emergency = ask.reading.is_emergency is True
    # What nobody could read may be anything: it waits behind nothing.
    unread = "could_not_be_read" in ask.reasons
    request.is_urgent = emergency or unread or ask.reading.has_symptom is True
    moves.move(request=request, verb=verb, to=R.IN_REVIEW, now=ledger.now)
    if emergency:
        request.reasons = ["emergency", *(r for r in request.reasons if r != "emergency")]
        page = notices.page_dispatch(request=request, why="emergency", now=ledger.now)
        answer = moves.reply(request=request, purpose=ReplyPurpose.EMERGENCY, now=ledger.now)
        dispatches += [made for made in (answer, page) if made is not None]
        if page is not None:
            ledger.on_request(request, "page.on_call", data={"why": "emergency", "provider": page.target})
            queue = Queue.ON_CALL
        else:
            notices.alarm(practice=request.practice, kind="coverage_gap", key="on_call", now=ledger.now)
    assign(request=request, queue=str(queue), ledger=ledger)


def _approve(
    *,
    request: RefillRequest,
    ask: Ask,
    context: Context,
    verb: str,
    ledger: Ledger,
    dispatches: list[Dispatch],
) -> None:
    """Automatic approval, in the name of the list entry's own prescriber, leaving after the undo window."""
    due = ledger.now + timedelta(seconds=request.practice.undo_seconds_automatic)
    if ask.snapshot is None or ask.pharmacy is None or request.prescriber is None:
        _review(request=request, verb=verb, queue=Queue.PRESCRIBER, reasons=["identity_incomplete"], ledger=ledger)
        return
    waiting = [ask.renewal] if ask.renewal else answers.pending(request=request) if verb == "release" else []
    renewal = answers.grantable(waiting=waiting, provider=request.prescriber, request=request)
    if waiting and renewal is None:
        # Another prescriber's or another pharmacy's: how it is answered is a person's to say.
        _review(request=request, verb=verb, queue=Queue.PRESCRIBER, reasons=["renewal_elsewhere"], ledger=ledger)
        return
    try:
        if renewal is not None:
            made = answers.grant(
                renewal=renewal,
                request=request,
                snapshot=ask.snapshot,
                provider=request.prescriber,
                now=ledger.now,
                due_at=due,
            )
            context.answers.append((renewal, made))
        else:
            made = orders.newrx(
                request=request,
                snapshot=ask.snapshot,
                provider=request.prescriber,
                pharmacy=ask.pharmacy,
                now=ledger.now,
                due_at=due,
            )
    except (DoesNotFit, ControlledDrug, parties.NoSender) as error:
        _review(
            request=request,
            verb=verb,
            queue=Queue.PRESCRIBER,
            reasons=["does_not_fit"],
            ledger=ledger,
            code=str(error),
        )
        return
    moves.move(request=request, verb=verb, to=R.APPROVED, now=ledger.now)
    request.is_automatic = True
    request.approved_at = ledger.now
    # At a release the pharmacy is this morning's, not last evening's.
    request.pharmacy_ncpdp = ask.pharmacy.ncpdp_id
    dispatches.append(made)
    ledger.on_request(request, "request.approved", outcome=request.state, data={"automatic": True})
    end_shadow(request=request, ledger=ledger)


def end_shadow(*, request: RefillRequest, ledger: Ledger) -> None:
    """In shadow nothing leaves, so what was approved ends at once, as recorded."""
    if not request.is_shadow:
        return
    if request.state == R.APPROVED:
        moves.move(request=request, verb="settle", to=R.DONE, now=ledger.now)
    elif request.state == R.HANDING_OFF:
        moves.move(request=request, verb="settle", to=R.WITH_EHR, now=ledger.now)


def _change_pharmacy(
    *, request: RefillRequest, named: PharmacyEntry, verb: str, ledger: Ledger, dispatches: list[Dispatch]
) -> None:
    request.pharmacy_ncpdp = named.ncpdp_id
    moves.move(request=request, verb=verb, to=R.APPROVED, now=ledger.now)
    request.is_automatic = True
    request.approved_at = ledger.now
    dispatches.append(
        pharmacy_dispatch(request=request, now=ledger.now, undo_seconds=request.practice.undo_seconds_automatic)
    )
    ledger.on_request(request, "request.approved", outcome=request.state, data={"automatic": True})
    end_shadow(request=request, ledger=ledger)


def pharmacy_dispatch(*, request: RefillRequest, now: datetime, undo_seconds: int) -> Dispatch:
    """The write of the patient's preferred pharmacy, frozen."""
    return outbox.freeze(
        request=request,
        kind=DispatchKind.PHARMACY,
        document={"patient": request.patient_external_id, "ncpdp": request.pharmacy_ncpdp},
        target=request.pharmacy_ncpdp,
        now=now,
        due_at=now + timedelta(seconds=undo_seconds),
    )


def _tell(
    request: RefillRequest,
    purpose: ReplyPurpose,
    to: RequestState,
    event: str,
    ask: Ask,
    verb: str,
    ledger: Ledger,
    dispatches: list[Dispatch],
) -> None:
    """An end that consists in telling the patient; final only once delivered."""
    due = ledger.now + timedelta(seconds=request.practice.undo_seconds_automatic)
    answer = moves.reply(
        request=request,
        purpose=purpose,
        now=ledger.now,
        due_at=due,
        pharmacy_name=ask.pharmacy.name if ask.pharmacy else "",
        language=ask.snapshot.language if ask.snapshot else "",
    )
    if answer is None:
        _review(request=request, verb=verb, queue=Queue.ASSISTANT, reasons=["nobody_to_answer"], ledger=ledger)
        return
    moves.move(request=request, verb=verb, to=to, now=ledger.now)
    dispatches.append(answer)
    ledger.on_request(request, event, outcome=request.state, data={"automatic": True})


def _join(*, request: RefillRequest, ask: Ask, context: Context, verb: str, ledger: Ledger) -> None:
    first = facts_of.same_request(ask=ask, context=context, own=request)
    if first is None or first.id == request.id:
        _review(request=request, verb=verb, queue=Queue.PRESCRIBER, reasons=["duplicate_unclear"], ledger=ledger)
        return
    request.duplicate_of = first
    if first.source == Source.PHARMACY and not first.conversation_id and request.conversation_id:
        # The patient asks too: the one decision is told in their conversation.
        first.conversation_id, first.sender_id = request.conversation_id, request.sender_id
        first.save(update_fields=["conversation_id", "sender_id"])
    moves.move(request=request, verb=verb, to=R.DUPLICATE, now=ledger.now)
    ledger.on_request(request, "request.duplicate", outcome=request.state, data={"of": str(first.id)})


def _hold(*, request: RefillRequest, ask: Ask, verb: str, ledger: Ledger, dispatches: list[Dispatch]) -> None:
    """Parked until opening; the patient hears so once."""
    office = facts_of.office_of(practice=request.practice, location=request.location)
    first_time = verb == "decide"
    moves.move(request=request, verb=verb, to=R.HELD, now=ledger.now)
    request.release_at = hours.next_opening(after=ledger.now, office=office)
    request.queue = Queue.NOBODY
    ledger.on_request(request, "request.held", outcome=request.state, data={"until": request.release_at.isoformat()})
    if not first_time:
        return
    local = hours.local(moment=request.release_at, time_zone=office.time_zone)
    answer = moves.reply(
        request=request,
        purpose=ReplyPurpose.HELD,
        now=ledger.now,
        opening=local.strftime("%A %-I:%M %p").replace("AM", "am").replace("PM", "pm"),
        language=ask.snapshot.language if ask.snapshot else "",
    )
    if answer is not None:
        dispatches.append(answer)


def _hand_off(*, request: RefillRequest, verb: str, ledger: Ledger, dispatches: list[Dispatch]) -> None:
    """A controlled drug: a task to the prescriber in DrChrono with everything filled in (recipe 3)."""
    if access.is_signed_here(request):
        _review(request=request, verb=verb, queue=Queue.PRESCRIBER, reasons=["controlled"], ledger=ledger)
        return
    owner = routing.owner(
        practice=request.practice, prescriber=request.prescriber, queue=Queue.PRESCRIBER, now=ledger.now
    )
    if owner.provider is None or not owner.provider.drchrono_user_id:
        _review(request=request, verb=verb, queue=Queue.ADMINISTRATOR, reasons=["nobody_for_task"], ledger=ledger)
        return
    request.assignee = owner.provider
    moves.move(request=request, verb=verb, to=R.HANDING_OFF, now=ledger.now)
    dispatches.append(notices.task(request=request, why="controlled", now=ledger.now))
    answer = moves.reply(request=request, purpose=ReplyPurpose.WITH_DOCTOR, now=ledger.now)
    if answer is not None:
        dispatches.append(answer)
    ledger.on_request(request, "request.handed_off", outcome=request.state)
    end_shadow(request=request, ledger=ledger)


def is_unsent(dispatches: Sequence[Dispatch]) -> bool:
    """Whether what a request decided has not left yet: something is queued and nothing is on the wire."""
    decisive = [
        row
        for row in dispatches
        if row.kind in (DispatchKind.NEWRX, DispatchKind.PHARMACY, DispatchKind.ANSWER)
        or (row.kind == DispatchKind.REPLY and row.purpose in DECISIONS)
    ]
    live = [row for row in decisive if row.state not in (D.TAKEN_BACK, D.SHADOWED, D.REJECTED)]
    return bool(live) and all(row.state in (D.QUEUED, D.RETRY_WAIT) for row in live)


def bring_back(*, request: RefillRequest, dispatches: Sequence[Dispatch], reason: str, ledger: Ledger) -> None:
    """Unsent work returns to a person: what is queued is taken back, nothing was sent."""
    for dispatch in dispatches:
        dispatch.request = request
    outbox.take_back(dispatches=dispatches, ledger=ledger)
    moves.to_person(request=request, verb="return", reasons=[reason], ledger=ledger)
    assign(request=request, queue=request.queue, ledger=ledger)


def store(
    *,
    requests: Sequence[RefillRequest],
    dispatches: Sequence[Dispatch],
    context: Context,
    ledger: Ledger,
) -> None:
    """New requests, their decision records and their messages, in bulk."""
    if requests:
        RefillRequest.objects.bulk_create(requests)
    records.store(decided=context.decisions, now=ledger.now, context=context)
    outbox.put(dispatches=dispatches, ledger=ledger)
    for renewal, dispatch in context.answers:
        answering.note(renewal=renewal, dispatch=dispatch)
    context.answers.clear()
