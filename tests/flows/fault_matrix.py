"""The fault matrix: what goes out, what the network does to it, when the worker dies, and how it must end.

The expected ends are written here from the contract (surescripts 6.2, 6.3, 7.3, 7.4) and architecture section 5 (one
byte-identical repeat where the route drops duplicates, a linked successor only of a surely refused prescription), not
read off the code: `expected` knows a fault by what it does to the message, never by what we do about it.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import override_settings

from integrations.surescripts import script_read, script_write
from integrations.surescripts.script_model import Answer, Header, MessageKind, NetworkMessage
from review import delivery, mailbox, workflow
from review.models import Dispatch, RefillRequest
from review.states import RequestState
from tests import signers

R = RequestState
KINDS = ("newrx", "grant", "denial", "cancel", "signed", "poll")
"""Prescription, granted renewal, denial, cancellation, signed controlled prescription, a poll of the mailbox."""
KILLS = ("never", "claimed", "sent", "mail")
"""never; after the claim, before anything left; after the answer, before it was kept; mail stored and not applied."""


class Killed(BaseException):
    """The worker is gone: no handler of ours may catch this."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the network at one message.

    says: lost (no valid answer), turned (surely not looked at), refused, busy (refused for now), doubt (an answer that
    leaves open whether it arrived), fine (slow, twice or in another order). is_taken: the pharmacy got it all the same.
    """

    name: str
    says: str
    is_taken: bool = False
    order: dict[str, Any] | None = None
    nack: tuple[str, str] | None = None
    world: str = ""


def _http(name: str, says: str, status: int, **more: Any) -> Fault:
    return Fault(name, says, order={"kind": "status", "status": status}, **more)


FAULTS = (
    Fault("lost before acceptance", "lost", order={"kind": "drop"}),
    Fault("lost after acceptance", "lost", True, order={"kind": "drop", "after_commit": True}),
    Fault("no answer in time, not taken", "lost", order={"kind": "hang", "seconds": 600}),
    Fault("no answer in time, taken", "lost", True, order={"kind": "hang", "seconds": 600, "after_commit": True}),
    Fault("429", "turned", order={"kind": "throttle", "seconds": 5, "retry_after": "5"}),
    _http("500", "lost", 500),
    _http("502", "lost", 502),
    _http("503", "lost", 503),
    Fault("504 though taken", "lost", True, order={"kind": "status", "status": 504, "after_commit": True}),
    Fault("malformed", "lost",
          order={"kind": "status", "status": 200, "body": "<Message><Body>", "content_type": "application/xml"}),
    Fault("malformed though taken", "lost", True,
          order={"kind": "body", "body": "no XML", "content_type": "text/plain", "after_commit": True}),
    Fault("truncated", "lost", True, order={"kind": "truncate", "keep": 40, "after_commit": True}),
    Fault("answer to another message", "lost", nack=("other", "")),
    _http("certificate refused 401", "refused", 401),
    _http("certificate refused 403", "refused", 403),
    _http("400", "refused", 400),
    Fault("NACK 600", "busy", nack=("600", "")),
    Fault("NACK 900/210", "busy", nack=("900", "210")),
    Fault("NACK 900/4000", "busy", nack=("900", "4000")),
    Fault("NACK 601", "refused", nack=("601", "")),
    Fault("NACK 602", "doubt", nack=("602", "")),
    Fault("NACK 700", "refused", nack=("700", "")),
    Fault("NACK 900/1000", "refused", nack=("900", "1000")),
    Fault("NACK 900/2000", "refused", nack=("900", "2000")),
    Fault("NACK 900/3000", "refused", nack=("900", "3000")),
    Fault("NACK 900/4030", "refused", nack=("900", "4030")),
    Fault("NACK 900/008", "doubt", nack=("900", "008")),
    Fault("NACK 900/4010", "doubt", nack=("900", "4010")),
    Fault("NACK 900/4020", "doubt", nack=("900", "4020")),
    Fault("late confirmation", "fine", True, world="late"),
    Fault("everything twice", "fine", True, world="9990021"),
    Fault("confirmed before the answer", "fine", True, world="9990020"),
)  # fmt: skip


def expected(*, kind: str, fault: Fault, kill: str) -> str:
    """"arrived": at the pharmacy once, without a person. "person": somebody is told, and it is there once at most."""
    if kind == "poll":
        return "arrived"  # a read: what waits in the mailbox waits on, and is applied once
    if fault.says == "fine" or fault.is_taken:
        return "arrived"  # it is there; the mailbox or "duplicate" tells so
    if kill == "sent":
        return "arrived"  # nobody read the answer: the one repeat meets a network that is well again
    if kill == "claimed":
        # Nothing had left, but nobody can know: the fault meets the one repeat. Turned away is not looked at, so the
        # repeat is still to be made; anything else leaves a doubt that only a telephone ends.
        return "arrived" if fault.says == "turned" else "person"
    if fault.says in ("lost", "turned"):
        return "arrived"
    if fault.says == "busy":
        # Only prescriptions have successors (7.3). A signed one has none: another message id would be other bytes than
        # were signed (21 CFR 1311.170(e)).
        return "arrived" if kind in ("newrx", "grant") else "person"
    return "person"


@dataclass(slots=True)
class Cell:
    """One run of one cell: what was found at the end."""

    kind: str
    fault: Fault
    kill: str
    seed: int
    at_network: int = 0
    is_arrived: bool = False
    is_told: bool = False

    @property
    def wrong(self) -> str:
        """lost, doubled, gave up, or "" when it ended as the contract says."""
        if self.at_network > 1:
            return "doubled"
        if not self.is_arrived and not self.is_told:
            return "lost"
        if expected(kind=self.kind, fault=self.fault, kill=self.kill) == "arrived" and not self.is_arrived:
            return "gave up"
        return ""


def play(*, clinic: Any, cell: Cell, patch: Any) -> Cell:
    """One cell from a patient's message to the end, a day and more later."""
    with override_settings(EPCS_NATIVE_SIGNING=True, EPCS_SIGNING_KEY=signers.KEY):
        return _play(clinic=clinic, cell=cell, patch=patch)


def _play(*, clinic: Any, cell: Cell, patch: Any) -> Cell:
    request, dispatch, before = _STAGES[cell.kind](clinic, cell)
    clinic.clock.advance(seconds=max(0.0, (dispatch.due_at - clinic.now).total_seconds()) + 1)
    _order(clinic, cell.fault, dispatch)
    dice = random.Random(cell.seed)
    with _dying(patch, cell.kill):
        try:
            delivery.deliver_due(now=clinic.now)
            clinic.work()
        except Killed:
            pass
    clinic.passes(minutes=10, steps=dice.choice((2, 5, 10)))
    clinic.passes(hours=2, steps=dice.choice((6, 12)))
    clinic.passes(hours=30, steps=6)
    request.refresh_from_db()
    cell.at_network = len(_arrivals(clinic, cell.kind)) - before
    cell.is_arrived, cell.is_told = _ended(clinic, cell.kind, request)
    return cell


@contextlib.contextmanager
def _dying(patch: Any, kill: str) -> Iterator[None]:
    """The worker dies once at this point."""

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    where = {"claimed": (delivery, "_send_all"), "sent": (delivery, "_settle"), "mail": (mailbox, "apply_new")}
    with patch.context() as once:
        if kill in where:
            once.setattr(*where[kill], die)
        yield


def _order(clinic: Any, fault: Fault, dispatch: Dispatch) -> None:
    if fault.order is not None:
        clinic.fault(clinic.network, method="POST", path="/script", times=1, **fault.order)
    if fault.nack is not None:
        body = _nack(clinic, dispatch, *fault.nack).decode()
        clinic.fault(
            clinic.network, method="POST", path="/script", times=1, kind="status", status=200, body=body,
            content_type="application/xml",
        )  # fmt: skip


def _nack(clinic: Any, dispatch: Dispatch, code: str, description: str) -> bytes:
    """The network's refusal of this very message, which it has not taken."""
    sent = script_read.read(_bytes(dispatch))
    is_other = code == "other"
    return script_write.write(
        NetworkMessage(
            kind=MessageKind.STATUS if is_other else MessageKind.ERROR,
            body_name="Status" if is_other else "Error",
            header=Header(
                to=sent.header.sender,
                sender=sent.header.to,
                message_id="e" * 32,
                sent_at=clinic.now,
                relates_to="f" * 32 if is_other else dispatch.message_id,
            ),
            raw=b"",
            answer=Answer(code="000" if is_other else code, description_codes=(description,) if description else ()),
        )
    )


def _bytes(dispatch: Dispatch) -> bytes:
    return bytes(delivery.outbox.document_of(dispatch))


Staged = tuple[RefillRequest, Dispatch, int]


def _world(clinic: Any, fault: Fault) -> str:
    """The pharmacy of the cell; the network's own habits are set beforehand."""
    if fault.world == "late":
        clinic.call(clinic.network, "settings", {"verify_after": 2700})
    return fault.world if fault.world.isdecimal() else "9990001"


def _waiting(clinic: Any, cell: Cell) -> RefillRequest:
    """A plain refill that waits for a person, as automatic approval is stopped."""
    clinic.house.change(automatic_stopped_at=clinic.now, automatic_stopped_by=clinic.house.osei.user)
    clinic.asks(clinic.patient(pharmacy=_world(clinic, cell.fault)))
    clinic.work()
    request: RefillRequest = clinic.house.request(source="klara")
    assert request.state == R.IN_REVIEW
    return request


def _approved(clinic: Any, request: RefillRequest) -> None:
    osei = clinic.house.osei
    workflow.approve(request_id=request.id, user=osei.user, provider=osei, version=request.version, now=clinic.now)


def _newrx(clinic: Any, cell: Cell) -> Staged:
    request = _waiting(clinic, cell)
    _approved(clinic, request)
    return request, Dispatch.objects.get(request=request, kind="newrx"), 0


def _sent_long_ago(clinic: Any, cell: Cell) -> RefillRequest:
    """A prescription that arrived 80 days ago, and now the pharmacy asks for a renewal; it waits for a person."""
    first = _waiting(clinic, cell)
    _approved(clinic, first)
    clinic.passes(minutes=2, steps=2)
    first.refresh_from_db()
    sent = clinic.scripts_sent()[0]["ids"]["message_id"]
    clinic.passes(days=80)
    last = (clinic.now - timedelta(days=80)).date().isoformat()
    clinic.call(clinic.network, "queue", {"type": "RxRenewalRequest", "message_id": sent, "last_fill_on": last})
    clinic.passes(seconds=20)
    request: RefillRequest = clinic.house.request(source="pharmacy")
    assert request.state == R.IN_REVIEW, request.reasons
    return request


def _grant(clinic: Any, cell: Cell) -> Staged:
    request = _sent_long_ago(clinic, cell)
    _approved(clinic, request)
    return request, Dispatch.objects.get(request=request, kind="newrx"), len(_arrivals(clinic, "grant"))


def _denial(clinic: Any, cell: Cell) -> Staged:
    request = _sent_long_ago(clinic, cell)
    user = clinic.house.osei.user
    workflow.deny(request_id=request.id, user=user, version=request.version, now=clinic.now, code="AG")
    return request, Dispatch.objects.get(request=request, kind="answer"), 0


def _signed(clinic: Any, cell: Cell) -> Staged:
    """A controlled prescription, signed on its page by its prescriber."""
    signers.house_that_signs(clinic)
    who = clinic.patient(pharmacy=_world(clinic, cell.fault), medications=[{"drug": signers.ZOLPIDEM}])
    clinic.say("Please refill my zolpidem 10 mg", who)
    clinic.work()
    request: RefillRequest = clinic.house.request(source="klara")
    _approved(clinic, request)
    request.refresh_from_db()
    answer = signers.sign(request, clinic.house.osei.user)
    assert answer.status_code == 302, answer.content.decode()[-500:]
    return request, Dispatch.objects.get(request=request, kind="newrx"), 0


def _poll(clinic: Any, cell: Cell) -> Staged:
    """A prescription that the network has taken; the fault meets the look for the pharmacy's word about it."""
    request = _waiting(clinic, cell)
    _approved(clinic, request)
    dispatch = Dispatch.objects.get(request=request, kind="newrx")
    delivery.deliver_due(now=clinic.now)
    clinic.clock.advance(seconds=30)
    return request, dispatch, 0


def _cancel(clinic: Any, cell: Cell) -> Staged:
    request = _waiting(clinic, cell)
    _approved(clinic, request)
    clinic.passes(minutes=120 if cell.fault.world == "late" else 2, steps=4)
    request.refresh_from_db()
    user = clinic.house.osei.user
    workflow.ask_cancel(request_id=request.id, user=user, version=request.version, now=clinic.now)
    return request, Dispatch.objects.get(request=request, kind="cancelrx"), 0


_STAGES: dict[str, Callable[[Any, Cell], Staged]] = {
    "newrx": _newrx, "grant": _grant, "denial": _denial, "cancel": _cancel, "signed": _signed,
    "poll": _poll,
}  # fmt: skip


def _arrivals(clinic: Any, kind: str) -> list[Any]:
    """What the pharmacies really got of this kind."""
    if kind in ("newrx", "grant", "signed", "poll"):
        return list(clinic.at_pharmacy())
    wanted = {"denial": "RxRenewalResponse", "cancel": "CancelRx"}[kind]
    found = [
        entry
        for entry in clinic.network.journal.read(kind="message.in")
        if entry["ids"]["type"] == wanted and entry.get("accepted", entry.get("outcome") in ("000", "010", None))
    ]
    return list({entry["ids"]["message_id"]: entry for entry in found}.values())


def _ended(clinic: Any, kind: str, request: RefillRequest) -> tuple[bool, bool]:
    """(ended as meant, a person has it)."""
    meant = {"newrx": {R.SENT, R.DONE}, "grant": {R.SENT, R.DONE}, "denial": {R.DENIED}, "cancel": {R.CANCELLED},
             "signed": {R.SENT, R.DONE}, "poll": {R.DONE}}[kind]  # fmt: skip
    items = RefillRequest.objects.filter(about=request, state=R.IN_REVIEW).exists()
    is_open = request.state == R.IN_REVIEW or items
    return request.state in meant and not is_open, is_open
