"""The operations: who may call which, what is told of a patient, versions, one key one attempt, paging, controlled."""

import ast
import uuid
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import chain
from audit.models import Entry
from integrations.models import Connection, MirrorMedication, PharmacyEntry
from refillhub.practices import clock
from refillhub.practices.models import Provider
from review import workflow
from review.api import idempotency, views
from review.models import ApiReceipt, Dispatch, DispatchKind, Preparation, Queue, RefillRequest, Signature
from tests import signers
from tests.review import scene as make
from tests.review.api.programs import BODIES, program
from tests.review.rows import NOW

NAME, BORN = "Quartermaine", "1968-03-04"


def paths(row_id):
    """Every operation of the schema: method, path under /api/v1/, name."""
    for path, methods in views.document()["paths"].items():
        for method in methods:
            yield method, path.removeprefix("/api/v1/").format(request_id=row_id), path.rstrip("/").rpartition("/")[2]


def call(caller, method, path, name, row):
    return caller.get(path) if method == "get" else caller.act(name, row)


# --- who ----------------------------------------------------------------------------------------------------------

P, M, C = {"osei"}, {"mia"}, {"cora"}
MAY = {
    "me": P | M | C, "queue": P | M | C, "{request_id}": P | M, "audit": C, "approve": P, "deny": P, "ask-visit": P,
    "answer": P | M, "take-back": P | M,
}  # fmt: skip


@pytest.mark.parametrize("who", ["osei", "mia", "cora"])
def test_each_role_calls_what_its_pages_offer_and_nothing_else(scene, who):
    row = make.message(scene, queue=Queue.ASSISTANT)
    caller = program(scene, who)
    seen = set()
    for method, path, name in paths(row.id):
        name = "{request_id}" if name == str(row.id) or name == "{request_id}" else name
        seen.add(name)
        answer = call(caller, method, path, name, row)
        assert (answer.status_code != 403) == (who in MAY[name]), (name, answer.content)
    assert seen == set(MAY)


@pytest.mark.parametrize("scope", ["read", "decide"])
def test_a_scope_opens_its_own_operations_only(scene, scope):
    row = make.waiting(scene)
    caller = program(scene, "osei", scopes=[scope])
    reads = [caller.get("queue/"), caller.get(f"requests/{row.id}/")]
    writes = [caller.act(name, row, version=99) for name in BODIES]
    assert {one.status_code == 403 for one in reads} == {scope != "read"}
    assert {one.status_code == 403 for one in writes} == {scope != "decide"}


def test_a_stranger_reaches_nothing_of_ours_by_any_operation(scene):
    row = make.waiting(scene, first="Zenobia", last=NAME)
    row.refresh_from_db()
    before = RefillRequest.objects.values().get(pk=row.pk)
    entries = Entry.objects.filter(practice_id=scene.practice.id).count()
    caller = program(scene, "mallory")
    for method, path, name in paths(row.id):
        answer = call(caller, method, path, name, row)
        expected = {200} if name in ("me", "queue") else {403} if name == "audit" else {404}
        assert answer.status_code in expected, path
        for secret in (NAME, str(row.id), "isinopril", scene.practice.name):
            assert secret not in answer.content.decode(), (path, secret)
    assert RefillRequest.objects.values().get(pk=row.pk) == before
    assert Entry.objects.filter(practice_id=scene.practice.id).count() == entries
    assert not ApiReceipt.objects.exists()
    assert not Dispatch.objects.filter(request=row).exists()


# --- what is told -------------------------------------------------------------------------------------------------


def test_the_patient_is_told_only_to_tokens_that_may_decide(scene):
    row = make.waiting(scene, first="Zenobia", last=NAME, text="Please refill, it burns")
    reader, decider = program(scene, "osei", scopes=["read"]), program(scene, "osei", scopes=["read", "decide"])
    told = decider.get(f"requests/{row.id}/").json()
    assert told["patient"] == {"name": f"Zenobia {NAME}", "birth_date": BORN}
    assert told["may"] == ["approve", "deny", "ask-visit"]
    for answer in (reader.get(f"requests/{row.id}/"), reader.get("queue/"), decider.get("queue/")):
        text = answer.content.decode()
        assert "isinopril" in text
        for secret in (NAME, "Zenobia", BORN, "burns"):
            assert secret not in text
    assert reader.get(f"requests/{row.id}/").json()["patient"] is None


def test_a_request_comes_with_criteria_trace_and_what_left_for_it(scene):
    row = make.waiting(scene)
    caller = program(scene, "osei")
    caller.act("deny", row)
    told = caller.get(f"requests/{row.id}/").json()
    assert told["decision"]["trace"]
    assert {one["kind"] for one in told["decision"]["criteria"]} >= {"fail", "pass"}
    (sent,) = told["dispatches"]
    assert (sent["kind"], sent["purpose"], sent["state"]) == ("reply", "denied", "queued")
    assert (told["request"]["state"], told["decided_by"]) == ("denied", str(scene.osei.user_id))
    assert told["may"] == ["take-back"]


def test_the_queue_says_how_pressing_each_is_and_is_filtered_by_state(scene):
    soon = make.waiting(scene, days_left=2)
    danger = make.message(scene, queue=Queue.PRESCRIBER)
    held = make.waiting(scene, days_left=12)
    RefillRequest.objects.filter(pk=held.pk).update(state="held", queue=Queue.NOBODY)
    caller = program(scene, "mia")
    found = {one["id"]: one for one in caller.get("queue/").json()["items"]}
    assert found[str(soon.id)]["urgency"] == "within_3_days"
    assert (found[str(soon.id)]["days_left"], found[str(soon.id)]["age_minutes"]) == (2, 75)
    assert found[str(danger.id)]["urgency"] == "read_first"
    assert found[str(danger.id)]["reasons"][0]["code"] == "symptom"
    assert [one["id"] for one in caller.get("queue/", state="held").json()["items"]] == [str(held.id)]


@pytest.mark.parametrize(
    "query",
    [{"state": "done"}, {"limit": "101"}, {"limit": "0"}, {"cursor": "x"}, {"cursor": "%00"}, {"stat": "held"},
     {"cursor": "OTk5OS0xMi0zMVQyMzo1OTo1OS0yMzo1OX4wZDRjMWE5ZS03N2IyLTRiMWUtOGMxMS01ZjBmMGU5ZDdhMTA"}],
)  # fmt: skip
def test_a_parameter_that_is_not_one_is_refused_and_named(scene, query):
    answer = program(scene, "osei").get("queue/", **query)
    assert answer.status_code == 400
    assert answer.json()["field"] == next(iter(query))


def test_pages_of_the_queue_neither_skip_nor_repeat_while_others_come_and_go(scene):
    rows = [make.waiting(scene) for _ in range(5)]
    RefillRequest.objects.update(opened_at=NOW)  # all at one moment: the id decides
    caller = program(scene, "osei")
    seen, cursor = [], None
    while True:
        page = caller.get("queue/", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [one["id"] for one in page["items"]]
        if cursor is None:
            RefillRequest.objects.filter(pk=seen[0]).update(state="cancelled")
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(str(row.id) for row in rows)


def test_reading_costs_the_same_few_queries_however_much_waits(scene):
    caller = program(scene, "osei")
    counts = []
    for _ in range(2):
        make.waiting(scene)
        caller.get("queue/")
        with CaptureQueriesContext(connection) as seen:
            caller.get("queue/")
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 5


# --- the trail ----------------------------------------------------------------------------------------------------


def test_the_trail_comes_in_order_by_pages_and_its_hashes_hold(scene):
    make.waiting(scene, first="Zenobia", last=NAME)
    caller = program(scene, "cora")
    found, after = [], 0
    while after is not None:
        page = caller.get("audit/", after=after, limit=2).json()
        found += page["entries"]
        after = page["next"]
    assert [one["number"] for one in found] == list(range(1, len(found) + 1))
    assert NAME not in str(found)
    previous = chain.GENESIS
    for one in found:
        assert chain.link(previous=previous, body=one["body"].encode()) == one["hash"]
        previous = one["hash"]


def test_an_export_is_an_entry_itself_and_reading_of_it_does_not_go_on_for_ever(scene):
    make.waiting(scene)
    caller = program(scene, "cora")
    last = caller.get("audit/").json()["entries"][-1]["number"]
    own = caller.get("audit/", after=last).json()["entries"]
    assert [one["event"] for one in own] == ["audit.exported"]
    assert own[0]["data"]["up_to"] == last
    assert caller.get("audit/", after=own[0]["number"]).json() == {"entries": [], "next": None}


# --- acts ---------------------------------------------------------------------------------------------------------


def test_approving_asks_about_unmet_criteria_and_then_leaves_after_the_undo_time(scene):
    row = make.waiting(scene)
    caller = program(scene, "osei")
    asked = caller.act("approve", row, although=False)
    assert (asked.status_code, asked.json()["code"], asked.json()["field"]) == (422, "question", "although")
    assert asked.json()["message"].startswith("Approve although")
    assert not Dispatch.objects.exists()
    done = caller.act("approve", row)
    assert (done.status_code, done.json()["state"]) == (200, "approved")
    sent = Dispatch.objects.get(request=row, kind=DispatchKind.NEWRX)
    assert (sent.state, (sent.due_at - NOW).total_seconds()) == ("queued", 30)
    row.refresh_from_db()
    assert row.decided_by == scene.osei.user
    told = Entry.objects.filter(request_id=row.id).order_by("-number").values_list("event", flat=True)[:3]
    assert set(told) >= {"token.asked", "request.approved"}


def test_each_act_does_what_its_page_does(scene):
    caller = program(scene, "osei")
    for name, state in (("deny", "denied"), ("ask-visit", "visit_asked")):
        row = make.waiting(scene)
        assert caller.act(name, row).json()["state"] == state
        row.refresh_from_db()
        assert caller.act("take-back", row).json()["state"] == "in_review"
        row.refresh_from_db()
        assert row.state == "in_review"
        assert {one.state for one in Dispatch.objects.filter(request=row)} == {"taken_back"}
    item = make.message(scene, queue=Queue.ASSISTANT)
    assert program(scene, "mia").act("answer", item).json()["state"] == "answered"


def test_the_second_of_two_is_told_the_state_and_version_that_stand(scene):
    row = make.waiting(scene)
    first, second = program(scene, "osei"), program(scene, "lind")
    assert first.act("deny", row).status_code == 200
    lost = second.act("approve", row)
    row_now = RefillRequest.objects.get(pk=row.pk)
    assert lost.status_code == 409
    assert lost.json() | {"message": ""} == {
        "code": "already_decided", "message": "", "state": "denied", "version": row_now.version,
    }  # fmt: skip
    assert row_now.decided_by == scene.osei.user


def test_an_old_version_never_acts(scene):
    row = make.waiting(scene)
    assert program(scene, "osei").act("approve", row, version=row.version + 1).status_code == 409
    row.refresh_from_db()
    assert row.state == "in_review"


def test_what_may_be_at_the_pharmacy_is_locked(scene):
    row = make.waiting(scene, is_locked=True)
    for name in ("approve", "deny", "ask-visit"):
        answer = program(scene, "osei").act(name, row)
        assert (answer.status_code, answer.json()["code"]) == (423, "locked"), name


def test_what_the_verb_refuses_comes_with_its_code_and_sentence(scene):
    row = make.waiting(scene)
    MirrorMedication.objects.update(is_active=False)
    answer = program(scene, "osei").act("approve", row)
    assert (answer.status_code, answer.json()["code"]) == (422, "entry_gone")
    assert "no longer active" in answer.json()["message"]


def test_only_a_prescriber_with_a_record_of_their_own_approves(scene):
    row = make.waiting(scene)
    Provider.objects.filter(pk=scene.osei.pk).update(user=None)
    assert program(scene, "osei").act("approve", row).json()["code"] == "no_provider"
    assert not Dispatch.objects.exists()


def test_an_assistant_ends_only_what_is_on_the_assistants_list(scene):
    row = make.message(scene, queue=Queue.PRESCRIBER)
    answer = program(scene, "mia").act("answer", row)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_offered")
    row.refresh_from_db()
    assert row.state == "in_review"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "version"), ({"version": "1"}, "version"), ({"version": True}, "version"), ({"version": 0}, "version"),
        ({"version": 1, "although": "yes"}, "although"), ({"version": 1, "althoug": True}, "althoug"),
        ({"version": 2**40}, "version"), ([], None), ("text", None), (None, "version"),
    ],
)  # fmt: skip
def test_a_body_that_is_not_one_is_refused_before_anything_is_kept(scene, body, field):
    row = make.waiting(scene)
    answer = program(scene, "osei").post(f"requests/{row.id}/approve/", body)
    assert (answer.status_code, answer.json().get("field")) == (400, field)
    assert not ApiReceipt.objects.exists()


def test_bodies_that_are_no_json_or_far_too_much_are_refused(scene):
    row = make.waiting(scene)
    caller = program(scene, "osei")
    path, headers = f"/api/v1/requests/{row.id}/approve/", caller.headers(**{"Idempotency-Key": "key-00000"})
    for body, kind, status in (
        ("version=1", "application/x-www-form-urlencoded", 415), ("{", "application/json", 400),
        ("[" * 9000, "application/json", 400), ('{"version": NaN}', "application/json", 400),
        (" " * 20000, "application/json", 413), ('{"version": ' + "9" * 6000 + "}", "application/json", 400),
    ):  # fmt: skip
        assert caller.client.post(path, body, content_type=kind, headers=headers).status_code == status, body[:20]


# --- one key, one attempt -----------------------------------------------------------------------------------------


def test_the_same_key_and_body_give_the_first_answer_and_act_once(scene):
    row = make.waiting(scene)
    caller = program(scene, "osei")
    first, second = (caller.act("approve", row, key="key-same-1") for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Dispatch.objects.filter(request=row, kind=DispatchKind.NEWRX).count() == 1
    assert Entry.objects.filter(event="token.asked").count() == 1


def test_a_refusal_is_kept_under_its_key_too(scene):
    row = make.waiting(scene, is_locked=True)
    caller = program(scene, "osei")
    assert caller.act("deny", row, key="key-locked").status_code == 423
    RefillRequest.objects.filter(pk=row.pk).update(is_locked=False)
    assert caller.act("deny", row, key="key-locked").status_code == 423
    assert caller.act("deny", row, key="key-another").status_code == 200


@pytest.mark.parametrize(("name", "more"), [("deny", {"code": "AD"}), ("ask-visit", {}), ("deny", {"note": "Come"})])
def test_the_same_key_for_something_else_is_refused(scene, name, more):
    row = make.waiting(scene, is_locked=True)
    caller = program(scene, "osei")
    caller.act("deny", row, key="key-same-2")
    RefillRequest.objects.filter(pk=row.pk).update(is_locked=False)
    answer = caller.act(name, row, key="key-same-2", **more)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    row.refresh_from_db()
    assert row.state == "in_review"


def test_two_programs_may_use_one_key_each_for_itself(scene):
    rows = [make.waiting(scene), make.waiting(scene)]
    answers = [program(scene, "osei").act("deny", row, key="key-shared") for row in rows]
    assert [one.status_code for one in answers] == [200, 200]


@pytest.mark.parametrize("key", ["", "short", "has space in it", "x" * 65, "ключ-ключ"])
def test_a_write_without_a_key_does_nothing(scene, key):
    row = make.waiting(scene)
    caller = program(scene, "osei")
    answer = caller.post(f"requests/{row.id}/deny/", {"version": row.version, "code": "AM"}, key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "key_needed")
    row.refresh_from_db()
    assert row.state == "in_review"


def test_an_attempt_under_way_is_not_made_twice_and_one_that_died_may_be_made_again(scene, monkeypatch):
    row = make.waiting(scene)
    caller = program(scene, "osei")
    caller.act("deny", row, key="key-crash")
    ApiReceipt.objects.update(status=None, answer=None)  # as if the process had died before noting its answer
    assert caller.act("deny", row, key="key-crash").json()["code"] == "under_way"
    monkeypatch.setattr(clock, "now", lambda: NOW + idempotency.GIVE_UP_AFTER)
    again = caller.act("deny", row, key="key-crash")
    assert (again.status_code, again.json()["code"], again.json()["state"]) == (409, "already_decided", "denied")
    assert Dispatch.objects.filter(request=row).count() == 1


def test_a_failure_of_ours_leaves_the_key_free(scene, monkeypatch):
    row = make.waiting(scene)
    caller = program(scene, "osei")
    caller.client.raise_request_exception = False

    def fail(**values):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(workflow, "deny", fail)
        assert caller.act("deny", row, key="key-failed").status_code == 500
    assert caller.act("deny", row, key="key-failed").status_code == 200


# --- controlled ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ["ii", "iii", "iv", "v", "unknown", ""])
def test_a_controlled_or_unknown_drug_never_becomes_a_prescription_by_the_api(scene, schedule):
    row = make.waiting(scene, schedule=schedule)
    answer = program(scene, "osei").act("approve", row)
    assert (answer.status_code, answer.json()["state"]) == (200, "handing_off")
    assert [one.kind for one in Dispatch.objects.filter(request=row)] == [DispatchKind.TASK]
    assert not Signature.objects.exists()


def test_where_it_is_signed_here_the_api_only_prepares_it(scene, settings):
    scene.osei.dea_number, scene.lind.dea_number = "AO1234563", "BL1234563"
    signers.signs_here(settings, scene.practice, scene.osei, scene.lind, asked_by=scene.ada)
    Connection.objects.create(
        practice=scene.practice, vendor="surescripts", stage="dev", status="active", base_url="http://127.0.0.1:9"
    )
    row = make.waiting(scene, schedule="iv")
    PharmacyEntry.objects.update(service_levels=["New", "Cancel", "ControlledSubstance"])
    caller = program(scene, "osei")
    answer = caller.act("approve", row)
    row.refresh_from_db()
    assert (answer.status_code, row.state) == (200, "awaiting_signature"), answer.content
    assert Preparation.objects.filter(request=row).exists()
    for name in BODIES:
        assert caller.act(name, row).status_code in (409, 422), name
    row.refresh_from_db()
    assert row.state == "awaiting_signature"
    assert not Signature.objects.exists()
    assert not Dispatch.objects.filter(request=row, kind=DispatchKind.NEWRX).exists()


def test_nothing_in_the_api_can_sign(root):
    for path in sorted(Path(root, "review", "api").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"sign", "prove", "prepare"}, (path.name, node.lineno)
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "signing" not in ast.unparse(node), path.name
    assert not [path for path in views.document()["paths"] if "sign" in path]


def test_an_unknown_request_or_path_is_404_in_our_shape(scene):
    caller = program(scene, "osei")
    for path in (f"requests/{uuid.uuid4()}/", "requests/nothing/", "queue", "v2/", "a%0Ab/", ""):
        answer = caller.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert caller.post("queue/", {}).json()["code"] == "method"
