"""The network took the prescription and its answer was lost: the pharmacy has it once, however the answer was lost.

A slice here; `make soak ARGS=tests/flows/test_lost_answers.py` loses ANSWERS of them (10,000). Only the wire is played:
each prescription is a copy of one real approval under its own patient, order and message id.
"""

import os
import random
import uuid
from collections import Counter
from typing import Any

import pytest

from integrations import vault
from integrations.models import MirrorMedication, MirrorPatient
from review import delivery, mailbox, outbox, timers, workflow
from review.models import Dispatch, RefillRequest
from review.states import RequestState

# Each loses the answer of a message that the network has taken.
LOSSES = (
    {"kind": "drop", "after_commit": True},
    {"kind": "hang", "seconds": 600, "after_commit": True},
    {"kind": "status", "status": 504, "after_commit": True},
    {"kind": "body", "body": "no XML", "content_type": "text/plain", "after_commit": True},
    {"kind": "truncate", "keep": 40, "after_commit": True},
)
OTHERS = ("klara", "drchrono", "page")  # lanes that are not played
AT_ONCE = 480


def pattern(clinic: Any) -> tuple[RefillRequest, bytes]:
    """One approved request and the bytes of its prescription; what it was goes no further itself."""
    clinic.house.change(undo_seconds_automatic=1800)
    clinic.asks(clinic.patient())
    clinic.work()
    request = clinic.house.request(source="klara")
    assert request.state == RequestState.APPROVED
    dispatch = Dispatch.objects.select_related("practice", "request").get(request=request, kind="newrx")
    body = outbox.document_of(dispatch)
    workflow.take_back(request_id=request.id, user=clinic.house.osei.user, version=None, now=clinic.now)
    request.refresh_from_db()
    request.prescriber = clinic.house.osei
    return request, body


def copies(clinic: Any, request: RefillRequest, body: bytes, count: int) -> None:
    """So many prescriptions of other patients, due now."""
    entry = MirrorMedication.objects.get(external_id=request.entry_external_id)
    patient = MirrorPatient.objects.get(external_id=request.patient_external_id)
    number = _between(body, b"<PrescriberOrderNumber>")
    message = _between(body, b"<MessageID>")
    chart = _between(body, b"<MedicalRecordIdentificationNumberEHR>")
    body = _dated(clinic, body)
    requests, dispatches, entries = [], [], []
    people = []
    for _ in range(count):
        mark = uuid.uuid4()
        person = MirrorPatient(practice=entry.practice, external_id=mark.hex[:24], doctor_external_id="", status="A",
                               patient_read_at=clinic.now, medications_read_at=clinic.now,
                               last_visit_on=patient.last_visit_on)  # fmt: skip
        people.append(person)
        made = RefillRequest.objects.get(pk=request.pk)
        made.pk = made.id = mark
        made.state, made.queue, made.conversation_id, made.sender_id = RequestState.APPROVED, "", "", ""
        made.patient_external_id, made.entry_external_id = person.external_id, mark.hex[:30]
        made.approved_at = made.snapshot_at = made.opened_at = clinic.now
        made.prescriber, made.is_automatic = request.prescriber, False
        requests.append(made)
        line = MirrorMedication.objects.get(pk=entry.pk)
        line.pk, line.external_id, line.patient = None, made.entry_external_id, person
        entries.append(line)
        document = body.replace(message, mark.hex.encode()).replace(number, f"RH-{mark.hex[:20]}-01".encode())
        document = document.replace(chart, f"DRC-{person.external_id}".encode())
        dispatches.append(
            outbox.freeze(request=made, kind="newrx", document=document, now=clinic.now, message_id=mark.hex,
                          order_number=f"RH-{mark.hex[:20]}-01", target="9990001")
        )  # fmt: skip
    MirrorPatient.objects.bulk_create(people)
    MirrorMedication.objects.bulk_create(entries)
    RefillRequest.objects.bulk_create(requests)
    Dispatch.objects.bulk_create(dispatches)


def _dated(clinic: Any, body: bytes) -> bytes:
    """The same prescription written and sent today: the network refuses a message of another day."""
    sent = _between(body, b"<SentTime>")
    written = _between(body, b"<WrittenDate><Date>")
    body = body.replace(sent, f"{clinic.now:%Y-%m-%dT%H:%M:%SZ}".encode())
    return body.replace(b"<WrittenDate><Date>" + written, f"<WrittenDate><Date>{clinic.now:%Y-%m-%d}".encode())


def _between(body: bytes, tag: bytes) -> bytes:
    return body.partition(tag)[2].partition(b"<")[0]


def lose(clinic: Any, *, dice: random.Random) -> None:
    """Send what is due; nine answers of ten are lost, then one of ten while unknown outcomes are looked for."""
    _losses(clinic, share=0.9)
    while True:
        clinic.clock.advance(seconds=7)  # the practice's allowance is 600 a minute
        rows = workflow.claim_due(now=clinic.now, limit=48, skip_lanes=OTHERS)
        if not rows:
            break
        delivery._send_all(rows=rows, now=clinic.now)
    _losses(clinic, share=0.1)
    for _ in range(dice.choice((9, 14))):
        clinic.clock.advance(seconds=300)
        mailbox.poll(now=clinic.now)
        while delivery.repeat_due(now=clinic.now):
            clinic.clock.advance(seconds=7)
    clinic.network.faults.clear()
    for _ in range(3):
        clinic.clock.advance(seconds=9 * 3600)
        mailbox.poll(now=clinic.now)
        while delivery.repeat_due(now=clinic.now):
            clinic.clock.advance(seconds=7)
        timers.settle_unresolved(now=clinic.now)


def _losses(clinic: Any, *, share: float) -> None:
    """Each kind of loss strikes from now on, all together this share of the answers, polls' answers too."""
    clinic.network.faults.clear()
    for place, loss in enumerate(LOSSES):
        rate = share / len(LOSSES) / (1 - place * share / len(LOSSES))
        clinic.fault(clinic.network, method="POST", path="/script", times=None, rate=rate, **loss)


def judge(clinic: Any, asked: int) -> Counter[str]:
    """What the pharmacies' own journal says, and what became of each request."""
    arrived = Counter(row["patient"] for row in clinic.at_pharmacy())
    states = Counter(
        RefillRequest.objects.exclude(queue="prescriber", is_locked=False).values_list("state", flat=True)
    )  # fmt: skip
    return Counter(
        {
            "asked": asked, "arrived": len(arrived), "doubled": sum(1 for n in arrived.values() if n > 1),
            "lost": asked - len(arrived), "known": states[RequestState.DONE] + states[RequestState.SENT],
            "locked": RefillRequest.objects.filter(is_locked=True).count(),
            "repeated": Dispatch.objects.filter(was_repeated=True).count(),
        }
    )  # fmt: skip


def play(clinic: Any, *, wanted: int, seed: int) -> Counter[str]:
    dice, asked = random.Random(seed), 0
    request, body = pattern(clinic)
    while asked < wanted:
        count = min(AT_ONCE, wanted - asked)
        copies(clinic, request, body, count)
        asked += count
        lose(clinic, dice=dice)
        vault.forget()
        print(f"seed {seed}: {dict(judge(clinic, asked))}", flush=True)
    return judge(clinic, asked)


def test_a_lost_answer_never_doubles_a_prescription(clinic: Any) -> None:
    found = play(clinic, wanted=40, seed=7)
    assert (found["doubled"], found["lost"]) == (0, 0), found
    assert found["known"] + found["locked"] == 40, found
    assert found["locked"] <= 4, found
    assert found["known"] + found["repeated"] > 0


@pytest.mark.soak
def test_ten_thousand_lost_answers_double_none(clinic: Any) -> None:
    wanted = int(os.environ.get("ANSWERS", "10000"))
    found = play(clinic, wanted=wanted, seed=random.SystemRandom().randrange(10**9))
    assert (found["doubled"], found["lost"]) == (0, 0), found
    assert found["known"] + found["locked"] == wanted, found
