"""Klara's own control calls: endpoint, say, tag, close, merge, echo, event, raw, replies, deliveries and more.

The section "Klara" of docs/sandbox.md lists them. State changes under the lock; deliveries start without it.
"""

import json
from typing import TYPE_CHECKING, Any

from integrations.sandbox import klara_oracle as oracle
from integrations.sandbox import klara_people as people
from integrations.sandbox import klara_rest as rest
from integrations.sandbox import klara_shaping as shaping
from integrations.sandbox import klara_signing as signing
from integrations.sandbox import klara_words as words
from integrations.sandbox.control import BadControl, moment
from integrations.sandbox.klara_delivery import MINIMUM, Delivery, Endpoint, Twist
from integrations.sandbox.klara_store import Account, Unknown
from integrations.sandbox.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from integrations.sandbox.klara import Klara

ALTERATIONS = {True: "byte", False: "", None: "", "byte": "byte", "reserialise": "reserialise", "": ""}
MOST_REPEATS = 1000


def answer(*, sim: "Klara", verb: str, request: Request) -> Answer | None:
    """One control call; None when there is no such call. Raises BadControl, KeyError, ValueError, TypeError."""
    wish = request.json() if request.method == "POST" and request.body else {}
    if request.method == "GET":
        return oracle.answer(sim=sim, verb=verb, params=request.params)
    if request.method != "POST":
        return None
    if not isinstance(wish, dict):
        raise BadControl("the body is an object")
    if verb == "say_many" or (verb == "say" and "messages" in wish):
        return json_answer(200, {"results": people.say_all(sim=sim, wishes=wish["messages"])})
    if verb not in ("raw", "settings"):
        wish = words.full(wish)
    calls = {
        "endpoint": _endpoint,
        "secrets": _secrets,
        "settings": _settings,
        "token": _token,
        "tokens/expire": _expire,
        "say": people.say,
        "tag": people.tag,
        "close": people.close,
        "merge": people.merge,
        "echo": people.echo,
        "macro": people.macro,
        "event": people.event,
        "patient": people.patient,
        "raw": oracle.raw,
        "redeliver": _redeliver,
        "test": _test,
    }
    return json_answer(200, calls[verb](sim=sim, wish=wish)) if verb in calls else None


def without_prefix(request: Request) -> Request:
    """A fault aimed at /v1/... strikes the same path without it, which is what the frame sees."""
    if request.path.strip("/") != "__sim__/faults" or request.method != "POST":
        return request
    wish = _readable(request.body)
    for fault in wish if isinstance(wish, list) else [wish]:
        if isinstance(fault, dict) and str(fault.get("path", "")).startswith("/v1/"):
            fault["path"] = fault["path"].removeprefix("/v1")
    if wish is not None:
        request.body = json.dumps(wish).encode()
    return request


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def account_of(sim: "Klara", wish: dict[str, Any]) -> Account:
    """The account named by `practice`: key of the world or Klara's practice id. Raises Unknown."""
    name = str(wish["practice"])
    for account in sim.accounts.values():
        if name in (account.key, account.id):
            return account
    raise Unknown(f"no practice {name!r} with a Klara account")


def twist_of(wish: dict[str, Any]) -> Twist:
    """What is to be done wrongly with the deliveries of this call."""
    bad = bool(wish.get("wrong_secret"))
    if wish.get("alter_body") not in ALTERATIONS:
        raise BadControl("alter_body is true, byte or reserialise")
    alter = ALTERATIONS[wish.get("alter_body")]
    sign = "wrong" if bad else str(wish.get("signing", ""))
    if sign not in ("", "both", "new", "old", "wrong", "none"):
        raise BadControl("signing is both, new, old, wrong or none")
    headers = wish.get("headers") or {}
    return Twist(
        signing=sign,
        alter=alter,
        retry=bool(wish.get("retry", not (sign in ("wrong", "none") or alter or headers))),
        headers=tuple(headers.items()),
        shift=float(wish.get("shift", 0.0)),
    )


def check(sim: "Klara", wish: dict[str, Any]) -> None:
    """Refuse what could not be sent, before anything is changed. Raises BadControl."""
    twist_of(wish)
    if not 1 <= int(wish.get("repeat", 1)) <= MOST_REPEATS:
        raise BadControl(f"repeat is 1 to {MOST_REPEATS}")
    if wish.get("to_url") and not rest.may_post_to(sim=sim, url=str(wish["to_url"])):
        raise BadControl("to_url must be a loopback address")


def send(sim: "Klara", account: Account, event: dict[str, Any], wish: dict[str, Any]) -> list[Delivery]:
    """Deliver an event as the wish says; returns the deliveries."""
    if wish.get("set") or wish.get("drop"):
        event = shaping.changed(event, put_at=dict(wish.get("set") or {}), drop=list(wish.get("drop") or []))
    check(sim, wish)
    repeat, to = int(wish.get("repeat", 1)), str(wish.get("to_url") or "")
    twist = twist_of(wish)
    with sim.lock:
        first = sim.plan(account=account, event=event, twist=twist, lose=bool(wish.get("lose")), to=to)
        once = Twist(twist.signing, twist.alter, False, twist.headers, twist.shift)
        more = [sim.hooks.again(delivery=each, twist=once) for _ in range(repeat - 1) for each in first]
    deliveries = [*first, *more]
    if wish.get("hold"):
        sim.hooks.held.setdefault(account.key, []).extend(deliveries)
        return deliveries
    sim.start(
        deliveries=deliveries,
        delay=float(wish.get("delay", 0.0)),
        wait=bool(wish.get("wait", True)),
        parallel=bool(wish.get("parallel", False)),
    )
    sim.start(deliveries=sim.hooks.held.pop(account.key, []))  # what was held back comes after what came later
    return deliveries


def told(deliveries: list[Delivery]) -> list[dict[str, Any]]:
    """The answer's list: the last attempt of each delivery (status null = not tried yet)."""
    rows = []
    for each in deliveries:
        last = each.attempts[-1] if each.attempts else {"status": None, "attempt": 0}
        rows.append({"id": each.id, "status": last["status"], "attempt": last["attempt"], "state": each.state})
    return rows


def extend(*, sim: "Klara", document: dict[str, Any]) -> dict[str, int]:
    """{"practices": [{"key", "patients": [{"klara"}], "klara": {channels, macros}}]}; an unknown key adds."""
    added = {"practices": 0, "patients": 0, "channels": 0, "macros": 0}
    now = sim.clock.now()
    for part in document.get("practices", []):
        account = sim.accounts.get(part["key"])
        klara = part.get("klara") or {}
        if account is None:
            if not klara:
                continue
            sim.accounts[part["key"]] = Account(practice=part, now=now, salt=sim.salt)
            sim.door.admit(practice=part)
            added["practices"] += 1
            continue
        for entry in part.get("patients", []):
            if entry.get("klara"):
                account.put_patient(record=entry["klara"], now=now)
                added["patients"] += 1
        for channel in klara.get("channels", []):
            account.channels[channel["id"]] = dict(channel)
            added["channels"] += 1
        for macro in klara.get("macros", []):
            account.macros.append(dict(macro))
            added["macros"] += 1
    return added


# set-up ------------------------------------------------------------------------------------------------------------


def _endpoint(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Register our endpoint; it takes the place of those registered before unless `add`; the same url is changed."""
    account = account_of(sim, wish)
    if wish.get("endpoint"):
        return _change_endpoint(sim, account, account.endpoints[str(wish["endpoint"])], wish)
    url = str(wish["url"])
    if not rest.may_post_to(sim=sim, url=url):
        raise BadControl("only a loopback address can be registered")
    secrets = wish.get("secrets") or (
        [wish["secret"]] if wish.get("secret") else account.part.get("webhook_secrets") or []
    )
    events = tuple(wish.get("events", MINIMUM))
    with sim.lock:
        scheme = _scheme_of(wish)
        made = sim.hooks.register(practice=account.key, url=url, secrets=list(secrets), events=events, scheme=scheme)
        made.signing = str(wish.get("signing", ""))
        if not wish.get("add"):
            for old in sim.hooks.of(account.key):
                if old is not made:
                    _give_way(sim, old, made)
        return _endpoint_told(made)


def _scheme_of(wish: dict[str, Any]) -> signing.Scheme:
    """`profile` a name or a document; `signature` its differences."""
    profile = wish.get("profile")
    if "signature" not in wish:
        return signing.scheme(profile)
    return signing.scheme({"profile": profile or signing.ASSUMED.name, "signature": wish["signature"]})


def _endpoint_told(endpoint: Endpoint) -> dict[str, Any]:
    scheme = endpoint.scheme
    headers = {"id": scheme.id_header, "timestamp": scheme.timestamp_header, "signature": scheme.signature_header}
    return {
        **endpoint.shown(),
        "endpoint": endpoint.id,
        "secrets": list(endpoint.secrets),
        "profile": scheme.name,
        "headers": headers,
    }


def _change_endpoint(sim: "Klara", account: Account, endpoint: Endpoint, wish: dict[str, Any]) -> dict[str, Any]:
    """Any of url, secrets, profile, signature, signing, active."""
    url = str(wish.get("url", endpoint.url))
    if not rest.may_post_to(sim=sim, url=url):
        raise BadControl("only a loopback address can be registered")
    with sim.lock:
        scheme = _scheme_of(wish) if "profile" in wish or "signature" in wish else endpoint.scheme
        secrets = list(wish.get("secrets", endpoint.secrets))
        for secret in secrets:
            signing.key_of(secret=secret, scheme=scheme)
        endpoint.url, endpoint.scheme, endpoint.secrets, endpoint.old_until = url, scheme, secrets, None
        endpoint.signing = str(wish.get("signing", endpoint.signing))
        if "active" in wish:
            endpoint.status = "enabled" if wish["active"] else "paused"
        return _endpoint_told(endpoint)


def _test(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """A webhook.test event to the endpoint, as the button of the connection page would."""
    return people.event(sim=sim, wish={**wish, "type": "webhook.test"})


def _give_way(sim: "Klara", old: Endpoint, new: Endpoint) -> None:
    """What is still on its way to the old endpoint goes to the new one, if the address is the same."""
    del sim.accounts[old.practice].endpoints[old.id]
    if old.url != new.url:
        old.status = "removed"
    for delivery in sim.hooks.log:
        if delivery.endpoint is old and old.url == new.url:
            delivery.endpoint = new


def _secrets(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Rotation as the test wants it: `secrets` newest first, or `new` put in front; `signing` both, new, old, wrong."""
    account = account_of(sim, wish)
    with sim.lock:
        for endpoint in sim.hooks.of(account.key):
            if "secrets" in wish:
                for secret in wish["secrets"]:
                    signing.key_of(secret=secret, scheme=endpoint.scheme)
                endpoint.secrets, endpoint.old_until = list(wish["secrets"]), None
            if "new" in wish:
                sim.hooks.rotate(endpoint=endpoint, secret=str(wish["new"] or ""))
            if "signing" in wish:
                endpoint.signing = twist_of(wish).signing
            if wish.get("enable"):
                endpoint.status = "enabled"
        return {"endpoints": [{**each.shown(), "secrets": list(each.secrets)} for each in sim.hooks.of(account.key)]}


def _settings(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    values = dict(wish)
    practice = values.pop("practice", "")
    key = account_of(sim, {"practice": practice}).key if practice else ""
    for short, long in (("per_second", "calls_per_second"), ("echo_replies", "own_events")):
        if short in values:
            values[long] = values.pop(short)
    with sim.lock:
        sim.switches.change(values=values, practice=key)
    return {"settings": sim.switches.shown(key)}


def _token(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Tokens without the token call (the refresh_token grant needs a first one)."""
    with sim.lock:
        return sim.door.issue(practice=account_of(sim, wish).key, now=sim.clock.now())


def _expire(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    key = account_of(sim, wish).key
    with sim.lock:
        return {"expired": sim.door.expire(practice=key, now=sim.clock.now(), refresh=bool(wish.get("refresh")))}


def _redeliver(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """A logged event again: `delivery` or `event_id`; twists as in say; `same_headers` replays the captured bytes."""
    with sim.lock:
        wanted = {str(wish[name]) for name in ("delivery", "event_id") if name in wish}
        found = [each for each in sim.hooks.log if wanted & {each.id, each.event_id}]
        if not found:
            raise Unknown("no such delivery")
        times = int(wish.get("repeat", 1))
        if not wish.get("same_headers"):
            made = [sim.hooks.again(delivery=found[0], twist=twist_of(wish)) for _ in range(times)]
    if wish.get("same_headers"):
        return {"event": found[0].event_id, "statuses": [sim.hooks.replay(delivery=found[0]) for _ in range(times)]}
    sim.start(deliveries=made, parallel=bool(wish.get("parallel")), delay=float(wish.get("delay", 0.0)))
    rows = told(made)
    return {
        "event": made[0].event_id,
        "event_id": made[0].event_id,
        "deliveries": rows,
        "statuses": [row["status"] for row in rows],
    }


def moment_of(wish: dict[str, Any], name: str, sim: "Klara") -> Any:
    """A moment in the wish, else virtual now."""
    return moment(str(wish[name])) if wish.get(name) else sim.clock.now()
