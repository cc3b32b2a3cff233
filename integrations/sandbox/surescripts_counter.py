"""What the pretended pharmacies do with what reaches them, and the oracle: what did each of them really get?

Every later message (Verify, fill, answer to a cancellation, renewal or change request) starts here, as a clock job.
Nothing here answers HTTP.
"""

import hashlib
from collections import Counter as Tally
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from integrations.sandbox import surescripts_messages as messages
from integrations.sandbox import surescripts_xml as xml
from integrations.sandbox.clock import Clock
from integrations.sandbox.journal import Journal
from integrations.sandbox.surescripts_checks import Letter, Refused
from integrations.sandbox.surescripts_mailbox import Item, Mailboxes
from integrations.sandbox.surescripts_registry import Pharmacy, Registry, Spi

BODIES_KEPT: Final[int] = 5_000
REQUEST_LEVEL: Final[dict[str, str]] = {
    "RxRenewalRequest": "Renewal", "RxChangeRequest": "Change", "RxFill": "RxFill", "CancelRxResponse": "Cancel",
}  # fmt: skip


class Counter:
    """The pharmacies of one network. Its caller holds the network's lock."""

    def __init__(
        self, *, clock: Clock, journal: Journal, registry: Registry, seed: int, guarded: Callable[..., Any]
    ) -> None:
        self.clock, self.journal, self.registry, self.seed = clock, journal, registry, seed
        self.mailboxes = Mailboxes()
        self.prescriptions: list[dict[str, Any]] = []
        self.requests: dict[str, dict[str, Any]] = {}
        self.sent: dict[str, str] = {}  # message id -> kind, everything that ever went into a mailbox
        self.bodies: OrderedDict[str, bytes] = OrderedDict()
        self.rxfill = "always"
        self.verify_after: float | None = None
        self.on_queued: Callable[[Item], None] = lambda item: None
        self._guarded = guarded
        self._by_message: dict[str, dict[str, Any]] = {}
        self._numbers = 0
        self._renewals = 0

    def new_id(self) -> str:
        """The next message id, the same for the same seed."""
        self._numbers += 1
        return hashlib.sha256(f"{self.seed}/{self._numbers}".encode()).hexdigest()[:32]

    def find(self, *, message_id: str) -> dict[str, Any] | None:
        """The prescription that a message created."""
        return self._by_message.get(message_id)

    # taking over ----------------------------------------------------------------------------------------------------

    def check_answer(self, *, letter: Letter) -> None:
        """A response must answer an open request of this pharmacy, once; raises Refused."""
        if letter.kind not in ("RxRenewalResponse", "RxChangeResponse"):
            return
        request = self.requests.get(letter.relates_to)
        fits = request is not None and request["type"] == letter.kind.replace("Response", "Request")
        if request is None or not fits or (request["ncpdp"], request["spi"]) != (letter.to[1], letter.sender[1]):
            raise Refused("900", "1000", "No open request to answer", "/Message/Header/RelatesToMessageID")
        if request["answered"]:
            raise Refused("900", "2000", "The request was answered before", "/Message/Header/RelatesToMessageID")
        if letter.kind == "RxChangeResponse":
            if xml.text_at(letter.body, "MessageRequestCode") != request["code"]:
                raise Refused(
                    "900", "2000", "MessageRequestCode differs", "/Message/Body/RxChangeResponse/MessageRequestCode"
                )
            if (letter.answer == "Validated") != (request["code"] == "U" and letter.answer != "Denied"):
                raise Refused("900", "2000", "Validated answers code U only", "/Message/Body/RxChangeResponse/Response")

    def take_over(self, *, letter: Letter, pharmacy: Pharmacy, spi: Spi) -> bool:
        """The pharmacy's side of an accepted message; returns whether a prescription reached the pharmacy."""
        profile = pharmacy.profile
        reached = letter.creates and profile.delivers
        if reached:
            self._record(letter, pharmacy)
        if letter.relates_to in self.requests:
            self.requests[letter.relates_to]["answered"] = letter.answer
        self._confirm(letter, pharmacy, spi)
        if profile.late_error_after is not None:
            body = messages.error(
                code="900", description_code="2000", text="Rejected by the pharmacy's system. XPath /Message/Body"
            )
            self._later(profile.late_error_after, "Error", letter, pharmacy, spi, lambda: body)
            return reached
        if letter.kind == "CancelRx":
            self._cancel(letter, pharmacy, spi)
        if letter.kind == "NewRx":
            self._after_new_rx(letter, pharmacy, spi)
        return reached

    def _record(self, letter: Letter, pharmacy: Pharmacy) -> None:
        row = {
            "seq": len(self.prescriptions) + 1, "at": self.clock.now().isoformat(), "type": letter.kind,
            "ncpdp": pharmacy.ncpdp, "spi": letter.sender[1], "message_id": letter.message_id,
            "relates_to": letter.relates_to,
            "order": letter.order, "patient": letter.patient, "drug": letter.drug, "rxcui": letter.rxcui,
            "schedule": letter.schedule, "quantity": xml.text_at(letter.med, "Quantity", "Value"),
            "refills": xml.text_at(letter.med, "NumberOfRefills"), "hash": letter.digest, "cancelled": False,
        }  # fmt: skip
        self.prescriptions.append(row)
        self._by_message[letter.message_id] = row

    def _confirm(self, letter: Letter, pharmacy: Pharmacy, spi: Spi) -> None:
        after = pharmacy.verify_after
        if after is None:
            after = pharmacy.profile.verify_after
            if after == 2.0 and self.verify_after is not None:
                after = self.verify_after
        if after is not None:
            body = messages.verify(method=pharmacy.profile.delivery_method)
            self._later(after, "Verify", letter, pharmacy, spi, lambda: body)

    def _after_new_rx(self, letter: Letter, pharmacy: Pharmacy, spi: Spi) -> None:
        profile, raw = pharmacy.profile, letter.raw
        wants = self.rxfill == "always" or (
            self.rxfill == "asked" and letter.root.find(".//RxFillIndicator") is not None
        )
        if profile.fill and wants:
            self._later(profile.fill_after, "RxFill", letter, pharmacy, spi, lambda: self._fill(raw, pharmacy))
        if profile.renewal_after is not None:
            self._renewals += 1
            known = self._renewals % 5 != 0
            self._later(profile.renewal_after, "RxRenewalRequest", letter, pharmacy, spi,
                        lambda: self._renewal(raw, pharmacy), known=known)  # fmt: skip
        for code, sub, after in profile.changes:
            self._later(after, "RxChangeRequest", letter, pharmacy, spi,
                        lambda code=code, sub=sub: self._change(raw, pharmacy, code, sub), code=code)  # fmt: skip

    def _fill(self, raw: bytes, pharmacy: Pharmacy) -> str:
        profile = pharmacy.profile
        note = "Picked up by patient." if profile.fill == "Dispensed" else "Refill requested too soon."
        blocks = messages.blocks_of(root=xml.read(raw=raw), pharmacy=pharmacy)
        today = self.clock.now().date()
        return messages.fill(blocks=blocks, kind=profile.fill, reason=profile.fill_reason, note=note, on=today)

    def _renewal(self, raw: bytes, pharmacy: Pharmacy) -> str:
        blocks = messages.blocks_of(root=xml.read(raw=raw), pharmacy=pharmacy)
        return messages.renewal_request(blocks=blocks, last_fill=self.clock.now().date(), requested=3)

    def _change(self, raw: bytes, pharmacy: Pharmacy, code: str, sub: str) -> str:
        blocks = messages.blocks_of(root=xml.read(raw=raw), pharmacy=pharmacy)
        reason = "Prescribed strength on manufacturer back order." if code == "OS" else "Please confirm the prescriber."
        return messages.change_request(blocks=blocks, code=code, sub_codes=[sub] if sub else [], reason=reason)

    def _cancel(self, letter: Letter, pharmacy: Pharmacy, spi: Spi) -> None:
        found = self._by_message.get(letter.relates_to)
        if found is None and letter.order:
            found = next((row for row in reversed(self.prescriptions) if row["order"] == letter.order), None)
        if found is None or found["ncpdp"] != pharmacy.ncpdp or found["patient"] != letter.patient:
            denied, text = "AA", "Prescription not found for this patient."
        elif found["cancelled"]:
            denied, text = "AP", "Cancelled before."
        elif pharmacy.profile.cancel_denied:
            denied, text = pharmacy.profile.cancel_denied, "Transferred to another pharmacy."
        else:
            denied, text = "", "Prescription cancelled before dispensing."

        def answer() -> str:
            if not denied and found is not None:
                found["cancelled"] = True
            return messages.cancel_response(denied=denied, text=text)

        self._later(pharmacy.profile.cancel_after, "CancelRxResponse", letter, pharmacy, spi, answer)

    # writing --------------------------------------------------------------------------------------------------------

    def _later(
        self, after: float, kind: str, letter: Letter, pharmacy: Pharmacy, spi: Spi, write: Callable[[], str],
        *, known: bool = True, code: str = "",
    ) -> None:  # fmt: skip
        message_id, order, number = letter.message_id, letter.order, spi.spi

        def job() -> None:
            row = self._by_message.get(message_id)
            if kind == "RxFill" and row is not None and row["cancelled"]:
                return
            self.queue(
                kind=kind, pharmacy=pharmacy, spi=self.registry.spis[number], body=write(), order=order,
                relates_to=message_id if known else self.new_id(), code=code,
            )  # fmt: skip

        if after <= 0:
            job()
        else:
            self.clock.call_later(seconds=after, job=lambda: self._guarded(job), name=f"{kind} for {message_id}")

    def queue(
        self, *, kind: str, pharmacy: Pharmacy, spi: Spi, body: str, relates_to: str, order: str = "", code: str = "",
        raw: bytes | None = None,
    ) -> Item | None:  # fmt: skip
        """Put one message into the prescriber's mailbox; None when a service level forbids it (then journalled)."""
        message_id, now = self.new_id(), self.clock.now()
        business = kind in REQUEST_LEVEL
        if business and not (REQUEST_LEVEL[kind] in spi.levels and REQUEST_LEVEL[kind] in pharmacy.levels):
            self._note("message.suppressed", kind, message_id, relates_to, order, pharmacy, spi, {})
            return None
        header = {
            "RxReferenceNumber": f"RX-{self._numbers:07d}" if business else "",
            "PrescriberOrderNumber": order if business else "",
        }

        def render(delivered_id: str) -> bytes:
            if raw is not None:
                return raw
            return xml.message(
                to=("D", spi.spi), sender=("P", pharmacy.ncpdp), message_id=message_id, relates_to=relates_to,
                sent_at=stamp(now), body=body, delivered_id=delivered_id, header=header,
            )  # fmt: skip

        item = Item(
            kind=kind, message_id=message_id, relates_to=relates_to, account=spi.account, spi=spi.spi,
            ncpdp=pharmacy.ncpdp,
            render=render, copies=pharmacy.profile.copies,
        )  # fmt: skip
        if kind in ("RxRenewalRequest", "RxChangeRequest"):
            self.requests[message_id] = {
                "type": kind, "ncpdp": pharmacy.ncpdp, "spi": spi.spi, "code": code, "answered": "", "order": order,
                "relates_to": relates_to, "at": now.isoformat(),
            }  # fmt: skip
        self.sent[message_id] = kind
        self.mailboxes.put(item=item)
        self._note("message.queued", kind, message_id, relates_to, order, pharmacy, spi, {})
        self.on_queued(item)
        return item

    def _note(
        self, event: str, kind: str, message_id: str, relates_to: str, order: str, pharmacy: Pharmacy, spi: Spi,
        data: dict[str, Any],
    ) -> None:  # fmt: skip
        account = self.registry.accounts.get(spi.account)
        self.journal.add(
            at=self.clock.now(), kind=event, practice=account.practice if account else "", decision="",
            ids={"type": kind, "message_id": message_id, "relates_to": relates_to, "order": order,
                 "from": pharmacy.ncpdp, "to": spi.spi},
            data=data,
        )  # fmt: skip

    def keep(self, *, letter: Letter) -> None:
        """Keep the bytes of a message for the test desk, the last few thousand of them."""
        self.bodies[letter.message_id] = letter.raw
        while len(self.bodies) > BODIES_KEPT:
            self.bodies.popitem(last=False)

    def oracle(self, *, practice: str = "", order: str = "", patient: str = "", listed: bool = True) -> dict[str, Any]:
        """What the pharmacies really got: rows, and counts by order number and by patient and drug."""
        accounts = self._accounts_of(practice)
        spis = {spi.spi for spi in self.registry.spis.values() if spi.account in accounts}
        rows = [
            row for row in self.prescriptions
            if (not practice or row["spi"] in spis) and (not order or row["order"] == order)
            and (not patient or row["patient"] == patient)
        ]  # fmt: skip
        drugs = Tally((row["patient"], row["rxcui"], row["drug"]) for row in rows)
        return {
            "count": len(rows),
            "not_cancelled": sum(not row["cancelled"] for row in rows),
            "by_order": dict(Tally(row["order"] for row in rows)),
            "by_patient_and_drug": [
                {"patient": patient_id, "rxcui": rxcui, "drug": drug, "count": count}
                for (patient_id, rxcui, drug), count in drugs.items()
            ],
            "prescriptions": rows if listed else [],
        }

    def _accounts_of(self, practice: str) -> set[str]:
        return {account.key for account in self.registry.accounts.values() if account.practice == practice}


def stamp(moment: datetime) -> str:
    """A moment as the wire writes it: UTC, seconds, Z."""
    return (moment - timedelta(microseconds=moment.microsecond)).strftime("%Y-%m-%dT%H:%M:%SZ")
