"""The test desk: /__sim__/clock, faults, journal, reset, world, and whatever the vendor adds.

It changes how the sandbox behaves and reads what it did; a vendor's own API never passes through here.
"""

from datetime import UTC, datetime
from typing import Any, Protocol

from integrations.sandbox import faults as fault_forms
from integrations.sandbox.clock import Clock
from integrations.sandbox.faults import BadFault, Faults
from integrations.sandbox.journal import Journal
from integrations.sandbox.wire import Answer, BadBody, Request, json_answer
from integrations.sandbox.world import BadWorld, World


class Desk(Protocol):
    """What the test desk needs of a simulator."""

    vendor: str
    clock: Clock
    journal: Journal
    faults: Faults
    world: World

    def reset(self, *, world: World | None = None) -> None: ...
    def extend(self, *, document: dict[str, Any]) -> dict[str, int]: ...
    def control(self, verb: str, request: Request) -> Answer | None: ...


class BadControl(ValueError):
    """A control call whose body makes no sense; answered with 400."""


def answer(*, desk: Desk, request: Request) -> Answer:
    """Answer one control call; 404 for an unknown one, 400 for a body that makes no sense."""
    verb = request.path.removeprefix("/__sim__/").strip("/")
    try:
        match verb.partition("/")[0]:
            case "clock":
                return _clock(desk, request)
            case "faults":
                return _faults(desk, request)
            case "journal":
                return _journal(desk, request, verb)
            case "reset":
                desk.reset()
                return json_answer(200, {"reset": True})
            case "world":
                return _world(desk, request, verb)
            case "health":
                return json_answer(200, {"vendor": desk.vendor, "now": desk.clock.now().isoformat()})
        found = desk.control(verb, request)
    except (BadBody, BadFault, BadWorld, BadControl, KeyError, ValueError, TypeError) as problem:
        return json_answer(400, {"error": f"{type(problem).__name__}: {problem}"})
    return found or json_answer(404, {"error": f"no control call {verb!r}"})


def _clock(desk: Desk, request: Request) -> Answer:
    ran = 0
    if request.method == "POST":
        wish = request.json()
        if "time_factor" in wish:
            desk.clock.set_factor(factor=float(wish["time_factor"]))
        if "set" in wish:
            desk.clock.set_time(moment=moment(wish["set"]))
        if "offset_seconds" in wish:
            desk.clock.set_offset(seconds=float(wish["offset_seconds"]))
        if "advance" in wish:
            ran = desk.clock.advance(seconds=float(wish["advance"]))
    return json_answer(
        200,
        {
            "now": desk.clock.now().isoformat(),
            "offset_seconds": round(desk.clock.offset_seconds, 3),
            "time_factor": desk.clock.time_factor,
            "jobs_run": ran,
            "pending": [{"at": due.isoformat(), "job": name} for due, name in desk.clock.pending()[:200]],
        },
    )


def _faults(desk: Desk, request: Request) -> Answer:
    if request.method == "POST":
        wish = request.json()
        wishes = wish if isinstance(wish, list) else [wish]
        parsed = [fault_forms.parse(document) for document in wishes]
        return json_answer(201, {"numbers": [desk.faults.add(fault=fault) for fault in parsed]})
    if request.method == "DELETE":
        number = request.params.get("number")
        desk.faults.clear(number=int(number) if number else None)
    return json_answer(200, {"faults": desk.faults.listed()})


def _journal(desk: Desk, request: Request, verb: str) -> Answer:
    if request.method == "DELETE":
        desk.journal.clear()
        return json_answer(200, {"cleared": True})
    if verb == "journal/counts":
        return json_answer(200, {"counts": desk.journal.counts()})
    params = request.params
    entries = desk.journal.read(
        after=int(params.get("after", "0")),
        kind=params.get("kind", ""),
        practice=params.get("practice", ""),
        limit=int(params["limit"]) if "limit" in params else None,
        ids={name[3:]: value for name, value in params.items() if name.startswith("id.")},
    )
    return json_answer(
        200, {"entries": entries, "last": entries[-1]["seq"] if entries else int(params.get("after", "0"))}
    )


def _world(desk: Desk, request: Request, verb: str) -> Answer:
    if request.method == "POST" and verb == "world/add":
        return json_answer(200, {"added": desk.extend(document=request.json())})
    if request.method == "POST":
        desk.reset(world=World(document=request.json()))
    if verb == "world/document":
        return json_answer(200, desk.world.document)
    return json_answer(200, desk.world.summary())


def moment(text: str) -> datetime:
    """An ISO 8601 moment, aware; a bare one is read as UTC. Raises ValueError."""
    value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return value if value.tzinfo else value.replace(tzinfo=UTC)
