"""The pretended Surescripts network: POST /script and POST /directory, an HTTP service of its own.

It checks what it is sent in the order of our notes, lets pretended pharmacies act on it, and keeps the journal by which
tests judge. Well-formed but wrong is a SCRIPT Error, never an HTTP error.
"""

import hashlib
from datetime import datetime
from typing import Any

from integrations.sandbox import control
from integrations.sandbox import surescripts_checks as checks
from integrations.sandbox import surescripts_control as desk
from integrations.sandbox import surescripts_directory as directory
from integrations.sandbox import surescripts_messages as messages
from integrations.sandbox import surescripts_structure as structure
from integrations.sandbox import surescripts_xml as xml
from integrations.sandbox.clock import Clock
from integrations.sandbox.faults import Faults
from integrations.sandbox.frame import Answer, ConnectionDropped, Request, Simulator
from integrations.sandbox.journal import Journal
from integrations.sandbox.surescripts_checks import Letter, Refused, open_letter
from integrations.sandbox.surescripts_counter import Counter, stamp
from integrations.sandbox.surescripts_grammar import StructureFault
from integrations.sandbox.surescripts_lanes import Lanes
from integrations.sandbox.surescripts_push import Push
from integrations.sandbox.surescripts_registry import Account, Pharmacy, Registry, Spi
from integrations.sandbox.world import World

FINGERPRINT = "x-client-cert-fingerprint"
XML_HEADERS = {"Content-Type": "application/xml; charset=utf-8"}


class Surescripts(Simulator):
    """The network. See docs/sandbox.md for the calls of its test desk."""

    vendor = "surescripts"
    lanes: Lanes

    def load(self) -> None:
        """Everything from the world anew; limits and switches go back to their defaults."""
        self.registry = Registry(world=self.world, now=self.clock.now())
        self.lanes = Lanes()
        self.counter = Counter(
            clock=self.clock, journal=self.journal, registry=self.registry, seed=self.seed, guarded=self._guarded
        )
        self.push = Push(network=self)
        self.counter.on_queued = self.push.queued
        self.state_controlled: dict[str, list[str]] = {}
        self.seen: set[tuple[str, str]] = set()
        self._dropped: set[tuple[str, str]] = set()
        self._busy: dict[tuple[str, str], int] = {}

    def extend(self, *, document: dict[str, Any]) -> dict[str, int]:
        """More practices or pharmacies while it runs."""
        with self.lock:
            return self.registry.add(document=document)

    def practice_of(self, request: Request) -> str:
        """The practice of the certificate."""
        account = self.registry.fingerprints.get(request.headers.get(FINGERPRINT, "").lower())
        return account.practice if account else ""

    def control(self, verb: str, request: Request) -> Answer | None:
        """The network's own control calls."""
        try:
            with self.lock:
                return desk.answer(network=self, verb=verb, request=request)
        except AttributeError as fault:  # a list or a number where an object was meant
            raise control.BadControl(str(fault)) from fault

    def handle(self, request: Request) -> Answer:
        """As the frame; /control/... is another name of /__sim__/..."""
        if request.path.startswith("/control/"):
            request.path = "/__sim__/" + request.path.removeprefix("/control/")
            return control.answer(desk=self, request=request)
        return super().handle(request)

    def _guarded(self, job: Any) -> None:
        with self.lock:
            job()

    # answering ------------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Answer:
        """The two calls of the network; anything else is 404."""
        if request.path not in ("/script", "/directory"):
            return Answer(status=404)
        if request.method != "POST":
            return Answer(status=405, headers={"Allow": "POST"})
        fingerprint = request.headers.get(FINGERPRINT, "").strip().lower()
        if not fingerprint:
            self._note_http(request, 401)
            return Answer(status=401)
        account = self.registry.fingerprints.get(fingerprint)
        lane = account.key if account else f"unknown/{fingerprint}"
        if request.path == "/directory":
            return directory.answer(network=self, request=request, account=account, lane=lane)
        return self._script(request, account, lane)

    def _script(self, request: Request, account: Account | None, lane: str) -> Answer:
        now = self.clock.now()
        try:
            root = xml.read(raw=request.body)
        except xml.NotXml as fault:
            self._note_http(request, 400)
            return Answer(status=400, body=str(fault).encode(), headers={"Content-Type": "text/plain"})
        except xml.Malformed:
            return self._malformed(request, lane, now)
        letter = open_letter(root=root, raw=request.body)
        wait = self._wait(lane, letter.sender[1][:10], letter.is_controlled_order, now)
        if wait:
            return self._too_many(letter, account, wait)
        try:
            structure.check_message(root=root)
        except StructureFault as fault:
            return self._rejected(letter, account, Refused("900", "3000", fault.reason, fault.path))
        try:
            return self._by_kind(letter, account, now)
        except Refused as refusal:
            return self._rejected(letter, account, refusal)

    def _by_kind(self, letter: Letter, account: Account | None, now: datetime) -> Answer:
        spi = checks.sender(letter=letter, registry=self.registry, account=account, now=now)
        if letter.kind == "GetMessage":
            return self._poll(letter, spi, now)
        if letter.kind in checks.UTILITY:
            return self._utility(letter, account, spi)
        if letter.kind not in checks.LEVEL:
            raise Refused("900", "4030", f"Sender not allowed to send this transaction type: {letter.kind}")
        pharmacy = checks.receiver(letter=letter, registry=self.registry, spi=spi, now=now)
        if (letter.sender[1], letter.message_id) in self.seen:
            raise Refused("900", "220", "Duplicate transaction")
        self.seen.add((letter.sender[1], letter.message_id))
        checks.sent_time(letter=letter, now=now)
        checks.contents(letter=letter, spi=spi, pharmacy=pharmacy, now=now, state_controlled=self._state_controls)
        self.counter.check_answer(letter=letter)
        return self._carry(letter, account, spi, pharmacy)

    def _carry(self, letter: Letter, account: Account | None, spi: Spi, pharmacy: Pharmacy) -> Answer:
        """Step 13: the pharmacy's behaviour."""
        profile, key = pharmacy.profile, (letter.sender[1], letter.message_id)
        if letter.is_test:
            return self._status(letter, account, "010", decision="test/010")
        if profile.busy:
            order = (letter.sender[1], letter.order or letter.to[1])
            self._busy[order] = self._busy.get(order, 0) + 1
            if self._busy[order] <= profile.busy:
                raise Refused("600", "", "Communication problem, try again later")
        if profile.drop == "before" and key not in self._dropped:
            self._dropped.add(key)
            self.seen.discard(key)
            self._enter(letter, account, "dropped_before", reached=False)
            raise ConnectionDropped(after_commit=False)
        if profile.refuse is not None and not profile.delivers:
            raise Refused(*profile.refuse)
        self.counter.keep(letter=letter)
        reached = self.counter.take_over(letter=letter, pharmacy=pharmacy, spi=spi)
        if profile.refuse is not None:
            return self._rejected(letter, account, Refused(*profile.refuse), reached=reached)
        if profile.drop == "after":
            self._enter(letter, account, "dropped_after", reached=reached)
            raise ConnectionDropped(after_commit=True)
        decision = f"garbage/{profile.status}" if profile.garbage else profile.status
        method = profile.delivery_method
        answer = self._status(letter, account, profile.status, decision=decision, reached=reached, method=method)
        if profile.garbage:
            answer.body = answer.body[: len(answer.body) // 2]
        answer.delay += profile.delay / max(1.0, self.clock.time_factor) if self.clock.time_factor else 0.0
        return answer

    def _poll(self, letter: Letter, spi: Spi, now: datetime) -> Answer:
        boxes = self.counter.mailboxes
        key = xml.text_at(letter.root, "Header", "Mailbox", "AcknowledgementID")
        if key:
            boxes.acknowledge(account=spi.account, spi=spi.spi, delivered_id=key)
        item = boxes.take(account=spi.account, spi=spi.spi, now=now)
        account = self.registry.accounts.get(spi.account)
        if item is None:
            code = boxes.empty_code(account=spi.account, spi=spi.spi)
            return self._status(letter, account, code, decision=code)
        body = item.render(item.delivered_id)
        self._enter(letter, account, f"delivered/{item.kind}", reached=False, acknowledged=key)
        self.note_out(kind=item.kind, ids={
            "message_id": item.message_id, "relates_to": item.relates_to, "from": item.ncpdp, "to": item.spi,
            "delivered_id": item.delivered_id,
        }, body=body, account=account, way="poll", times=item.times)  # fmt: skip
        return Answer(status=200, body=body, headers=dict(XML_HEADERS))

    def _utility(self, letter: Letter, account: Account | None, spi: Spi) -> Answer:
        """Status, Error or Verify of the client for a message of ours."""
        if letter.relates_to not in self.counter.sent:
            raise Refused("900", "1000", "Answers no message of ours", "/Message/Header/RelatesToMessageID")
        self.counter.mailboxes.answered(account=spi.account, spi=spi.spi, message_id=letter.relates_to)
        return self._status(letter, account, "000", decision="receipt")

    # writing and noting ---------------------------------------------------------------------------------------------

    def _status(
        self,
        letter: Letter,
        account: Account | None,
        code: str,
        *,
        decision: str,
        reached: bool = False,
        method: str = "",
    ) -> Answer:
        body = self._write(letter, messages.status(code=code, method=method))
        self._enter(letter, account, decision, reached=reached)
        return Answer(status=200, body=body, headers=dict(XML_HEADERS))

    def _rejected(self, letter: Letter, account: Account | None, refusal: Refused, *, reached: bool = False) -> Answer:
        text = messages.error(code=refusal.code, description_code=refusal.description_code, text=refusal.text)
        body = self._write(letter, text)
        self._enter(letter, account, refusal.decision, reached=reached, description=refusal.text)
        return Answer(status=200, body=body, headers=dict(XML_HEADERS))

    def _write(self, letter: Letter, body: str) -> bytes:
        return xml.message(
            to=letter.sender, sender=letter.to, message_id=self.counter.new_id(), relates_to=letter.message_id,
            sent_at=stamp(self.clock.now()), body=body,
        )  # fmt: skip

    def _malformed(self, request: Request, lane: str, now: datetime) -> Answer:
        wait = self._wait(lane, "", False, now)
        if wait:
            self._note_http(request, 429)
            return Answer(status=429, headers={"Retry-After": str(wait)})
        self._note_http(request, 200, decision="900/500")
        text = messages.error(code="900", description_code="500", text="XML syntax error. XPath /")
        body = xml.message(
            to=("ZZZ", xml.glean(raw=request.body, tag="From") or "UNKNOWN"), sender=("ZZZ", "NETWORK"),
            message_id=self.counter.new_id(), relates_to=xml.glean(raw=request.body, tag="MessageID") or "UNKNOWN",
            sent_at=stamp(now), body=text,
        )  # fmt: skip
        return Answer(status=200, body=body, headers=dict(XML_HEADERS))

    def _wait(self, lane: str, root: str, controlled: bool, now: datetime) -> int:
        return self.lanes.take(account=lane, root=root, controlled=controlled, now=now.timestamp())

    def _too_many(self, letter: Letter, account: Account | None, wait: int) -> Answer:
        self._enter(letter, account, "429", reached=False)
        return Answer(status=429, headers={"Retry-After": str(wait)})

    def _state_controls(self, state: str, drug: str) -> bool:
        return any(name in drug.lower() for name in self.state_controlled.get(state, []))

    def _enter(
        self, letter: Letter, account: Account | None, decision: str, *, reached: bool, description: str = "",
        acknowledged: str = "",
    ) -> None:  # fmt: skip
        if letter.kind == "GetMessage" and not self.journal.keeps_requests:
            self.journal.count_only(kind="poll")
            return
        data: dict[str, Any] = {"hash": letter.digest, "bytes": len(letter.raw), "delivered_to_pharmacy": reached}
        if letter.med is not None:
            data |= {"drug": letter.drug, "rxcui": letter.rxcui, "schedule": letter.schedule, "answer": letter.answer}
        if description:
            data["description"] = description
        if acknowledged:
            data["acknowledged"] = acknowledged
        self.journal.add(
            at=self.clock.now(), kind="poll" if letter.kind == "GetMessage" else "message.in",
            practice=account.practice if account else "", decision=decision,
            ids={"type": letter.kind, "message_id": letter.message_id, "relates_to": letter.relates_to,
            "order": letter.order,
                 "from": letter.sender[1], "to": letter.to[1], "patient": letter.patient},
            data=data,
        )  # fmt: skip

    def note_out(
        self, *, kind: str, ids: dict[str, str], body: bytes, account: Account | None, way: str, times: int
    ) -> None:
        """One message handed to a prescriber system, by poll or by push."""
        self.journal.add(
            at=self.clock.now(), kind="message.out", practice=account.practice if account else "", decision=way,
            ids={"type": kind, **ids}, data={"hash": hashlib.sha256(body).hexdigest(), "times": times},
        )  # fmt: skip

    def _note_http(self, request: Request, status: int, *, decision: str = "") -> None:
        self.journal.add(
            at=self.clock.now(), kind="message.unreadable", practice=self.practice_of(request),
            decision=decision or str(status),
            data={"hash": hashlib.sha256(request.body).hexdigest(), "bytes": len(request.body)},
        )  # fmt: skip


def build(
    *, world: World, clock: Clock, journal: Journal | None = None, faults: Faults | None = None, seed: int = 0
) -> Surescripts:
    """The network for a world."""
    return Surescripts(world=world, clock=clock, journal=journal, faults=faults, seed=seed)
