"""The demo's day in process: a real seed, a shortened script, judged by the vendors' journals.

And a judge that can say no.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from integrations import http, vault
from integrations.models import Connection, MirrorMedication
from integrations.sandbox import drchrono, klara, surescripts
from integrations.sandbox.clock import Clock
from integrations.sandbox.courier import Courier, Reply
from integrations.sandbox.world import World
from refillhub.practices import clock as hub_clock
from refillhub.practices.models import Practice, Role
from review import delivery, intake, mailbox, tasks, timers, webhooks
from review.management import clinic_day, judging, playing
from review.management.commands import seed_demo
from tests.wsgi_adapter import WsgiAdapter

START = datetime(2026, 11, 24, 14, 58, 20, tzinfo=UTC)  # a Tuesday, 9:58 am Eastern
SHORT = {
    "wanda",
    "ana",
    "hugo",
    "gina",
    "ines",
    "jonas",
    "leila",
    "marta",
    "noah",
    "omar",
    "petra",
    "tess",
    "ivo",
    "kim",
}
ADDRESSES = {
    "drchrono": "http://127.0.0.1:18801", "klara": "http://127.0.0.1:18802", "surescripts": "http://127.0.0.1:18803",
}  # fmt: skip


@dataclass
class Vendors:
    """Their one clock, and the network, whose message ids repeat with its seed."""

    clock: Clock
    network: surescripts.Surescripts


@pytest.fixture
def vendors(db, monkeypatch, settings, client) -> Iterator["Vendors"]:
    """The three vendors with an empty world under one frozen clock, mounted at loopback addresses."""
    settings.DEMO, settings.DEMO_QUIET_SECONDS, settings.DEMO_UNDO_SECONDS = True, 1, 1
    settings.DRCHRONO_RATE_PER_SECOND = settings.DRCHRONO_BURST = 1000
    settings.PUBLIC_URL = "http://127.0.0.1:18800"
    clock, empty = Clock.frozen(at=START), World(document={"practices": []})
    courier = Courier(deliver=_carrier(client))
    made = {
        "drchrono": drchrono.build(world=empty, clock=clock, seed=1, courier=courier),
        "klara": klara.build(world=empty, clock=clock, seed=1, courier=courier),
        "surescripts": surescripts.build(world=empty, clock=clock, seed=1),
    }
    adapters = {ADDRESSES[name]: WsgiAdapter(simulator) for name, simulator in made.items()}

    def session() -> requests.Session:
        fresh = requests.Session()
        for address, adapter in adapters.items():
            fresh.mount(address, adapter)
        return fresh

    for name, address in ADDRESSES.items():
        setattr(settings, f"{name.upper()}_BASE_URL", address + ("/v1" if name == "klara" else ""))
        http.mount(address, adapters[address])
    monkeypatch.setattr(hub_clock, "now", clock.now)
    monkeypatch.setattr(clinic_day, "session", session)
    vault.forget()
    webhooks.forget()
    yield Vendors(clock, made["surescripts"])
    for address in adapters:
        http.unmount(address)
    vault.forget()
    webhooks.forget()


def _carrier(client: Client):
    def carry(url, headers, body) -> Reply:
        parts = urlsplit(url)
        if not body:
            answer = client.get(f"{parts.path}?{parts.query}")
        else:
            names = {name: value for name, value in headers.items() if name.lower() != "content-type"}
            kind = headers.get("Content-Type", "")
            answer = client.generic("POST", parts.path, body, content_type=kind, headers=names)
        return Reply(status=answer.status_code, body=answer.content, retry_after=answer.get("Retry-After"))

    return carry


@pytest.fixture
def day(vendors, monkeypatch) -> playing.Day:
    """A seeded practice and the shortened script, ready to be played; a pause is a round of every worker."""
    practice = seed_demo.seed(now=hub_clock.now())

    def round_of_work(seconds: float = 1.0) -> None:
        vendors.clock.advance(seconds=max(seconds, 0.5))
        now = hub_clock.now()
        intake.glance(now=now)
        intake.take_in_due(now=now)
        delivery.deliver_due(now=now)
        mailbox.poll(now=now)

    monkeypatch.setattr(playing.time, "sleep", round_of_work)
    monkeypatch.setattr(playing, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(tasks.reconcile_klara, "delay", lambda: timers.reconcile_klara(now=hub_clock.now()))
    monkeypatch.setattr(tasks.release_held, "delay", lambda: timers.release_held(now=hub_clock.now()))
    scenes = [scene for scene in clinic_day.read("scenes") if scene["who"] in SHORT]
    return playing.Day(practice=practice, key="lakeside", people=clinic_day.people(), desks=clinic_day.desks(),
                       scenes=scenes, show=lambda text, done, total: None)  # fmt: skip


def test_a_short_day_ends_as_the_script_says_by_the_vendors_own_journals(day):
    day.play()
    verdict = judging.judge(day=day)
    assert verdict.problems == []
    assert verdict.counts["unexpected"] == 0
    assert verdict.counts["audit_ok"] is True
    assert verdict.counts["messages"] == day.total == len(judging.table(day=day, verdict=verdict))
    assert verdict.counts["prescriptions_at_pharmacy"] == sum(
        sum(scene["expect"].get("rx", {}).values()) for scene in day.scenes
    )


def test_the_judge_names_what_nobody_expected_and_what_did_not_come(day):
    day.scenes = [scene for scene in day.scenes if scene["who"] in {"ana", "marta"}]
    day.play()
    for scene in day.scenes:
        scene["expect"] = {} if scene["who"] == "ana" else {"replies": ["visit", "sent"]}
    verdict = judging.judge(day=day)
    assert any(problem.startswith("ana") and "at the pharmacy" in problem for problem in verdict.problems)
    assert any(problem.startswith("marta") and "told the patient" in problem for problem in verdict.problems)
    assert verdict.counts["unexpected"] == 4  # one prescription, two replies, one chart record


def test_a_patient_no_scene_speaks_of_is_unexpected(day):
    day.scenes = [scene for scene in day.scenes if scene["who"] == "ana"]
    day.play()
    stranger = day.people["marta"]
    wish = {"practice": day.key, "patient": stranger.klara_id, "tags": ["refill"], "channel": "chan_main"}
    day.desks["klara"].post("say", {**wish, "text": "Could I get a refill of my omeprazole please?"})
    for _ in range(8):
        playing.time.sleep(1.0)
    verdict = judging.judge(day=day)
    assert verdict.counts["unexpected"] == 1
    assert any(stranger.chart_id in problem for problem in verdict.problems)


def test_a_second_day_on_the_same_database_has_patients_of_its_own(day, vendors):
    scenes = [scene for scene in day.scenes if scene["who"] in {"ana", "ivo"}]
    day.scenes = scenes
    day.play()
    vendors.clock.advance(seconds=60)
    vendors.network.seed += 1  # as the demo starts it: another seed for each run
    practice = seed_demo.seed(now=hub_clock.now())
    assert clinic_day.run_of(practice=practice) == 1
    again = playing.Day(practice=practice, key="lakeside", people=clinic_day.people(run=1), desks=clinic_day.desks(),
                        scenes=scenes, show=lambda text, done, total: None)  # fmt: skip
    again.play()
    verdict = judging.judge(day=again)
    assert verdict.problems == []
    assert verdict.counts["requests"] == 4  # two asks of each, the second joined to the first


def test_seeding_twice_changes_nothing_but_the_vendors_memory(vendors):
    first = seed_demo.seed(now=hub_clock.now())
    before = (
        first.locations.count(),
        first.providers.count(),
        first.memberships.count(),
        MirrorMedication.objects.count(),
    )
    again = seed_demo.seed(now=hub_clock.now())
    assert again.pk == first.pk
    assert Practice.objects.count() == 1
    after = (
        again.locations.count(),
        again.providers.count(),
        again.memberships.count(),
        MirrorMedication.objects.count(),
    )
    assert after == before
    assert Connection.objects.filter(practice=again, status="active").count() == 3


def test_the_demo_has_a_sign_in_for_every_role(vendors, capsys):
    practice = seed_demo.seed(now=hub_clock.now())
    assert set(practice.memberships.values_list("role", flat=True)) == set(Role.values)
    call_command("demo_info")
    told = capsys.readouterr().out
    assert all(role in told for role in Role.values)
    assert "whsec_" in told


def test_no_demo_command_touches_a_vendor_that_is_not_this_machine(vendors, settings):
    seed_demo.seed(now=hub_clock.now())
    settings.KLARA_BASE_URL = "https://api.klara.example/v1"
    for command in ("seed_demo", "demo", "demo_info"):
        with pytest.raises(CommandError):
            call_command(command)


def test_nothing_is_played_or_told_where_no_demo_was_asked_for(vendors, settings):
    seed_demo.seed(now=hub_clock.now())
    settings.DEMO = False
    for command in ("seed_demo", "demo", "demo_info"):
        with pytest.raises(CommandError):
            call_command(command)
