"""Replay of a dead step by a person: a message that was surely refused is queued anew, with the same frozen values.

What was refused stays dead (law 4): its successor is a new dispatch, linked to it and made once. What may be replayed
is `review.replayable`'s word. Never sends.
"""

import uuid
from datetime import datetime

from refillhub.practices.models import User
from refillhub.practices.sealing import SealBroken, UnknownKey
from review import outbox, replayable
from review.ledger import person, verb
from review.models import Dispatch, DispatchKind
from review.workflow import acts, moves

# Above every revision that a request's version or a follow-up of settlement can have.
FIRST_REVISION = 20_000


def replay(*, request_id: uuid.UUID, dispatch_id: uuid.UUID, user: User, now: datetime) -> Dispatch:
    """Queue a new dispatch with the values of a dead one, linked to it. Raises NotPossible.

    A second click, or a second person, waits for the request's row, then finds the successor and is refused.
    """
    with verb(now=now, actor=person(user.id)) as ledger:
        request = moves.lock_requests([request_id])[request_id]
        acts.refuse_strangers(request, user)
        rows = moves.lock_dispatches([request])
        dead = next((row for row in rows if row.id == dispatch_id), None)
        if dead is None:
            raise acts.NotPossible("not_found", "This message is not of this request.")
        reason, sentence = replayable.objection(request=request, dispatch=dead, dispatches=rows)
        if reason:
            raise acts.NotPossible(reason, sentence)
        try:
            document = outbox.document_of(dead)
        except (SealBroken, UnknownKey) as error:
            raise acts.NotPossible("no_values", "What it said can no longer be opened.") from error
        made = outbox.freeze(
            request=request,
            kind=DispatchKind(dead.kind),
            purpose=dead.purpose,
            document=document,
            target=dead.target,
            order_number=dead.order_number,
            may_be_repeated=dead.may_be_repeated,
            revision=FIRST_REVISION + len(rows),
            predecessor=dead,
            now=now,
        )
        ledger.on_dispatch(dead, "dispatch.replayed", patient_ref=request.patient_ref, successor=str(made.id))
        outbox.put(dispatches=[made], ledger=ledger)
    return made
