"""The pretended DrChrono answers, refuses and forgets as the contract says (vendors/drchrono.md section 9)."""

import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.sandbox import drchrono
from integrations.sandbox.courier import Courier, Reply
from tests.sandbox.desk import URL, Desk, frozen, small_world

CLIENT = {"client_id": "drc-client-1", "client_secret": "drc-secret-1-0123456789abcdef"}
PATIENT = 70010000
MEDICATION = 98100000


class Hub:
    """The other end of webhooks: knows the secret, answers what it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.posts: list[tuple[dict[str, str], dict[str, Any]]] = []

    def deliver(self, url: str, headers: Any, body: bytes) -> int:
        self.posts.append((dict(headers), json.loads(body)))
        return self.status

    def fetch(self, url: str) -> Reply:
        message = parse_qs(urlsplit(url).query)["msg"][0]
        digest = hmac.new(b"drc-hook-1-0123456789abcdef", message.encode(), "sha256").hexdigest()
        return Reply(200, json.dumps({"secret_token": digest}).encode())


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def desk(hub: Hub) -> Desk:
    courier = Courier(deliver=hub.deliver, fetch=hub.fetch)
    made = Desk(drchrono.build(world=small_world(), clock=frozen(), courier=courier))
    sign_in(made)
    return made


def sign_in(desk: Desk, practice: str = "p1", **wish: Any) -> dict[str, Any]:
    token: dict[str, Any] = desk.control("grant", practice=practice, **wish)
    desk.session.headers["Authorization"] = f"Bearer {token['access_token']}"
    return token


def rows(desk: Desk, path: str, **params: str) -> list[dict[str, Any]]:
    """Every record of a list, by following `next`."""
    found: list[dict[str, Any]] = []
    answer = desk.call("GET", path, params=params).json()
    while True:
        found += answer["results"]
        if not answer["next"]:
            return found
        answer = desk.call("GET", answer["next"].removeprefix(URL)).json()


def task_of(desk: Desk, **more: Any) -> dict[str, Any]:
    return {"title": "Refill [RH-1]", "status": rows(desk, "/api/task_statuses")[0]["id"], **more}


# --- OAuth -----------------------------------------------------------------------------------------------------------


def code_of(desk: Desk, **more: str) -> str:
    query = {
        "client_id": "drc-client-1",
        "redirect_uri": "https://hub/cb",
        "response_type": "code",
        "state": "s1",
        **more,
    }
    answer = desk.call("GET", "/o/authorize/", params=query)
    params = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert params["state"] == ["s1"]
    return params["code"][0]


def exchange(desk: Desk, **form: str) -> Any:
    return desk.call("POST", "/o/token/", data={**CLIENT, **form})


def test_a_code_gives_a_token_pair_once(desk: Desk) -> None:
    form = {"grant_type": "authorization_code", "code": code_of(desk), "redirect_uri": "https://hub/cb"}
    first = exchange(desk, **form)
    assert first.status_code == 200
    assert first.json()["expires_in"] == 172800
    again = exchange(desk, **form)
    assert again.status_code == 401
    assert again.json() == {"error": "invalid_grant"}


def test_a_code_dies_after_a_minute_and_with_another_redirect_uri(desk: Desk) -> None:
    code = code_of(desk)
    desk.control("clock", advance=61)
    assert exchange(desk, grant_type="authorization_code", code=code, redirect_uri="https://hub/cb").status_code == 401
    code = code_of(desk)
    assert exchange(desk, grant_type="authorization_code", code=code, redirect_uri="https://evil/cb").status_code == 401


def test_the_page_can_be_cancelled(desk: Desk) -> None:
    desk.control("settings", auto_approve=False)
    query = {"client_id": "drc-client-1", "redirect_uri": "https://hub/cb", "response_type": "code"}
    assert "Authorize" in desk.call("GET", "/o/authorize/", params=query).text
    answer = desk.call("POST", "/o/authorize/", params=query, data={"cancel": "1"})
    assert answer.headers["Location"] == "https://hub/cb?error=access_denied"


def test_a_wrong_secret_is_an_invalid_client(desk: Desk) -> None:
    answer = desk.call(
        "POST", "/o/token/", data={**CLIENT, "client_secret": "x", "grant_type": "refresh_token", "refresh_token": "y"}
    )
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client"}


def test_refreshing_kills_the_old_pair(desk: Desk) -> None:
    old = sign_in(desk)
    new = exchange(desk, grant_type="refresh_token", refresh_token=old["refresh_token"]).json()
    assert new["refresh_token"] != old["refresh_token"]
    assert desk.call("GET", "/api/doctors").status_code == 401
    assert exchange(desk, grant_type="refresh_token", refresh_token=old["refresh_token"]).status_code == 401
    desk.session.headers["Authorization"] = f"Bearer {new['access_token']}"
    assert desk.call("GET", "/api/doctors").status_code == 200


def test_a_token_dies_of_age_of_revocation_and_of_a_new_authorisation(desk: Desk) -> None:
    desk.control("clock", advance=172801)
    assert desk.call("GET", "/api/doctors").status_code == 401
    token = sign_in(desk)
    assert desk.call("POST", "/o/revoke_token/", data={**CLIENT, "token": token["access_token"]}).status_code == 200
    assert desk.call("GET", "/api/doctors").status_code == 401
    token = sign_in(desk)
    desk.control("grant", practice="p1")
    assert desk.call("GET", "/api/doctors").status_code == 401


def test_the_answer_to_a_refresh_may_lack_a_refresh_token_and_the_old_one_lives_on(desk: Desk) -> None:
    desk.control("settings", omit_refresh_token=True, practice="p1")
    old = sign_in(desk)
    for _ in range(2):
        answer = exchange(desk, grant_type="refresh_token", refresh_token=old["refresh_token"])
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()


# --- gates -----------------------------------------------------------------------------------------------------------


def test_a_missing_scope_or_permission_is_403(desk: Desk) -> None:
    sign_in(desk, scope="patients:read")
    assert desk.call("GET", "/api/patients").status_code == 200
    assert desk.call("GET", "/api/medications").status_code == 403
    assert desk.call("PATCH", f"/api/patients/{PATIENT}", json={}).status_code == 403
    desk.control("settings", without_permissions=["manage-patients"], practice="p1")
    assert desk.call("GET", "/api/patients").status_code == 403


def test_the_hour_is_limited_per_client_and_begins_anew_on_the_clock(desk: Desk) -> None:
    desk.control("settings", hourly_limit=3)
    assert [desk.call("GET", "/api/doctors").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = desk.call("GET", "/api/doctors")
    assert refused.json() == {"detail": "Request was throttled. Expected available in 3601 seconds."}
    assert refused.headers["Retry-After"] == "3601"
    sign_in(desk, "p2")
    assert desk.call("GET", "/api/doctors").status_code == 200
    desk.control("clock", advance=3600)
    sign_in(desk)
    assert desk.call("GET", "/api/doctors").status_code == 200


def test_the_tenth_call_within_a_second_is_throttled(desk: Desk) -> None:
    desk.control("settings", burst_limit=10, retry_after=False)
    answers = [desk.call("GET", "/api/doctors") for _ in range(10)]
    assert [a.status_code for a in answers] == [200] * 9 + [429]
    assert "Retry-After" not in answers[-1].headers
    desk.control("clock", advance=1)
    assert desk.call("GET", "/api/doctors").status_code == 200


def test_another_practice_s_record_is_not_found(desk: Desk) -> None:
    sign_in(desk, "p2")
    assert desk.call("GET", f"/api/patients/{PATIENT}").status_code == 404
    assert desk.call("GET", f"/api/patients/{PATIENT}").json() == {"detail": "Not found."}


# --- lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paging", ["cursor", "page"])
def test_pages_bring_every_record_once(desk: Desk, paging: str) -> None:
    desk.control("settings", page_ceiling=7, paging=paging)
    found = [r["id"] for r in rows(desk, "/api/patients")]
    assert len(found) == len(set(found)) == 30


def test_a_record_made_between_two_pages_doubles_none(desk: Desk) -> None:
    desk.control("settings", page_ceiling=10)
    first = desk.call("GET", "/api/patients").json()
    desk.control("chart", practice="p1", resource="patients", record={"first_name": "New", "doctor": 302100})
    second = desk.call("GET", first["next"].removeprefix(URL)).json()
    assert not {r["id"] for r in first["results"]} & {r["id"] for r in second["results"]}


def test_page_sizes_are_clamped_and_the_envelope_can_differ(desk: Desk) -> None:
    assert len(desk.call("GET", "/api/appointments?since=2020-01-01&page_size=500").json()["results"]) == 20
    desk.control("settings", envelope="data")
    assert len(desk.call("GET", "/api/patients?page_size=500").json()["data"]) == 30


def test_since_includes_its_own_second(desk: Desk) -> None:
    changed = max(r["updated_at"] for r in rows(desk, "/api/patients"))
    assert all(r["updated_at"] == changed for r in rows(desk, "/api/patients", since=changed))
    assert rows(desk, "/api/patients", since=changed)
    assert desk.call("GET", "/api/patients?since=soon").json() == {"since": ["Enter a valid date/time."]}


def test_medications_ignore_since_and_filter_by_patient(desk: Desk) -> None:
    assert len(rows(desk, "/api/medications", since="2099-01-01")) == len(rows(desk, "/api/medications"))
    assert {r["patient"] for r in rows(desk, "/api/medications", patient=str(PATIENT))} == {PATIENT}


def test_appointments_need_a_window_of_at_most_190_days(desk: Desk) -> None:
    assert desk.call("GET", "/api/appointments").status_code == 400
    assert desk.call("GET", "/api/appointments?date_range=2026-01-01/2026-12-01").status_code == 400
    assert desk.call("GET", "/api/appointments?date_range=2026-01-01/2026-06-01").status_code == 200


def test_lists_may_lag_behind_writes_while_a_read_by_id_is_fresh(desk: Desk) -> None:
    desk.control("settings", list_lag_seconds=5)
    made = desk.call("POST", "/api/tasks", json=task_of(desk)).json()
    assert desk.call("GET", f"/api/tasks/{made['id']}").status_code == 200
    assert rows(desk, "/api/tasks") == []
    desk.control("clock", advance=6)
    assert [t["id"] for t in rows(desk, "/api/tasks")] == [made["id"]]


def test_a_bulk_job_is_polled_until_it_is_complete(desk: Desk) -> None:
    job = desk.call("POST", "/api/patients_list?page_size=1000").json()
    path = f"/api/patients_list?uuid={job['uuid']}"
    answers = [desk.call("GET", path).json() for _ in range(3)]
    assert [a["status"] for a in answers] == ["In progress", "In progress", "Complete"]
    assert len(answers[-1]["results"]) == 30
    assert desk.call("GET", "/api/patients_list?uuid=x").status_code == 404
    desk.control("clock", advance=3601)
    assert desk.call("GET", path).status_code == 404


def test_users_current_redirects_to_the_one_who_authorised(desk: Desk) -> None:
    answer = desk.call("GET", "/api/users/current")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{URL}/api/users/4411")


# --- writes ----------------------------------------------------------------------------------------------------------


def test_a_task_needs_a_title_a_known_status_and_known_people(desk: Desk) -> None:
    assert desk.call("POST", "/api/tasks", json={}).json() == {
        "title": ["This field is required."],
        "status": ["This field is required."],
    }
    wrong = desk.call("POST", "/api/tasks", json=task_of(desk, status=1, assignee_user="302100", priority="15"))
    assert wrong.status_code == 400
    assert set(wrong.json()) == {"status", "assignee_user", "priority"}
    item = [{"type": "Patient", "value": 1}]
    assert desk.call("POST", "/api/tasks", json=task_of(desk, associated_items=item)).status_code == 400


def test_a_task_keeps_nested_notes_only_where_the_vendor_takes_them(desk: Desk) -> None:
    made = desk.call("POST", "/api/tasks", json=task_of(desk, notes=[{"text": "Schedule IV"}])).json()
    assert [n["text"] for n in made["notes"]] == ["Schedule IV"]
    assert made["created_at"] == "2026-06-02T10:00:00"
    desk.control("settings", nested_notes=False)
    bare = desk.call("POST", "/api/tasks", json=task_of(desk, notes=[{"text": "lost"}])).json()
    assert bare["notes"] == []
    desk.call("POST", "/api/task_notes", json={"task": bare["id"], "text": "kept"})
    assert [n["text"] for n in desk.call("GET", f"/api/tasks/{bare['id']}").json()["notes"]] == ["kept"]
    assert desk.call("DELETE", f"/api/tasks/{bare['id']}").status_code == 405


def test_a_list_of_objects_is_created_at_once_or_not_at_all(desk: Desk) -> None:
    assert desk.call("POST", "/api/tasks", json=[task_of(desk), {"title": "x"}]).status_code == 400
    assert rows(desk, "/api/tasks") == []
    assert len(desk.call("POST", "/api/tasks", json=[task_of(desk), task_of(desk)]).json()) == 2


def test_a_patch_answers_nothing_and_can_be_refused_or_swallowed(desk: Desk) -> None:
    path = f"/api/medications/{MEDICATION}"
    answer = desk.call("PATCH", path, json={"number_refills": 3})
    assert answer.status_code == 204
    assert answer.content == b""
    assert desk.call("GET", path).json()["number_refills"] == 3
    desk.control("settings", medications_patch="refuse", practice="p1")
    assert desk.call("PATCH", path, json={"number_refills": 5}).status_code == 405
    desk.control("settings", medications_patch="ignore", practice="p1")
    assert desk.call("PATCH", path, json={"number_refills": 5}).status_code == 204
    assert desk.call("GET", path).json()["number_refills"] == 3


@pytest.mark.parametrize("field", ["text", "note"])
def test_a_pharmacy_note_grows_by_paragraphs(desk: Desk, field: str) -> None:
    path = f"/api/medications/{MEDICATION}"
    for words in ("one", "two"):
        assert desk.call("PATCH", f"{path}/append_to_pharmacy_note", json={field: words}).status_code == 204
    assert desk.call("GET", path).json()["pharmacy_note"] == "one\n\ntwo"
    assert desk.call("PATCH", f"{path}/append_to_pharmacy_note", json={}).status_code == 400


def test_the_default_pharmacy_is_the_first_preferred_one_or_the_write_is_swallowed(desk: Desk) -> None:
    path = f"/api/patients/{PATIENT}"
    assert desk.call("PATCH", path, json={"default_pharmacy": "9990002"}).status_code == 204
    record = desk.call("GET", path).json()
    assert (record["default_pharmacy"], record["preferred_pharmacies"][0]) == ("9990002", "9990002")
    desk.control("settings", pharmacy_write="ignore")
    assert desk.call("PATCH", path, json={"default_pharmacy": "9990001"}).status_code == 204
    assert desk.call("GET", path).json()["default_pharmacy"] == "9990002"
    assert desk.call("PATCH", path, json={"default_pharmacy": "CVS"}).status_code == 400


def test_overlaps_and_duplicate_patients_conflict(desk: Desk) -> None:
    visit = {
        "doctor": 302100,
        "office": 410010,
        "exam_room": 1,
        "patient": PATIENT,
        "scheduled_time": "2027-01-05T09:00:00",
        "duration": 30,
    }
    assert desk.call("POST", "/api/appointments", json=visit).status_code == 201
    clash = desk.call("POST", "/api/appointments", json={**visit, "scheduled_time": "2027-01-05T09:15:00"})
    assert clash.status_code == 409
    assert "overlaps" in clash.json()["detail"]
    person = {"first_name": "A", "last_name": "B", "date_of_birth": "1980-01-01", "gender": "Other", "doctor": 302100}
    assert desk.call("POST", "/api/patients", json=person).status_code == 201
    assert desk.call("POST", "/api/patients", json=person).status_code == 409
    assert desk.call("POST", "/api/patients?allow_duplicates=true", json=person).status_code == 201


def test_a_lost_answer_still_made_the_task(desk: Desk) -> None:
    body = task_of(desk)
    desk.control("faults", kind="status", method="POST", path="/api/tasks", status=502, after_commit=True)
    assert desk.call("POST", "/api/tasks", json=body).status_code == 502
    assert [e["ids"]["id"] for e in desk.journal(kind="task.created")] == [t["id"] for t in rows(desk, "/api/tasks")]


def test_unknown_fields_and_text_ids_come_when_ordered(desk: Desk) -> None:
    desk.control("settings", unknown_fields=True, ids="strings")
    record = desk.call("GET", f"/api/medications/{MEDICATION}").json()
    assert record["id"] == str(MEDICATION)
    assert record["x_null"] is None


def test_unknown_paths_methods_and_bodies_are_refused_as_the_vendor_does(desk: Desk) -> None:
    assert desk.call("GET", "/api/providers").status_code == 404
    assert desk.call("GET", "/api/patients/").status_code == 404
    assert desk.call("POST", "/api/prescription_messages", json={}).status_code == 405
    assert desk.call("POST", "/api/tasks", data="{", headers={"Content-Type": "application/json"}).status_code == 400
    assert "html" in desk.call("GET", "/nowhere").headers["Content-Type"]


def test_an_unknown_setting_is_refused(desk: Desk) -> None:
    assert desk.call("POST", "/__sim__/settings", json={"colour": "red"}).status_code == 400
    assert desk.call("POST", "/__sim__/settings", json={"paging": "none"}).status_code == 400


# --- webhooks --------------------------------------------------------------------------------------------------------


def listen(desk: Desk) -> None:
    assert desk.control("webhook", practice="p1", url="http://hub/hook")["verified"]
    desk.control("clock", advance=0)


def test_a_verified_webhook_gets_a_ping_then_the_whole_record(desk: Desk, hub: Hub) -> None:
    listen(desk)
    desk.call("PATCH", f"/api/medications/{MEDICATION}", json={"number_refills": 4})
    desk.control("clock", advance=0)
    (ping, _), (headers, body) = hub.posts
    assert ping["X-drchrono-event"] == "PING"
    assert headers["X-drchrono-event"] == "PATIENT_MEDICATION_MODIFY"
    assert headers["X-drchrono-signature"] == "drc-hook-1-0123456789abcdef"
    assert body["object"]["number_refills"] == 4
    assert set(body) == {"receiver", "object"}


def test_a_failed_handshake_gets_nothing(desk: Desk, hub: Hub) -> None:
    assert not desk.control("webhook", practice="p1", url="http://hub/hook", secret="other")["verified"]
    desk.call("PATCH", f"/api/medications/{MEDICATION}", json={"number_refills": 4})
    desk.control("clock", advance=100000)
    assert hub.posts == []


def test_a_failed_delivery_comes_again_after_one_three_and_seven_hours(desk: Desk, hub: Hub) -> None:
    listen(desk)
    hub.posts.clear()
    hub.status = 302
    desk.control("chart", practice="p1", resource="patients", id=PATIENT, record={"city": "Erie"})
    counts = []
    for hours in (0, 1, 2, 4, 24):
        desk.control("clock", advance=hours * 3600)
        counts.append(len(hub.posts))
    assert counts == [1, 2, 3, 4, 4]
    assert len({h["X-drchrono-delivery"] for h, _ in hub.posts}) == 1


@pytest.mark.parametrize(("mode", "count"), [("duplicate", 2), ("drop", 0), ("wrong_secret", 1), ("delay", 0)])
def test_deliveries_go_wrong_on_command(desk: Desk, hub: Hub, mode: str, count: int) -> None:
    listen(desk)
    hub.posts.clear()
    desk.control("trouble", practice="p1", mode=mode)
    desk.control("chart", practice="p1", resource="patients", id=PATIENT, record={"city": "Erie"})
    desk.control("clock", advance=1)
    assert len(hub.posts) == count
    if mode == "wrong_secret":
        assert hub.posts[0][0]["X-drchrono-signature"] == "wrong"


def test_two_deliveries_can_change_places(desk: Desk, hub: Hub) -> None:
    listen(desk)
    hub.posts.clear()
    desk.control("trouble", practice="p1", mode="reorder")
    for city in ("Erie", "Akron"):
        desk.control("chart", practice="p1", resource="patients", id=PATIENT, record={"city": city})
    desk.control("clock", advance=1)
    assert [body["object"]["city"] for _, body in hub.posts] == ["Akron", "Erie"]
