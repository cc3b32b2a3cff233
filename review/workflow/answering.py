"""One decision answers both patient and pharmacy: denials to pharmacies whose renewal requests a request has settled.

Called inside a verb's transaction. A denial that cannot be built stops a person's act, with what to do instead; it is
never left out in silence.
"""

from collections.abc import Sequence
from datetime import datetime

from integrations.surescripts.script_checks import DoesNotFit
from review import answers, outbox, parties
from review.asks import Renewal
from review.ledger import Ledger
from review.models import Dispatch, NetworkMail, RefillRequest
from review.workflow import acts, notices

SENT = "A new prescription was sent."
ELSEWHERE = "A prescription was sent to another pharmacy."
IN_CHART = "Prescribed electronically by the prescriber."
FILLS_LEFT = "Refills remain on file."
BY_A_PERSON = "Answered by the practice."


def note(*, renewal: Renewal, dispatch: Dispatch) -> None:
    """This stored dispatch answers that renewal request."""
    NetworkMail.objects.filter(id=renewal.mail.id).update(answered_by=dispatch)


def deny(
    *, request: RefillRequest, waiting: Sequence[Renewal], code: str, text: str, due_at: datetime, ledger: Ledger
) -> list[Dispatch]:
    """Deny these renewal requests; the dispatches are stored. Raises NotPossible where one cannot be built."""
    made = []
    for place, renewal in enumerate(waiting):
        try:
            dispatch = answers.deny(
                renewal=renewal, request=request, code=code, text=text, now=ledger.now, due_at=due_at, place=place
            )
        except (DoesNotFit, parties.NoSender, ValueError) as error:
            raise acts.NotPossible(
                "answer_does_not_fit",
                f"The pharmacy cannot be answered by the network ({error}). Telephone it, then mark this as answered.",
            ) from error
        outbox.put(dispatches=[dispatch], ledger=ledger)
        note(renewal=renewal, dispatch=dispatch)
        ledger.on_request(request, "request.pharmacy_answered", outcome="denied", data={"code": code})
        made.append(dispatch)
    return made


def other_means(
    *, request: RefillRequest, waiting: Sequence[Renewal], due_at: datetime, ledger: Ledger
) -> None:
    """Renewal requests of the same drug that a prescription of its own has settled. Raises NotPossible."""
    for one in waiting:
        is_here = one.message.header.sender.id == request.pharmacy_ncpdp
        deny(
            request=request,
            waiting=[one],
            code=answers.ELSEWHERE,
            text=SENT if is_here else ELSEWHERE,
            due_at=due_at,
            ledger=ledger,
        )


def dealt_with(*, request: RefillRequest, text: str, ledger: Ledger) -> None:
    """Tell whoever waits for this request that it was dealt with by other means, at once.

    What cannot be built is an alarm for people, and the rest goes on.
    """
    for renewal in answers.pending(request=request):
        try:
            deny(
                request=request, waiting=[renewal], code=answers.ELSEWHERE, text=text, due_at=ledger.now, ledger=ledger
            )
        except acts.NotPossible:
            notices.alarm(practice=request.practice, kind="answer_failed", key=str(request.id), now=ledger.now)
