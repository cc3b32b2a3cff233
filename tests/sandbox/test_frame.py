"""The sandbox's frame: clock, faults, journal, control calls, the real server."""

import http.client
import json
import time
from datetime import timedelta

import pytest
import requests

from integrations.sandbox import seeding
from integrations.sandbox.clock import Clock
from integrations.sandbox.frame import Answer, Request, Simulator, json_answer
from integrations.sandbox.journal import Journal
from integrations.sandbox.server import Server
from tests.sandbox.desk import NOW, Desk, frozen, small_world


class Counter(Simulator):
    vendor = "counter"

    def load(self) -> None:
        self.done = 0

    def answer(self, request: Request) -> Answer:
        self.done += 1
        return json_answer(200, {"done": self.done, "path": request.path, "query": request.params})

    def practice_of(self, request: Request) -> str:
        return request.headers.get("x-practice", "")


@pytest.fixture
def desk() -> Desk:
    return Desk(Counter(world=small_world(), clock=frozen()))


def test_the_same_seed_makes_the_same_world_and_another_seed_another() -> None:
    first = seeding.generate(seed=3, now=NOW, patients=30)
    assert first == seeding.generate(seed=3, now=NOW, patients=30)
    assert first != seeding.generate(seed=4, now=NOW, patients=30)


def test_two_hundred_practices_hold_ten_thousand_patients() -> None:
    document = seeding.generate(seed=1, now=NOW, practices=200, patients=50)
    assert sum(len(p["patients"]) for p in document["practices"]) == 10_000


def test_the_seeded_charts_hold_every_odd_case() -> None:
    practice = small_world().practices[0]
    cases = {p["case"]: p["drchrono"] for p in practice["patients"]}
    assert cases["deceased"]["patient_status"] == "D"
    assert cases["shared_phone_a"]["cell_phone"] == cases["shared_phone_b"]["cell_phone"]
    assert cases["visit_365_days_ago"]["date_of_last_appointment"] == "2025-06-02"
    assert cases["visit_366_days_ago"]["date_of_last_appointment"] == "2025-06-01"
    assert any(d["suspended"] for d in seeding.generate(seed=1, now=NOW, patients=1)["practices"][0]["doctors"])


def test_jobs_run_at_their_own_moment_when_the_clock_is_advanced() -> None:
    clock, ran = Clock.frozen(at=NOW), []
    clock.call_later(
        seconds=60,
        job=lambda: (ran.append(clock.now()), clock.call_later(seconds=60, job=lambda: ran.append(clock.now()))),
    )
    assert clock.advance(seconds=300) == 2
    assert ran == [NOW + timedelta(seconds=60), NOW + timedelta(seconds=120)]
    assert clock.now() == NOW + timedelta(seconds=300)


def test_a_cancelled_job_does_not_run() -> None:
    clock, ran = Clock.frozen(at=NOW), []
    number = clock.call_later(seconds=1, job=lambda: ran.append(1))
    clock.cancel(number=number)
    assert clock.advance(seconds=5) == 0
    assert ran == []


def test_a_sped_up_clock_runs_faster_than_real_time() -> None:
    clock = Clock(start=NOW, time_factor=1_000_000)
    time.sleep(0.002)
    assert clock.now() - NOW > timedelta(seconds=1000)


def test_a_status_fault_strikes_so_many_times_before_any_work(desk: Desk) -> None:
    desk.control("faults", kind="status", status=502, times=2, path="/a*", skip=1)
    assert [desk.call("GET", path).status_code for path in ("/a", "/b", "/a1", "/a2", "/a3")] == [
        200,
        200,
        502,
        502,
        200,
    ]
    assert desk.simulator.done == 3  # type: ignore[attr-defined]


def test_a_fault_can_be_aimed_at_one_practice(desk: Desk) -> None:
    desk.control("faults", kind="status", practice="p2")
    assert desk.call("GET", "/", headers={"X-Practice": "p1"}).status_code == 200
    assert desk.call("GET", "/", headers={"X-Practice": "p2"}).status_code == 503


@pytest.mark.parametrize(("after", "done"), [(False, 0), (True, 1)])
def test_a_dropped_connection_says_whether_the_work_was_done(desk: Desk, after: bool, done: int) -> None:
    desk.control("faults", kind="drop", after_commit=after)
    with pytest.raises(requests.exceptions.ConnectionError):
        desk.call("POST", "/x")
    assert desk.simulator.done == done  # type: ignore[attr-defined]


def test_a_hang_longer_than_the_timeout_is_a_read_timeout(desk: Desk) -> None:
    desk.control("faults", kind="hang", seconds=31, after_commit=True)
    with pytest.raises(requests.exceptions.ReadTimeout):
        desk.call("GET", "/x", timeout=(5, 30))
    assert desk.simulator.done == 1  # type: ignore[attr-defined]


def test_a_truncated_body_breaks_off_while_it_is_read(desk: Desk) -> None:
    desk.control("faults", kind="truncate", keep=5)
    with pytest.raises(requests.exceptions.RequestException):
        desk.call("GET", "/x").json()


@pytest.mark.parametrize(("wish", "header"), [("7", "7"), (None, None), ("date", "Tue, 02 Jun 2026 14:00:09 GMT")])
def test_a_throttle_comes_with_seconds_a_date_or_nothing(desk: Desk, wish: str | None, header: str | None) -> None:
    desk.control("faults", kind="throttle", retry_after=wish, seconds=9)
    answer = desk.call("GET", "/x")
    assert answer.status_code == 429
    assert answer.headers.get("Retry-After") == header


def test_latency_is_drawn_from_the_seed(desk: Desk) -> None:
    desk.control("faults", kind="latency", times=None, median_ms=80, p95_ms=400)
    delays = [desk.simulator.handle(Request(method="GET", path="/")).delay for _ in range(200)]
    assert 0.04 < sorted(delays)[100] < 0.16


def test_a_senseless_fault_is_refused(desk: Desk) -> None:
    assert desk.call("POST", "/__sim__/faults", json={"kind": "fire"}).status_code == 400
    assert desk.call("POST", "/__sim__/faults", json={"kind": "drop", "colour": 1}).status_code == 400


def test_the_journal_is_read_by_kind_and_position(desk: Desk) -> None:
    desk.call("GET", "/a")
    desk.call("GET", "/b")
    entries = desk.journal(kind="request")
    assert [e["request"]["path"] for e in entries] == ["/a", "/b"]
    assert desk.journal(after=str(entries[0]["seq"])) == entries[1:]
    assert desk.journal(kind="task.*") == []


def test_a_bounded_journal_keeps_the_newest_and_counts_all() -> None:
    journal = Journal(vendor="x", limit=2)
    for number in range(5):
        journal.add(at=NOW, kind="k", ids={"n": number})
    assert [e["ids"]["n"] for e in journal.read()] == [3, 4]
    assert journal.counts() == {"k": 5}


def test_reset_forgets_work_faults_and_journal(desk: Desk) -> None:
    desk.call("GET", "/a")
    desk.control("faults", kind="drop")
    desk.control("reset")
    assert desk.journal() == []
    assert desk.simulator.done == 0
    assert desk.simulator.faults.listed() == []


def test_an_unknown_control_call_is_404_and_a_bad_body_400(desk: Desk) -> None:
    assert desk.call("POST", "/__sim__/nothing", json={}).status_code == 404
    assert desk.call("POST", "/__sim__/world", data=b"{").status_code == 400


def test_the_server_keeps_connections_alive_and_drops_them_on_command() -> None:
    simulator = Counter(world=small_world(), clock=Clock())
    server = Server(simulator=simulator)
    server.start()
    try:
        link = http.client.HTTPConnection(*server.server_address[:2], timeout=5)
        for number in (1, 2):
            link.request("POST", "/x?a=b", body=b"hello")
            answer = json.loads(link.getresponse().read())
            assert answer == {"done": number, "path": "/x", "query": {"a": "b"}}
        link.request("POST", "/__sim__/faults", body=b'{"kind": "drop", "after_commit": true}')
        link.getresponse().read()
        link.request("GET", "/x")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            link.getresponse()
        assert simulator.done == 3
    finally:
        server.stop()


def test_the_server_runs_due_jobs_by_itself() -> None:
    simulator = Counter(world=small_world(), clock=Clock())
    ran: list[int] = []
    server = Server(simulator=simulator)
    server.start(tick_seconds=0.01)
    try:
        simulator.clock.call_later(seconds=0.02, job=lambda: ran.append(1))
        deadline = time.monotonic() + 5
        while not ran and time.monotonic() < deadline:
            time.sleep(0.005)
        assert ran == [1]
    finally:
        server.stop()
