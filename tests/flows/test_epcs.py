"""A controlled prescription, from the patient's message to the pharmacy: only as its prescriber signed it, or never."""

import importlib
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from audit.models import Entry
from integrations.surescripts import script_read
from review import epcs, workflow
from review.models import Alarm, Dispatch, Incident, Preparation, RefillRequest, Signature
from review.states import RequestState

R = RequestState
pytestmark = pytest.mark.django_db


def load(name: str) -> Any:
    return importlib.import_module(name)


@pytest.fixture
def signing(clinic: Any, settings: Any) -> Any:
    return load("tests.signers").clinic_that_signs(clinic, settings)


def asked(signing: Any, **patient: Any) -> RefillRequest:
    """A request for zolpidem, in review with its prescriber."""
    drug = load("tests.signers").ZOLPIDEM
    who = signing.patient(medications=[{"drug": drug}], **patient)
    signing.say("Please refill my zolpidem 10 mg", who)
    signing.work()
    found = signing.house.requests()[-1]
    assert (found.state, found.schedule) == (R.IN_REVIEW, "iv"), (found.state, found.reasons)
    return found


def approved(signing: Any, request: RefillRequest, who: Any = None) -> Preparation:
    """The prescriber's yes: the bytes wait to be signed."""
    provider = who or signing.house.osei
    workflow.approve(
        request_id=request.id, user=provider.user, provider=provider, version=request.version, now=signing.now
    )
    request.refresh_from_db()
    assert request.state == R.AWAITING_SIGNATURE
    return Preparation.objects.current().get(request=request)


def sign(request: RefillRequest, who: Any, **more: Any) -> Any:
    return load("tests.signers").sign(request, who.user, **more)


def test_a_signed_prescription_reaches_the_pharmacy_once_and_is_what_was_signed(signing):
    request = asked(signing)
    prepared = approved(signing, request)
    signing.passes(minutes=5)
    assert signing.scripts_sent() == []
    answer = sign(request, signing.house.osei)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    signing.passes(seconds=20)
    (row,) = signing.at_pharmacy()
    read = script_read.read(signing.bytes_of(row))
    assert read.header.signed
    assert read.prescriber.dea_number == signing.house.osei.dea_number
    assert row["message_id"] == prepared.message_id
    signature = Signature.objects.get(request=request)
    dispatch = Dispatch.objects.get(kind="newrx")
    assert (dispatch.lane, dispatch.signature_id, dispatch.document_sha256) == (
        "epcs", signature.id, prepared.document_sha256)  # fmt: skip
    request.refresh_from_db()
    assert request.state == R.DONE
    assert Entry.objects.filter(event="epcs.signed", request_id=request.id).count() == 1
    assert signing.house.is_whole()


RIGHT = "pass-word-12345"


@pytest.mark.parametrize(
    ("password", "code"), [("wrong", ""), (RIGHT, "000000"), (RIGHT, "abcd-efgh"), ("", ""), (RIGHT, "")]
)
def test_without_both_factors_nothing_is_signed_and_nothing_leaves(signing, password, code):
    request = asked(signing)
    approved(signing, request)
    answer = sign(request, signing.house.osei, password=password, code=code or "123")
    assert answer.status_code in (422, 429)
    signing.passes(minutes=5)
    assert (signing.scripts_sent(), Signature.objects.count()) == ([], 0)
    request.refresh_from_db()
    assert request.state == R.AWAITING_SIGNATURE


def test_a_code_signs_once(signing):
    one, other = asked(signing), asked(signing, first="Ruth", last="Feld")
    approved(signing, one)
    approved(signing, other)
    code = load("tests.signers").code_of(signing.house.osei.user)
    assert sign(one, signing.house.osei, code=code).status_code == 302
    assert sign(other, signing.house.osei, code=code).status_code == 422
    assert Signature.objects.count() == 1


def test_another_prescriber_cannot_sign_and_it_is_an_incident(signing):
    request = asked(signing)
    prepared = approved(signing, request)
    answer = sign(request, signing.house.lind)
    assert answer.status_code == 403
    assert "must sign this, in person" in answer.content.decode()
    assert Incident.objects.get().kind == Incident.Kind.NOT_THE_SIGNER
    assert Entry.objects.filter(event="epcs.refused", request_id=request.id).exists()
    signing.passes(minutes=1)
    assert signing.scripts_sent() == []
    assert prepared.provider == signing.house.osei


def test_an_assistant_prepares_and_cannot_sign(signing):
    request = asked(signing)
    mia = load("tests.signers").browser(signing.house.mia)
    form = {"version": request.version, "key": "0d6f2f9e-52a5-4d0c-8f6c-2f6c3b7f0e11", "place": "desk"}
    answer = mia.post(reverse("review:prepare", args=[request.id]), form)
    assert answer.status_code == 302
    request.refresh_from_db()
    assert (request.state, request.assignee) == (R.AWAITING_SIGNATURE, signing.house.osei)
    page = mia.get(reverse("review:sign", args=[request.id])).content.decode()
    assert "must sign" in page
    assert "Your password" not in page
    assert mia.post(reverse("review:sign_now", args=[request.id]), {}).status_code == 404
    shown = load("tests.signers").browser(signing.house.osei.user).get(reverse("review:sign", args=[request.id]))
    assert "Mia Stone, who does not sign" in shown.content.decode()
    assert sign(request, signing.house.osei).status_code == 302
    signing.passes(seconds=20)
    (row,) = signing.at_pharmacy()
    assert script_read.read(signing.bytes_of(row)).prescriber.agent.last == "Stone"


def test_what_changed_since_it_was_prepared_is_not_signed(signing):
    request = asked(signing)
    prepared = approved(signing, request)
    signing.say("Actually, please send it to another pharmacy", f"pat_{request.patient_external_id}")
    signing.work()
    request.refresh_from_db()
    assert request.state == R.IN_REVIEW
    answer = sign(request, signing.house.osei, rows=[prepared])
    assert answer.status_code == 200
    assert "Nothing waits for a signature here" in answer.content.decode()
    assert Signature.objects.count() == 0
    signing.passes(minutes=5)
    assert signing.scripts_sent() == []


def test_a_list_entry_that_changed_meanwhile_stops_the_signature(signing):
    request = asked(signing)
    approved(signing, request)
    line = signing.chart_line()
    change = {"practice": "p1", "resource": "medications", "id": str(line["id"]), "record": {"dispense_quantity": 60}}
    signing.call(signing.chart, "chart", change)
    signing.looks_at_patient(f"pat_{request.patient_external_id}")
    answer = sign(request, signing.house.osei)
    assert answer.status_code == 409
    signing.passes(minutes=2)
    assert (signing.scripts_sent(), Signature.objects.count()) == ([], 0)


def test_two_of_one_patient_go_by_one_act_and_two_patients_never(signing):
    signers = load("tests.signers")
    drugs = load("integrations.sandbox.drugs")
    other = next(drug for drug in drugs.CONTROLLED if drug.schedule == "IV" and not drug.name.startswith("zolpidem"))
    who = signing.patient(medications=[{"drug": signers.ZOLPIDEM}, {"drug": other}])
    word = other.name.split()[0]
    signing.say("Please refill my zolpidem", who)
    signing.work()
    signing.passes(minutes=3)
    signing.say(f"Please refill my {word}", who)
    signing.work()
    mine = [row for row in signing.house.requests(kind="refill") if row.state == R.IN_REVIEW]
    if len(mine) < 2:
        pytest.fail(f"two requests were wanted: {[(r.kind, r.state, r.reasons) for r in signing.house.requests()]}")
    rows = [approved(signing, row) for row in mine]
    stranger = asked(signing, first="Ruth", last="Feld")
    theirs = approved(signing, stranger)
    mixed = sign(mine[0], signing.house.osei, rows=[*rows, theirs])
    assert mixed.status_code == 302  # the stranger's is not on this page and is not signed by it
    assert set(Signature.objects.values_list("request_id", flat=True)) == {row.id for row in mine}
    assert len(set(Signature.objects.values_list("batch", flat=True))) == 1
    signing.passes(seconds=30)
    assert len(signing.at_pharmacy()) == 2
    stranger.refresh_from_db()
    assert stranger.state == R.AWAITING_SIGNATURE


def test_the_prescriber_is_reminded_then_the_stand_in_then_the_on_call_and_the_stand_in_signs_as_herself(signing):
    house = signing.house
    house.lind.on_call_order = 1
    house.lind.save()
    request = asked(signing)
    approved(signing, request)
    signing.passes(minutes=14)
    assert not Dispatch.objects.filter(kind="page").exists()
    signing.passes(minutes=2)
    assert [d.target for d in Dispatch.objects.filter(kind="page")] == [str(house.osei.id)]
    signing.passes(minutes=15)
    assert {d.target for d in Dispatch.objects.filter(kind="page")} == {str(house.osei.id), str(house.lind.id)}
    lind = load("tests.signers").browser(house.lind.user)
    assert request.short_id in lind.get(reverse("review:queue")).content.decode() or (
        str(request.id) in lind.get(reverse("review:queue")).content.decode())  # fmt: skip
    form = {"version": request.version, "key": "0d6f2f9e-52a5-4d0c-8f6c-2f6c3b7f0e12", "place": "queue"}
    assert lind.post(reverse("review:prepare", args=[request.id]), form).status_code == 302
    request.refresh_from_db()
    assert sign(request, house.lind).status_code == 302
    signing.passes(seconds=20)
    (row,) = signing.at_pharmacy()
    assert script_read.read(signing.bytes_of(row)).prescriber.dea_number == house.lind.dea_number
    assert Signature.objects.get().user == house.lind.user


def test_unsigned_by_midnight_it_lapses_to_a_person(signing):
    request = asked(signing)
    approved(signing, request)
    signing.passes(hours=15, steps=5)
    request.refresh_from_db()
    assert request.state == R.IN_REVIEW
    assert "signature_lapsed" in request.reasons
    assert signing.scripts_sent() == []


def test_a_refused_signed_prescription_is_not_sent_under_another_id_and_the_on_call_is_paged(signing):
    house = signing.house
    house.lind.on_call_order = 1
    house.lind.save()
    request = asked(signing)
    approved(signing, request)
    sign(request, house.osei)
    dispatch = Dispatch.objects.get(kind="newrx")
    from_network = load("integrations.outcome")
    workflow.claim_due(now=signing.now, limit=5)
    dispatch.refresh_from_db()
    outcome = from_network.Outcome(kind=from_network.OutcomeKind.REJECTED, code="600", transient=True)
    workflow.settle(
        results=[workflow.Result(dispatch_id=dispatch.id, attempt=dispatch.attempt, outcome=outcome)], now=signing.now
    )
    request.refresh_from_db()
    assert request.state == R.IN_REVIEW
    assert Dispatch.objects.filter(kind="newrx").count() == 1
    assert Dispatch.objects.filter(kind="page", target=str(house.lind.id)).exists()


def test_an_unknown_outcome_is_repeated_as_the_identical_signed_record_only(signing):
    request = asked(signing, pharmacy="9990009")
    approved(signing, request)
    sign(request, signing.house.osei)
    signing.passes(minutes=40, steps=8)
    rows = signing.scripts_sent()
    assert len(rows) == 2
    assert {row["ids"]["message_id"] for row in rows} == {Dispatch.objects.get(kind="newrx").message_id}
    assert len(signing.at_pharmacy()) == 1


def test_bytes_that_do_not_match_their_signature_are_not_sent_and_are_an_incident(signing):
    request = asked(signing)
    approved(signing, request)
    sign(request, signing.house.osei)
    outbox, vault = load("review.outbox"), load("integrations.vault")
    dispatch = Dispatch.objects.get(kind="newrx")
    forged = outbox.document_of(dispatch).replace(b"<Value>30</Value>", b"<Value>90</Value>")
    sealed = vault.seal_payload(
        plain=forged, practice_id=dispatch.practice_id, stage=dispatch.practice.stage, purpose=outbox.PURPOSE
    )
    Dispatch.objects.filter(pk=dispatch.pk).update(document_sealed=sealed)
    signing.passes(seconds=20)
    assert signing.scripts_sent() == []
    request.refresh_from_db()
    assert (request.state, request.reasons[0]) == (R.IN_REVIEW, "signature_broken")
    assert Incident.objects.get().kind == Incident.Kind.SIGNATURE_BROKEN


def test_a_vendor_out_in_the_world_stops_signing_before_and_after_the_signature(signing):
    connections = load("integrations.models").Connection
    request = asked(signing)
    approved(signing, request)
    connections.objects.filter(vendor="klara").update(base_url="https://api.klara.com/v1")
    answer = sign(request, signing.house.osei)
    assert answer.status_code == 409
    assert "switched off" in answer.content.decode()
    connections.objects.filter(vendor="klara").update(base_url="https://klara.test/v1")
    assert sign(request, signing.house.osei).status_code == 302
    connections.objects.filter(vendor="klara").update(base_url="https://api.klara.com/v1")
    load("review.delivery").deliver_due(now=signing.now)
    assert signing.scripts_sent() == []
    request.refresh_from_db()
    assert (request.state, request.last_code) == (R.IN_REVIEW, "signing_not_here")


def test_a_signed_one_has_no_undo(signing):
    request = asked(signing)
    approved(signing, request)
    sign(request, signing.house.osei)
    request.refresh_from_db()
    with pytest.raises(workflow.NotPossible, match="not taken back"):
        workflow.take_back(request_id=request.id, user=signing.house.osei.user, version=None, now=signing.now)


def test_the_day_is_reported_and_signed_off(signing):
    request = asked(signing)
    approved(signing, request)
    sign(request, signing.house.osei, code="000000")
    sign(request, signing.house.osei)
    signing.passes(seconds=20)
    signing.goes_to(signing.now + timedelta(days=1))
    assert epcs.make_days(now=signing.now) == 1
    assert epcs.make_days(now=signing.now) == 0
    signers = load("tests.signers")
    cora = signers.browser(signing.house.cora)
    page = cora.get(reverse("review:epcs")).content.decode()
    assert "Signed: <b" in page
    assert "Ana" not in page
    day = load("review.models").EpcsDay.objects.get()
    assert (day.counts["signed"], day.counts["received"], day.counts["wrong_factors"]) == (1, 1, 1)
    address = reverse("review:epcs_review", args=[day.day.isoformat()])
    without_note = cora.post(address, {"code": signers.code_of(signing.house.cora), "note": ""})
    assert without_note.status_code == 422
    done = cora.post(address, {"code": signers.code_of(signing.house.cora), "note": "A mistyped code."})
    assert done.status_code == 302
    day.refresh_from_db()
    assert day.reviewed_by == signing.house.cora


def test_an_incident_not_reported_in_a_business_day_is_an_alarm(signing):
    workflow.report_found(
        practice=signing.house.practice, user=signing.house.cora, kind="other", words="A token lay on a desk",
        now=signing.now,
    )  # fmt: skip
    signing.goes_to(signing.now + timedelta(hours=25))
    epcs.make_days(now=signing.now)
    assert Alarm.objects.filter(kind="incident_late").exists()


def test_reporting_the_token_lost_ends_the_right_at_once(signing):
    request = asked(signing)
    approved(signing, request)
    osei = load("tests.signers").browser(signing.house.osei.user)
    assert osei.post(reverse("review:token_lost", args=[request.id])).status_code == 302
    assert Incident.objects.get().kind == Incident.Kind.TOKEN_LOST
    answer = sign(request, signing.house.osei)
    assert answer.status_code == 409
    assert "no standing right" in answer.content.decode()
    assert Signature.objects.count() == 0


def test_a_burst_of_signed_prescriptions_keeps_its_lane_and_leaves_the_routine_lane_alone(signing, settings):
    settings.SURESCRIPTS_CONTROLLED_PER_MINUTE = 3
    for number in range(5):
        request = asked(signing, first=f"Pat{chr(97 + number)}", last=f"Vale{chr(97 + number)}")
        approved(signing, request)
        sign(request, signing.house.osei)
    load("review.delivery").deliver_due(now=signing.now)
    assert len(signing.scripts_sent()) == 3
    assert Dispatch.objects.filter(lane="epcs", state="retry_wait").count() == 2
    ruth = signing.patient("Ruth", "Feld")
    signing.asks(ruth)
    signing.work(rounds=4)
    assert len(signing.scripts_sent()) >= 4
    signing.passes(minutes=2, steps=4)
    assert len(signing.at_pharmacy()) == 6


def test_a_signed_prescription_does_not_wait_behind_a_flood_of_routine_ones(signing):
    request = asked(signing)
    approved(signing, request)
    pattern = asked(signing, first="Ruth", last="Feld")
    outbox = load("review.outbox")
    flood = [
        outbox.freeze(request=pattern, kind="task", document={"number": n}, now=signing.now - timedelta(minutes=5),
                      revision=1000 + n)
        for n in range(300)
    ]  # fmt: skip
    Dispatch.objects.bulk_create(flood)
    sign(request, signing.house.osei)
    claimed = workflow.claim_due(now=signing.now, limit=48)
    assert "epcs" in {row.lane for row in claimed}
