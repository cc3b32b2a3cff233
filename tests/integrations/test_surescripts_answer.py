"""Our answers to pharmacies: which outcome, what is echoed, what is refused."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.sandbox import surescripts_structure
from integrations.surescripts import script_answer, script_read
from integrations.surescripts.script_checks import ControlledDrug, DoesNotFit
from integrations.surescripts.script_model import MessageKind, NetworkMessage, Prescription, Reply, Schedule
from tests.integrations import surescripts_cast as cast

REQUEST = script_read.read(cast.sample("rxrenewal_request.xml"))
CHANGE = script_read.read(cast.sample("rxchange_request.xml"))


def asked(**changes: Any) -> Prescription:
    assert REQUEST.dispensed is not None
    return replace(REQUEST.dispensed, **changes)


def granted(**changes: Any) -> Prescription:
    return asked(**{"refills": 3, "requested_refills": None, "written_on": cast.PRESCRIPTION.written_on, **changes})


def answer(*, reply: Reply, request: NetworkMessage = REQUEST, **changes: Any) -> NetworkMessage:
    document = script_answer.build_renewal_response(
        envelope=cast.ENVELOPE, request=request, reply=reply, patient=cast.PATIENT, prescriber=cast.PRESCRIBER,
        prescription=granted(**changes),
    )  # fmt: skip
    surescripts_structure.check_message(root=ElementTree.fromstring(document))  # noqa: S314 - our own bytes
    return script_read.read(document)


@pytest.mark.parametrize(
    ("requested", "refills", "change", "outcome"),
    [
        (None, 2, {}, "Approved"),
        (3, 3, {}, "Approved"),
        (3, 1, {}, "ApprovedWithChanges"),
        (1, 3, {}, "ApprovedWithChanges"),
        (3, 3, {"sig": "Take 1 tablet at bedtime."}, "Replace"),
        (3, 3, {"quantity": Decimal(30)}, "Replace"),
        (3, 3, {"days_supply": 30}, "Replace"),
        (3, 3, {"substitution_allowed": False}, "Replace"),
        (3, 3, {"drug": replace(cast.DRUG, rxcui="314077")}, "Replace"),
        (3, 1, {"drug": replace(cast.DRUG, rxcui="314077")}, "Replace"),
    ],
)
def test_which_answer_follows_from_what_differs(
    requested: int | None, refills: int, change: dict[str, Any], outcome: str
) -> None:
    before = asked(requested_refills=requested)
    assert script_answer.outcome_of(asked=before, granted=granted(refills=refills, **change)) == outcome


def test_the_answer_goes_back_to_whom_asked_about_that_very_message() -> None:
    made = answer(reply=Reply(kind="ApprovedWithChanges", text="One more, then a visit."), refills=1)
    assert made.kind is MessageKind.RX_RENEWAL_RESPONSE
    assert (made.header.to, made.header.sender) == (REQUEST.header.sender, REQUEST.header.to)
    assert made.header.relates_to == REQUEST.header.message_id
    assert made.header.rx_reference == REQUEST.header.rx_reference
    assert made.header.order_number == REQUEST.header.order_number
    assert made.pharmacy == REQUEST.pharmacy
    assert made.prescribed is not None
    assert made.prescribed.refills == 1
    assert made.reply == Reply(kind="ApprovedWithChanges", text="One more, then a visit.")


def test_a_request_without_an_order_number_is_answered_with_ours() -> None:
    bare = replace(REQUEST, header=replace(REQUEST.header, order_number=""))
    assert answer(reply=Reply(kind="Approved"), request=bare).header.order_number == cast.ENVELOPE.order_number


controlled = st.sampled_from([one for one in Schedule if one is not Schedule.NOT_CONTROLLED])


@given(controlled, st.sampled_from(sorted(script_answer.GRANTS)))
def test_nothing_controlled_or_unknown_is_ever_granted_here(schedule: Schedule, kind: str) -> None:
    drug = replace(cast.DRUG, schedule=schedule)
    with pytest.raises(ControlledDrug):
        answer(reply=Reply(kind=kind), drug=drug)
    prescribed = replace(cast.PRESCRIPTION, drug=drug)
    with pytest.raises(ControlledDrug):
        script_answer.build_change_response(
            envelope=cast.ENVELOPE, request=replace(CHANGE, prescribed=prescribed), reply=Reply(kind=kind),
            prescriber=cast.PRESCRIBER,
        )  # fmt: skip


def test_a_controlled_drug_may_be_denied() -> None:
    drug = replace(cast.DRUG, schedule=Schedule.II)
    made = answer(reply=script_answer.denial(code="AM", text="Please book a visit."), drug=drug, refills=0)
    assert made.reply == Reply(kind="Denied", reason_codes=("AM",), text="Please book a visit.")


@pytest.mark.parametrize(
    ("reply", "change", "field"),
    [
        (Reply(kind="Approved"), {"refills": 0}, "MedicationResponse/NumberOfRefills"),
        (Reply(kind="Denied"), {}, "Response/ReasonCode"),
        (Reply(kind="Denied", reason_codes=("AL",)), {}, "Response/ReasonCode"),
        (Reply(kind="Approved", text="x" * 71), {}, "Response/Note"),
        (Reply(kind="Approved"), {"written_on": None}, "MedicationResponse/WrittenDate"),
    ],
)
def test_what_cannot_be_answered_is_named(reply: Reply, change: dict[str, Any], field: str) -> None:
    with pytest.raises(DoesNotFit) as caught:
        answer(reply=reply, **change)
    assert field in {problem.field for problem in caught.value.problems}


def test_only_a_request_is_answered() -> None:
    with pytest.raises(script_answer.NotAnswerable):
        answer(reply=Reply(kind="Approved"), request=CHANGE)
    with pytest.raises(script_answer.NotAnswerable):
        script_answer.build_change_response(
            envelope=cast.ENVELOPE, request=REQUEST, reply=Reply(kind="Approved"), prescriber=cast.PRESCRIBER
        )
    with pytest.raises(DoesNotFit):
        script_answer.denial(code="AL")


def test_a_change_request_is_denied_with_its_codes_echoed() -> None:
    document = script_answer.build_change_response(
        envelope=cast.ENVELOPE, request=CHANGE, prescriber=cast.PRESCRIBER,
        reply=Reply(kind="Denied", reason_codes=("AL",), text="Keep lisinopril."),
    )  # fmt: skip
    surescripts_structure.check_message(root=ElementTree.fromstring(document))  # noqa: S314 - our own bytes
    made = script_read.read(document)
    assert (made.kind, made.change_code) == (MessageKind.RX_CHANGE_RESPONSE, "OS")
    assert made.header.relates_to == CHANGE.header.message_id
