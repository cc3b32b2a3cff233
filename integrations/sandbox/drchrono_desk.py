"""DrChrono's own control calls: settings, grant, token, webhook, trouble, ping, chart, usage. See docs/sandbox.md."""

import copy
from typing import TYPE_CHECKING, Any

from integrations.sandbox import drchrono_writes as writes
from integrations.sandbox.drchrono_hooks import TROUBLES
from integrations.sandbox.drchrono_routes import SCOPES
from integrations.sandbox.drchrono_store import ALIASES
from integrations.sandbox.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from integrations.sandbox.drchrono import DrChrono


def answer(*, sim: "DrChrono", verb: str, request: Request) -> Answer | None:
    """One control call; None when there is no such call."""
    wish = request.json() if request.method == "POST" and request.body else {}
    match request.method, verb:
        case "POST", "settings":
            practice = wish.pop("practice", "")
            sim.knobs.change(values=wish, practice=practice)
            return json_answer(200, {"changed": sorted(wish), "practice": practice})
        case "POST", "grant":
            return _grant(sim, wish)
        case "POST", "token":
            return _token(sim, wish)
        case "POST", "webhook":
            practice = sim.world.practice(wish["practice"])
            secret = wish.get("secret") or practice["drchrono_webhook_secret"]
            hook = sim.hooks.register(
                practice=practice["key"], url=wish["url"], secret=secret, events=tuple(wish.get("events", ()))
            )
            if hook.verified:
                sim.hooks.emit(practice=practice["key"], event="PING", record={})
            return json_answer(200, {"verified": hook.verified, "secret": secret})
        case "POST", "ping":
            return json_answer(200, {"delivery": sim.hooks.emit(practice=wish["practice"], event="PING", record={})})
        case "POST", "trouble":
            if wish.get("mode") not in TROUBLES:
                return json_answer(400, {"error": f"mode must be one of {', '.join(TROUBLES)}"})
            sim.hooks.hooks[wish["practice"]].troubles.append(
                {name: value for name, value in wish.items() if name != "practice"}
            )
            return json_answer(201, {"troubles": sim.hooks.hooks[wish["practice"]].troubles})
        case "POST", "chart":
            return _edit(sim, wish)
        case "GET", "chart":
            return _read(sim, request.params)
        case "GET", "usage":
            return json_answer(
                200, {"usage": {c: {"hour": h.isoformat(), "calls": n} for c, (h, n) in sim.hours.items()}}
            )
    return None


def extend(*, sim: "DrChrono", document: dict[str, Any]) -> dict[str, int]:
    """Put {"practices": [{"key", <resource>: [records], "patients": [{drchrono, klara}]}]} into running charts."""
    added: dict[str, int] = {}
    for part in document.get("practices", []):
        chart = sim.charts[part["key"]]
        for name, records in part.items():
            if name == "key" or not isinstance(records, list):
                continue
            for record in records:
                entry = record["drchrono"] if name == "patients" and "drchrono" in record else record
                chart.table(name).put(record=copy.copy(entry))
                added[name] = added.get(name, 0) + 1
    return added


def _grant(sim: "DrChrono", wish: dict[str, Any]) -> Answer:
    practice = sim.world.practice(wish["practice"])
    chart = sim.charts[practice["key"]]
    with sim.lock:
        grant = sim.oauth.issue(
            practice=practice,
            user=str(wish.get("user") or chart.owner()),
            now=sim.clock.now(),
            scope=wish.get("scope") or " ".join(SCOPES),
        )
    return json_answer(200, sim.oauth.describe(grant))


def _token(sim: "DrChrono", wish: dict[str, Any]) -> Answer:
    """Expire or revoke every grant of a practice now."""
    count = 0
    for grant in sim.oauth.by_access.values():
        if grant.practice == wish["practice"] and grant.alive:
            count += 1
            if wish["do"] == "expire":
                grant.access_until = sim.clock.now()
            elif wish["do"] == "revoke":
                grant.alive = False
            else:
                return json_answer(400, {"error": "do must be expire or revoke"})
    return json_answer(200, {"grants": count})


def _edit(sim: "DrChrono", wish: dict[str, Any]) -> Answer:
    """A change made by a person inside DrChrono: create (no id), change, or delete; unchecked on purpose."""
    with sim.lock:
        chart = sim.charts[wish["practice"]]
        name, now = wish["resource"], sim.clock.now()
        key = str(wish.get("id") or wish.get("record", {}).get("id") or "")
        old = chart.table(name).get(key) if key else None
        if wish.get("delete"):
            writes.commit(
                sim=sim,
                chart=chart,
                name=name,
                record=old or {},
                verb="delete",
                now=now,
                webhook=wish.get("webhook", True),
            )
            return json_answer(200, {"deleted": key})
        stamp = chart.local(now)
        if old is None:
            fresh = {
                "id": chart.new_id(name),
                "created_at": stamp,
                **copy.deepcopy(writes.DEFAULTS.get(ALIASES.get(name, name), {})),
            }
            record = {**fresh, "updated_at": stamp, **wish["record"]}
        else:
            record = {**old, "updated_at": stamp, **wish["record"]}
        if name in ("medications", "allergies", "problems"):
            record = {field: value for field, value in record.items() if field not in ("created_at", "updated_at")}
        verb = "create" if old is None else "modify"
        writes.commit(
            sim=sim, chart=chart, name=name, record=record, verb=verb, now=now, webhook=wish.get("webhook", True)
        )
    return json_answer(200, {"id": record["id"], "record": record})


def _read(sim: "DrChrono", params: dict[str, str]) -> Answer:
    table = sim.charts[params["practice"]].table(params["resource"])
    if "id" in params:
        return json_answer(200, {"record": table.get(params["id"])})
    patient = params.get("patient")
    rows = [
        row.record for row in list(table.rows.values()) if patient is None or str(row.record.get("patient")) == patient
    ]
    return json_answer(200, {"records": rows})
