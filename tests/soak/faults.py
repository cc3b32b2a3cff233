"""Faults under load, played against real web, worker and beat: SIGKILL of all, an emptied Redis, cut connections.

Every message carries its own id, so what was answered is compared with what is stored one by one; what left the house
is counted in the vendors' own journals. A message without a 202 is posted again, as Klara does.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection as database

from deploy.embedded import servers
from refillhub.celery import app
from refillhub.practices import clock
from review import states
from review.management import clinic_day
from review.models import Dispatch, InboundEvent, Progress, RefillRequest
from tests.bench import clinics, refills
from tests.bench.stack import Stack

SENDERS = 8
SPREAD = 3.0  # seconds over which the messages of one story are posted
LEASES = 100  # seconds; longer than any lease of a row that was on its way
AN_HOUR = 3600  # seconds; longer than the network is asked about a prescription before it is repeated
A_DAY = 25 * 3600  # an accepted prescription without a final word is a person's after 24 h (surescripts 7.2)
LONGEST = 240.0  # seconds of real time until everything must have its end, on a machine that does other things too
PATIENCE = 12.0  # seconds without an end before the clock is put forward again
ON_ITS_WAY = (*refills.UNDER_WAY, states.DispatchState.UNKNOWN)
ENDED_BY_MACHINE = (states.RequestState.DONE,)
WITH_A_PERSON = (states.RequestState.IN_REVIEW, states.RequestState.AWAITING_SIGNATURE)


@dataclass(slots=True)
class Scene:
    """The stack with its clinics, and how many refills each story asks for."""

    stack: Stack
    clinics: list[clinics.Clinic]
    refills: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One signed message: its event id, its sender in Klara, the raw request."""

    event_id: str
    sender: str
    raw: bytes


def open_scene(*, stack: Stack, stories: int, practices: int, refills: int) -> Scene:
    """Start the vendors and open the clinics, with patients enough that nobody writes twice."""
    stack.start_vendors()
    patients = stories * (refills // practices + 2) + 2
    return Scene(stack, clinics.seed(now=clock.now(), practices=practices, patients=patients), refills)


def play(*, scene: Scene, story: str) -> dict[str, Any]:
    """One story from running processes to the last end; its findings. Raises ValueError for a name it does not know."""
    refills.start(scene.stack)
    before, asked = refills.oracle(), ask(scene, scene.clinics, scene.refills)
    name, _, seed = story.partition(":")
    if name == "kill":
        told = _killed(scene, asked, random.Random(int(seed)))
    elif name == "redis":
        told = _redis_emptied(scene, asked)
    elif name == "cut":
        told = _connections_cut(asked, scene)
    else:
        raise ValueError(f"no story is called {story}")
    statuses = told.pop("answered")
    stored = _stored(asked)
    acknowledged = {one.event_id for one in asked if statuses[one.event_id] == 202}
    repeated = post(scene, [one for one in asked if one.event_id not in acknowledged]).result()
    seconds = settle(scene, asked)
    return {
        "statuses": dict(Counter(statuses.values())),
        "acknowledged_not_stored": len(acknowledged - stored),
        "not_taken_at_last": sum(1 for status in repeated.values() if status != 202),
        "settled_after_s": seconds,
        **told,
        **verdict(asked, before),
    }


# messages -----------------------------------------------------------------------------------------------------------


def ask(scene: Scene, among: list[clinics.Clinic], count: int) -> list[Asked]:
    """New messages of patients who have not written yet."""
    found = []
    for raw in clinics.ask(clinics=among, count=count, now=clock.now()):
        body = json.loads(raw.partition(b"\r\n\r\n")[2])
        found.append(Asked(body["id"], body["data"]["patient"]["id"], raw))
    return found


def post(scene: Scene, asked: list[Asked], *, spread: float = 0.0) -> "Future[dict[str, int]]":
    """Post from threads, spread over so many seconds; statuses by event id, 0 where no answer came."""
    port, began = scene.stack.port, time.monotonic()

    def one(number: int) -> int:
        time.sleep(max(0.0, began + spread * number / max(1, len(asked)) - time.monotonic()))
        return _post_one(port, asked[number].raw)

    def all_of_them() -> dict[str, int]:
        with ThreadPoolExecutor(max_workers=SENDERS) as pool:
            found = list(pool.map(one, range(len(asked))))
        return {message.event_id: status for message, status in zip(asked, found, strict=True)}

    keeper = ThreadPoolExecutor(max_workers=1)
    future = keeper.submit(all_of_them)
    keeper.shutdown(wait=False)
    return future


def _post_one(port: int, raw: bytes) -> int:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            line.sendall(raw)
            answer = line.makefile("rb").readline()
    except OSError:
        return 0
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


# the faults ---------------------------------------------------------------------------------------------------------


def _killed(scene: Scene, asked: list[Asked], chance: random.Random) -> dict[str, Any]:
    """SIGKILL to web, worker and beat with all their children while messages come in; then a start, and new work."""
    posting, work = post(scene, asked, spread=SPREAD), chance.randint(1, len(asked))
    until = time.monotonic() + LONGEST
    while Dispatch.objects.filter(request__in=_requests(asked)).count() < work and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, 0.3))
    scene.stack.kill_ours()
    statuses = posting.result()
    caught = on_its_way(asked)
    cut_short = _open_dispatches(asked).filter(state=states.DispatchState.SENDING).count()
    put_clock_forward(scene, seconds=LEASES)
    began = time.monotonic()
    refills.start(scene.stack)
    new = ask(scene, scene.clinics[:1], 1)
    answers = post(scene, new).result()
    while time.monotonic() - began < LONGEST and not _requests(new).exists():
        time.sleep(0.1)
    return {
        "answered": statuses,
        "killed_at_dispatch": work,
        "on_its_way_when_killed": caught,
        "sending_when_killed": cut_short,
        "new_work_taken": list(answers.values()) == [202] and _requests(new).exists(),
        "resumed_after_s": round(time.monotonic() - began, 1),
    }


def _redis_emptied(scene: Scene, asked: list[Asked]) -> dict[str, Any]:
    """Empty Redis, kill it, leave it away for a second, start it empty; messages come in all the while."""
    stack = scene.stack
    posting = post(scene, asked, spread=SPREAD)
    time.sleep(SPREAD / 3)
    with contextlib.closing(app.connection_for_write()) as broker:
        broker.default_channel.client.flushall()
    redis = next(child for child in stack.servers.children if child.name == "redis")
    os.killpg(redis.process.pid, signal.SIGKILL)
    redis.process.wait()
    caught = on_its_way(asked)
    time.sleep(1)
    if stack.servers.places is None:
        raise RuntimeError("this stack uses a Redis that was given: it is not ours to kill")
    shutil.rmtree(stack.servers.places.data / "redis")
    address = os.environ.pop("REDIS_URL")  # so that the pair's own start brings Redis back, and only it
    try:
        again = servers.start(home=stack.home, durable=True, say=print)
    finally:
        os.environ["REDIS_URL"] = address
    stack.servers.children[stack.servers.children.index(redis)] = again.children[0]
    return {
        "answered": posting.result(),
        "on_its_way_when_emptied": caught,
        "same_address": again.redis_url == address,
    }


def _connections_cut(asked: list[Asked], scene: Scene) -> dict[str, Any]:
    """End every PostgreSQL connection of ours again and again while messages come in."""
    cut, posting = 0, post(scene, asked, spread=SPREAD)
    while not posting.done():
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            cut += cursor.fetchone()[0]
        time.sleep(0.2)
    statuses, said = posting.result(), {}
    if not set(statuses.values()) <= {202, 503}:
        log = scene.stack.children["web"].log_tail(lines=4000).splitlines()
        said = {"web_said": sorted({line for line in log if line.startswith(("psycopg", "django"))})}
    return {"answered": statuses, "cut": cut, **said}


# what came of it ----------------------------------------------------------------------------------------------------


def _requests(asked: list[Asked]) -> Any:
    return RefillRequest.objects.filter(sender_id__in=[one.sender for one in asked])


def _stored(asked: list[Asked]) -> set[str]:
    rows = InboundEvent.objects.filter(event_id__in=[one.event_id for one in asked])
    return set(rows.values_list("event_id", flat=True))


def _unread(asked: list[Asked]) -> Any:
    return InboundEvent.objects.filter(sender_id__in=[one.sender for one in asked], progress__in=refills.UNREAD)


def _open_dispatches(asked: list[Asked]) -> Any:
    return Dispatch.objects.filter(request__in=_requests(asked), state__in=ON_ITS_WAY)


def on_its_way(asked: list[Asked]) -> int:
    """Messages not yet read and dispatches not yet through: what a fault can hurt."""
    return int(_unread(asked).count() + _open_dispatches(asked).count())


def _unended(asked: list[Asked]) -> bool:
    """Whether a request is neither at its end nor with a person: read, its chart waited for, not yet dispatched."""
    given_up = Dispatch.objects.filter(state=states.DispatchState.UNRESOLVED).values("request_id")
    still = _requests(asked).exclude(state__in=(*ENDED_BY_MACHINE, *WITH_A_PERSON))
    is_sent = still.filter(state=states.RequestState.SENT)
    return bool(is_sent.exists() or still.exclude(pk__in=given_up).exists())


def put_clock_forward(scene: Scene, *, seconds: int) -> None:
    """For us and the vendors alike, while ours do not run: leases end without being waited for."""
    settings.CLOCK_OFFSET_SECONDS += seconds
    scene.stack.environment["CLOCK_OFFSET_SECONDS"] = str(settings.CLOCK_OFFSET_SECONDS)
    for desk in clinic_day.desks().values():
        desk.post("clock", {"offset_seconds": settings.CLOCK_OFFSET_SECONDS})


def settle(scene: Scene, asked: list[Asked]) -> float:
    """Wait until nothing is on its way; seconds. What waits for a lease or a later look gets it by the clock.

    The minute's sweep and the look at what is unknown are nudged, as the beat would in its own time.
    """
    began = patient = time.monotonic()
    # One that was on the wire when its sender died, and was answered "duplicate", waits a day for the pharmacy's word.
    waits = [A_DAY, AN_HOUR, LEASES]
    while time.monotonic() - began < LONGEST:
        if not on_its_way(asked) and not _unended(asked):
            break
        if time.monotonic() - patient > PATIENCE:
            scene.stack.rest()
            put_clock_forward(scene, seconds=waits.pop() if len(waits) > 1 else A_DAY)
            refills.start(scene.stack)
            patient = time.monotonic()
        app.send_task("review.tasks.sweep_minute", queue="timers", expires=5)
        app.send_task("review.tasks.settle_unknown", queue="delivery", expires=5)
        database.close()
        time.sleep(1)
    return round(time.monotonic() - began, 1)


def verdict(asked: list[Asked], before: dict[str, Counter[str]]) -> dict[str, Any]:
    """Lost: a message that is not a request at its end or with a person. Doubled: anything that left us twice."""
    after = refills.oracle()
    rows = list(_requests(asked).values_list("sender_id", "state"))
    unresolved = set(
        Dispatch.objects.filter(request__in=_requests(asked), state=states.DispatchState.UNRESOLVED)
        .values_list("request__sender_id", flat=True)
    )  # fmt: skip
    ended = {sender for sender, state in rows if state in (*ENDED_BY_MACHINE, *WITH_A_PERSON)} | unresolved
    done = sum(1 for _, state in rows if state in ENDED_BY_MACHINE)
    new = {name: sum(after[name].values()) - sum(before[name].values()) for name in after}
    return {
        "asked": len(asked),
        "lost": len({one.sender for one in asked} - ended),
        "unread": InboundEvent.objects.filter(event_id__in=[one.event_id for one in asked])
        .exclude(progress=Progress.READ).count(),
        "states": dict(Counter(state for _, state in rows)),
        "unresolved": len(unresolved),
        "done": done,
        "on_its_way": on_its_way(asked),
        "prescriptions": new["prescriptions"],
        "replies": new["replies"],
        "requested_twice": sum(1 for times in Counter(sender for sender, _ in rows).values() if times > 1),
        "prescribed_twice": sum(1 for times in after["prescriptions"].values() if times > 1),
        "confirmed_twice": sum(1 for times in after["replies"].values() if times > 1),
        "charted_differently": _charted_differently(),
    }  # fmt: skip


def _charted_differently() -> int:
    """Patients whose chart entry was left in more than one state. Writing the same again is safe, and is done."""
    states_of: dict[str, set[str]] = {}
    for entry in clinic_day.desks()["drchrono"].get("journal", kind="medication.*")["entries"]:
        record = {name: value for name, value in entry["data"]["record"].items() if name != "updated_at"}
        states_of.setdefault(str(record["patient"]), set()).add(json.dumps(record, sort_keys=True))
    return sum(1 for found in states_of.values() if len(found) > 1)
