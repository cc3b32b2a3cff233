"""Every reason why a correction is refused, each alone; and then nothing of it is kept."""

import pytest

from integrations.models import MirrorMedication
from review import states, workflow
from review.models import Dispatch, Kind, ReadingCorrection, RefillRequest
from review.states import RequestState
from review.workflow import Became
from tests.review import rows, taught
from tests.review.rows import NOW
from tests.review.taught import LISINOPRIL, METOPROLOL_S, METOPROLOL_T, OMEPRAZOLE, correct, refused

pytestmark = pytest.mark.django_db
R = RequestState


@pytest.fixture
def practice():
    return rows.clinic()


@pytest.fixture
def two(practice):
    """A list with two metoprolols, and a message that fits both."""
    entries = taught.listed(practice, METOPROLOL_S, METOPROLOL_T)
    return taught.item(practice, "Please refill my metoprolol", entries), entries


def test_a_locked_request_is_refused(practice, two):
    request, (right, _) = two
    RefillRequest.objects.filter(pk=request.pk).update(is_locked=True)
    with pytest.raises(workflow.Locked):
        correct(request, entry=right.external_id)
    assert not ReadingCorrection.objects.exists()


@pytest.mark.parametrize("state", [state for state in RequestState if state != R.IN_REVIEW])
def test_only_what_is_in_review_is_corrected(practice, two, state):
    request, (right, _) = two
    RefillRequest.objects.filter(pk=request.pk).update(state=state)
    with pytest.raises(states.WrongState):
        correct(request, entry=right.external_id)
    assert not ReadingCorrection.objects.exists()


@pytest.mark.parametrize(
    ("kind", "purpose", "state"),
    [("newrx", "", "queued"), ("newrx", "", "unknown"), ("newrx", "", "accepted"), ("newrx", "", "delivered"),
     ("newrx", "", "unresolved"), ("cancelrx", "", "delivered"), ("reply", "answer", "sending"),
     ("task", "controlled", "delivered"), ("task", "hand_off", "accepted"), ("page", "", "queued")])  # fmt: skip
def test_anything_on_its_way_forbids_another_drug(practice, kind, purpose, state):
    entries = taught.listed(practice, LISINOPRIL, OMEPRAZOLE)
    request = taught.refill(practice, "refill my lisinopril", entries)
    Dispatch.objects.create(
        practice=practice, request=request, kind=kind, purpose=purpose, state=state, is_shadow=False, lane="routine",
        schedule="not_controlled", document_sealed=b"x", document_sha256="0" * 64, idempotency_key="k", due_at=NOW,
        queued_at=NOW)  # fmt: skip
    refused("on_its_way", request, entry=entries[1].external_id)
    refused("on_its_way", request, entry="none")
    assert correct(request, intent="lab").became == Became.kept


def test_what_surely_did_not_arrive_forbids_nothing(practice):
    entries = taught.listed(practice, LISINOPRIL, OMEPRAZOLE)
    request = taught.refill(practice, "refill my lisinopril", entries, last_code="900")
    for key, state in (("a", "rejected"), ("b", "taken_back")):
        Dispatch.objects.create(
            practice=practice, request=request, kind="newrx", state=state, is_shadow=False, lane="routine",
            schedule="not_controlled", document_sealed=b"x", document_sha256="0" * 64, idempotency_key=key, due_at=NOW,
            queued_at=NOW)  # fmt: skip
    assert correct(request, entry=entries[1].external_id).became == Became.refill


def test_another_patients_entry_is_refused(practice, two):
    request, _ = two
    (other,) = taught.listed(practice, LISINOPRIL)
    refused("entry_not_theirs", request, entry=other.external_id)
    refused("entry_not_theirs", request, entry="999")


@pytest.mark.parametrize("gone", [{"is_active": False}, {"gone_at": NOW}])
def test_an_entry_that_is_not_active_is_refused(practice, two, gone):
    request, (right, _) = two
    MirrorMedication.objects.filter(pk=right.pk).update(**gone)
    refused("entry_not_active", request, entry=right.external_id)


def test_an_entry_of_the_other_practice_is_refused(practice, two):
    request, _ = two
    other = rows.clinic(name="Elsewhere")
    (foreign,) = taught.listed(other, LISINOPRIL, patient=request.patient_external_id)
    refused("entry_not_theirs", request, entry=foreign.external_id)


def test_a_stranger_of_the_other_practice_is_refused(practice, two):
    request, (right, _) = two
    mallory = rows.make_provider(rows.make_practice(name="Elsewhere"), "Mallory")
    refused("not_yours", request, user=mallory.user, entry=right.external_id)


@pytest.mark.parametrize(
    "values", [{"patient_external_id": ""}, {"reasons": ["identity_differs"]}, {"snapshot_sealed": None}])  # fmt: skip
def test_without_a_chart_read_for_this_sender_no_entry_is_chosen_and_a_meaning_is_kept(practice, two, values):
    request, (right, _) = two
    RefillRequest.objects.filter(pk=request.pk).update(**values)
    reason = "entry_not_theirs" if "patient_external_id" in values else "chart_not_read"
    refused(reason, request, entry=right.external_id)
    assert correct(request, intent="lab", entry="none").became == Became.kept
    assert (request.kind, ReadingCorrection.objects.count()) == (Kind.MESSAGE, 1)


def test_what_klara_says_of_a_sender_is_no_chart(practice):
    entries = taught.listed(practice, METOPROLOL_S)
    request = taught.item(practice, "refill the heart helper", entries, who={"source": "klara"})
    refused("chart_not_read", request, entry=entries[0].external_id)


@pytest.mark.parametrize("said", [{}, {"intent": "refill"}, {"mention": 0}, {"rewritten": "More of that please today"}])
def test_nothing_corrected_is_refused(practice, two, said):
    refused("nothing_corrected", two[0], **said)


def test_a_meaning_that_is_none_is_refused(practice, two):
    refused("unknown_intent", two[0], intent="whatever")


@pytest.mark.parametrize(
    "words", ["lisinopril", "my metoprolol now", "metopro", "a@b", "metoprolol!", "x " * 40, "Please refill my "
              "metoprolol and more words"])  # fmt: skip
def test_words_that_do_not_stand_in_the_message_so_are_refused(practice, two, words):
    refused("words_not_marked", two[0], intent="lab", words=words)
    refused("words_not_marked", two[0], intent="lab", mention=7)


def test_a_name_or_number_is_not_marked_as_a_drug(practice):
    entries = taught.listed(practice, METOPROLOL_S)
    request = taught.item(practice, "Reyes here, please refill 6152210147 heart helper", entries)
    refused("words_personal", request, intent="lab", words="Reyes")
    refused("words_personal", request, intent="lab", words="6152210147 heart")


@pytest.mark.parametrize(
    "text",
    ["Please refill my metoprolol", "please  REFILL my metoprolol!", "Ana needs metoprolol", "for Mrs REYES",
     "born 03/04/1968", "born March 4", "4 de marzo", "I am from 1968", "call 615-221-0147", "call (615) 221 0147",
     "member 12345", "ana@example.org", "born 1968-03-04", "call 6 1 5 2 2 1 0", "x" * 1001],
)  # fmt: skip
def test_a_rewritten_text_with_anything_personal_is_refused(practice, two, text):
    refused("rewritten_personal", two[0], intent="lab", rewritten=text)


def test_without_the_patients_name_known_no_rewritten_text_is_kept(practice, two):
    request, _ = two
    RefillRequest.objects.filter(pk=request.pk).update(snapshot_sealed=None)
    refused("rewritten_personal", request, intent="lab", rewritten="More of that please today")


def test_an_old_page_is_refused_and_told_who_was_first(practice, two):
    request, (left, right) = two
    old = request.version
    correct(request, entry=left.external_id)
    with pytest.raises(workflow.AlreadyDecided):
        correct(request, version=old, entry=right.external_id)
    assert request.entry_external_id == left.external_id
    assert ReadingCorrection.objects.count() == 1
