"""One verb, one transaction (law 1): opens it, gathers the audit entries, writes them last.

The audit head is locked last of all (request, dispatch, head), so verbs collect their entries here and never call the
log themselves. If the entries cannot be written the whole verb rolls back.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import log
from audit.events import Actor, ActorKind, Draft
from integrations.models import Receiver
from review.models import ChangeEvent, Dispatch, RefillRequest

SYSTEM = Actor(kind=ActorKind.system, id="refill-hub")


def person(user_id: UUID) -> Actor:
    """The actor of a person's click."""
    return Actor(kind=ActorKind.person, id=str(user_id))


class Ledger:
    """Audit drafts of one verb, in order."""

    def __init__(self, *, now: datetime, actor: Actor = SYSTEM) -> None:
        self.now = now
        self.actor = actor
        self._drafts: list[Draft] = []

    def note(
        self,
        *,
        event: str,
        practice_id: UUID,
        request_id: UUID | None = None,
        patient_ref: str = "",
        trigger: str = "",
        outcome: str = "",
        decision_path: tuple[str, ...] = (),
        actor: Actor | None = None,
        data: Mapping[str, object] | None = None,
    ) -> None:
        """Remember one entry; codes and ids only, never names or words."""
        who = actor or self.actor
        self._drafts.append(
            Draft(
                practice_id=practice_id,
                event=event,
                actor=who,
                request_id=request_id,
                patient_ref=patient_ref,
                trigger=trigger,
                decision_path=decision_path,
                outcome=outcome,
                clinician=who.id if who.kind == ActorKind.person else "",
                data=dict(data or {}),  # type: ignore[arg-type]  # values are JSON by construction
            )
        )

    def on_request(self, request: RefillRequest, event: str, **more: object) -> None:
        """An entry about one request."""
        self.note(
            event=event,
            practice_id=request.practice_id,
            request_id=request.id,
            patient_ref=request.patient_ref,
            trigger=request.source,
            **more,  # type: ignore[arg-type]
        )

    def on_dispatch(self, dispatch: Dispatch, event: str, *, patient_ref: str = "", **data: object) -> None:
        """An entry about one dispatch."""
        self.note(
            event=event,
            practice_id=dispatch.practice_id,
            request_id=dispatch.request_id,
            patient_ref=patient_ref,
            outcome=dispatch.state,
            data={
                "dispatch": str(dispatch.id),
                "kind": dispatch.kind,
                "purpose": dispatch.purpose,
                "sha256": dispatch.document_sha256,
                **data,
            },
        )

    def write(self) -> None:
        """Append what was gathered to the chain, in this transaction."""
        if self._drafts:
            log.record_many(now=self.now, drafts=self._drafts)
            self._tell()
            self._drafts = []


    def _tell(self) -> None:
        """Note the changes of requests that a practice's own receiver is to be told of, in this transaction."""
        changes = [one for one in self._drafts if one.request_id is not None and one.event.startswith("request.")]
        if not changes:
            return
        wanted = Receiver.objects.active().filter(
            practice_id__in={one.practice_id for one in changes}, wants_changes=True
        )
        told = set(wanted.values_list("practice_id", flat=True))
        ChangeEvent.objects.bulk_create(
            ChangeEvent(
                practice_id=one.practice_id,
                request_id=one.request_id,
                event=one.event,
                state=one.outcome[:24],
                at=self.now,
                due_at=self.now,
            )
            for one in changes
            if one.practice_id in told and one.request_id is not None
        )


@contextmanager
def verb(*, now: datetime, actor: Actor = SYSTEM) -> Iterator[Ledger]:
    """A durable transaction with its audit entries; nesting one in another is an error."""
    with transaction.atomic(durable=True):
        ledger = Ledger(now=now, actor=actor)
        yield ledger
        ledger.write()
