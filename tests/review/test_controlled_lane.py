"""No controlled or unknown drug leaves unsigned: what the database refuses, whatever code asks it."""

import hashlib
import importlib
import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refillhub.practices.factors import Proof
from review import signing, workflow
from review.models import Dispatch, Preparation, Signature
from review.states import DispatchState
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
SCHEDULES = ["not_controlled", "ii", "iii", "iv", "v", "unknown", ""]


def load(name):
    return importlib.import_module(name)


@pytest.fixture
def scene(settings):
    made = load("tests.review.scene").set_up()
    made.osei.dea_number, made.lind.dea_number = "AO1234563", "BL1234563"
    load("tests.signers").signs_here(settings, made.practice, made.osei, made.lind, asked_by=made.ada)
    return made


def prepared(scene, schedule="iv"):
    """A preparation and its request, put there by hand."""
    request = load("tests.review.scene").waiting(scene)
    request.schedule = schedule
    request.state, request.assignee = "awaiting_signature", scene.osei
    request.save()
    body = b"<Message>zolpidem</Message>"
    row = Preparation.objects.create(
        practice=scene.practice, request=request, provider=scene.osei, version=request.version, schedule=schedule,
        document_sealed=b"x", document_sha256=hashlib.sha256(body).hexdigest(), message_id=uuid.uuid4().hex,
        order_number="RH-1", target="9990001", prepared_by=scene.mia, prepared_at=NOW,
        expires_at=NOW + timedelta(hours=5),
    )  # fmt: skip
    return request, row


def signed(scene, row, **more):
    values = {
        "practice": scene.practice, "preparation": row, "request": row.request, "provider": scene.osei,
        "user": scene.osei.user, "dea_number": "AO1234563", "document_sha256": row.document_sha256,
        "batch": uuid.uuid4(), "signed_at": NOW, "value": b"v", "public_key": b"k", **more,
    }  # fmt: skip
    return Signature.objects.create(**values)


def dispatch(scene, row, **more):
    return Dispatch(
        id=uuid.uuid4(), practice=scene.practice, kind="newrx", state="queued", is_shadow=False,
        document_sealed=b"x", due_at=NOW, queued_at=NOW, idempotency_key=uuid.uuid4().hex,
        **{"request": row.request, "schedule": row.schedule, "message_id": row.message_id,
           "document_sha256": row.document_sha256, **more},
    )  # fmt: skip


def is_refused(row):
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except DatabaseError:
        return True
    return False


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    schedule=st.sampled_from(SCHEDULES),
    lane=st.sampled_from(["routine", "epcs", "klara"]),
    state=st.sampled_from([one.value for one in DispatchState if one != DispatchState.SHADOWED]),
    by_hand=st.sets(st.sampled_from(["signed_by", "signed_at", "signature"])),
    twist=st.sampled_from(["", "hash", "message", "signer", "moment", "request", "schedule"]),
)
def test_only_the_signed_bytes_pass_the_controlled_lane_and_only_a_known_drug_the_routine_one(
    scene, schedule, lane, state, by_hand, twist
):
    _, row = prepared(scene)
    signature = signed(scene, row)
    given_ = {"signed_by": scene.osei.user, "signed_at": NOW, "signature": signature}
    values = {name: given_[name] for name in by_hand}
    changes = {
        "": {}, "hash": {"document_sha256": "0" * 64}, "message": {"message_id": uuid.uuid4().hex},
        "signer": {"signed_by": scene.lind.user}, "moment": {"signed_at": NOW + timedelta(seconds=1)},
        "request": {"request": load("tests.review.scene").waiting(scene)}, "schedule": {"schedule": "ii"},
    }[twist]  # fmt: skip
    drug = {} if twist == "schedule" else {"schedule": schedule}
    made = dispatch(scene, row, **{"lane": lane, **drug, **values, **changes})
    made.state = state
    is_routine = lane == "routine" and made.schedule == "not_controlled"
    is_signed = lane == "epcs" and by_hand == {"signed_by", "signed_at", "signature"} and not twist
    is_signed = is_signed and schedule == "iv"
    assert is_refused(made) is not (is_routine or is_signed)


def test_a_signature_is_neither_changed_nor_deleted(scene):
    _, row = prepared(scene)
    signature = signed(scene, row)
    with pytest.raises(DatabaseError, match="kept as they are"), transaction.atomic():
        Signature.objects.filter(pk=signature.pk).update(dea_number="AO0000000")
    with pytest.raises(DatabaseError, match="kept as they are"), transaction.atomic():
        Signature.objects.filter(pk=signature.pk).delete()


def test_a_dispatch_as_signed_cannot_get_other_bytes_afterwards(scene):
    _, row = prepared(scene)
    made = dispatch(scene, row, lane="epcs", signed_by=scene.osei.user, signed_at=NOW, signature=signed(scene, row))
    assert not is_refused(made)
    for change in ({"document_sha256": "1" * 64}, {"signed_by": scene.lind.user}, {"message_id": "b" * 32}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Dispatch.objects.filter(pk=made.pk).update(**change)


@pytest.mark.parametrize("schedule", ["unknown", "not_controlled", ""])
def test_nothing_but_two_to_five_is_ever_prepared(scene, schedule):
    with pytest.raises(DatabaseError):
        prepared(scene, schedule=schedule)


@pytest.mark.parametrize(
    ("who", "at", "what"), [("lind", 0, "right"), ("osei", 1, "right"), ("osei", 0, "another"), ("mia", 0, "right")]
)
def test_a_proof_of_another_person_moment_or_content_signs_nothing(scene, who, at, what):
    _, row = prepared(scene)
    digest = signing.digest([row.document_sha256]) if what == "right" else signing.digest(["0" * 64])
    user = scene.users()["osei"]
    proof = Proof(user_id=scene.users()[who].pk, digest=digest, at=NOW + timedelta(seconds=at))
    with pytest.raises(workflow.NotPossible) as refused:
        workflow.sign(practice=scene.practice, preparations=[row.id], user=user, proof=proof, now=NOW)
    assert refused.value.reason == "factors_elsewhere"
    assert not Signature.objects.exists()
    assert not Dispatch.objects.filter(kind="newrx").exists()


def test_another_practices_preparation_cannot_be_signed(scene):
    _, row = prepared(scene)
    proof = Proof(user_id=scene.mallory.user.pk, digest=signing.digest([row.document_sha256]), at=NOW)
    with pytest.raises(workflow.NotPossible):
        workflow.sign(practice=scene.other, preparations=[row.id], user=scene.mallory.user, proof=proof, now=NOW)
    assert not Signature.objects.exists()
