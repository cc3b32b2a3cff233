"""A pharmacy's renewal request becomes a request like a patient's own, decided by the same rules, in one go."""

import uuid
from datetime import datetime

from review import facts as facts_of
from review.asks import Ask
from review.ledger import verb
from review.models import Dispatch, NetworkMail, RefillRequest
from review.states import OPEN_REQUEST_STATES, RequestState
from review.workflow import answering, deciding, mail_news, moves, notices

R = RequestState
WAITS, OVERDUE = "renewal_waits", "renewal_overdue"
UNDECIDED = OPEN_REQUEST_STATES - {R.APPROVED, R.SENT, R.CANCEL_ASKED}


def take_in_renewal(*, ask: Ask, now: datetime) -> RefillRequest | None:
    """Open and decide the request of one renewal request; None when its letter has opened one already.

    Joined to an earlier request for the same drug it waits for that one's decision, or is answered by it at once where
    that has been made.
    """
    if ask.renewal is None:
        raise ValueError("no renewal request")
    with verb(now=now) as ledger:
        moves.lock_patients([(ask.practice.id, ask.patient_external_id)])
        mail = NetworkMail.objects.select_for_update().get(id=ask.renewal.mail.id)
        if mail.request_id is not None:
            return None
        context = facts_of.load(asks=[ask], now=now)
        dispatches: list[Dispatch] = []
        request = deciding.new_request(ask=ask, now=now)
        ledger.on_request(request, "request.opened", data={"kind": request.kind, "letter": str(mail.id)})
        deciding.decide(request=request, ask=ask, context=context, ledger=ledger, dispatches=dispatches)
        deciding.store(requests=[request], dispatches=dispatches, context=context, ledger=ledger)
        NetworkMail.objects.filter(id=mail.id).update(request=request)
        first = request.duplicate_of
        if request.state == R.DUPLICATE and first is not None and first.state not in UNDECIDED:
            is_here = ask.renewal.message.header.sender.id == first.pharmacy_ncpdp
            text = answering.SENT if is_here else answering.ELSEWHERE
            answering.dealt_with(request=request, text=text, ledger=ledger)
        return request


def renewal_waits(*, request_id: uuid.UUID, now: datetime, is_overdue: bool = False) -> bool:
    """A pharmacy has waited a day, or three business days (contract 7.2): the item goes to the top, people are told.

    What is decided does not change, so a card that is open stays good. False where it waits no more.
    """
    with verb(now=now) as ledger:
        request = moves.lock_requests([request_id])[request_id]
        reason = OVERDUE if is_overdue else WAITS
        if request.state != R.IN_REVIEW or reason in request.reasons:
            return False
        request.reasons = [reason, *[one for one in request.reasons if one != WAITS]]
        request.is_urgent = True
        request.changed_at = now
        ledger.on_request(request, "request.renewal_waits", outcome=request.state, data={"reason": reason})
        notices.alarm(practice=request.practice, kind=reason, key=str(request.id), now=now)
        moves.save([request])
        return True


def take_in_change(*, mail_id: uuid.UUID, about: RefillRequest | None, said: str, now: datetime) -> None:
    """A pharmacy asks to change a prescription: always a person's item (contract 4.7), opened once a letter."""
    with verb(now=now) as ledger:
        mail = NetworkMail.objects.select_for_update().select_related("practice").get(id=mail_id)
        if mail.request_id is not None:
            return
        item = mail_news.item(practice=mail.practice, about=about, reason="change_asked", text=said, ledger=ledger)
        NetworkMail.objects.filter(id=mail.id).update(request=item)
