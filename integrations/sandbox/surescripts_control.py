"""The network's own calls of the test desk: the oracle, pharmacies, SPIs, lanes, switches, messages of pharmacies.

It changes how the network behaves and reads what it did; bodies are JSON. Unknown verbs are the frame's 404.
"""

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from integrations.sandbox import surescripts_messages as messages
from integrations.sandbox import surescripts_xml as xml
from integrations.sandbox.control import BadControl, moment
from integrations.sandbox.surescripts_messages import Blocks
from integrations.sandbox.surescripts_profiles import PROFILES
from integrations.sandbox.surescripts_registry import FOR_EVER, Pharmacy, Spi
from integrations.sandbox.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from integrations.sandbox.surescripts import Surescripts


def answer(*, network: "Surescripts", verb: str, request: Request) -> Answer | None:
    """One control call; None for an unknown verb. Raises BadControl, KeyError, ValueError for a senseless body."""
    name, _, rest = verb.partition("/")
    post = request.method == "POST"
    match name:
        case "prescriptions":
            return _prescriptions(network, request)
        case "profiles":
            return json_answer(200, {"profiles": sorted(PROFILES)})
        case "pharmacies":
            if post:
                _change_pharmacy(network, rest, request.json())
            return _pharmacies(network, rest if not post else "")
        case "spis":
            if post:
                _change_spi(network, rest, request.json())
            return json_answer(
                200, {"spis": [_spi(spi) for spi in network.registry.spis.values() if rest in ("", spi.spi)]}
            )
        case "lanes":
            return _lanes(network, request.json() if post else {})
        case "settings":
            return _settings(network, request.json() if post else {})
        case "queue" if post:
            return _queue(network, request.json())
        case "requests":
            return json_answer(200, {"requests": network.counter.requests})
        case "mailbox":
            return _mailbox(network)
        case "messages":
            return _message(network, rest)
        case "push" if post:
            wish = request.json()
            network.push.aim(url=str(wish.get("url") or ""), headers=dict(wish.get("headers") or {}))
            return json_answer(200, {"url": network.push.url})
    return None


def _prescriptions(network: "Surescripts", request: Request) -> Answer:
    params = request.params
    return json_answer(200, network.counter.oracle(
        practice=params.get("practice", ""), order=params.get("order", ""), patient=params.get("patient", ""),
        listed=params.get("summary", "") not in ("1", "true"),
    ))  # fmt: skip


def _pharmacies(network: "Surescripts", ncpdp: str) -> Answer:
    rows = [
        {"ncpdp": p.ncpdp, "npi": p.npi, "name": p.name, "profile": p.profile.name, "listed": p.listed,
         "active_end": p.active_end.isoformat(), "service_levels": sorted(p.levels), "verify_after": p.verify_after,
         "state": p.place.state}
        for p in network.registry.pharmacies.values() if ncpdp in ("", p.ncpdp)
    ]  # fmt: skip
    return json_answer(200, {"pharmacies": rows})


def _change_pharmacy(network: "Surescripts", ncpdp: str, wish: dict[str, Any]) -> None:
    """Keys: closed, listed, ncpdp (a new id; the old one is gone), name, profile, service_levels, verify_after."""
    known = {"closed", "listed", "ncpdp", "name", "profile", "service_levels", "verify_after"}
    if set(wish) - known:
        raise BadControl(f"unknown keys {sorted(set(wish) - known)}")
    pharmacy: Pharmacy = network.registry.pharmacies[ncpdp]
    if "profile" in wish:
        pharmacy.profile = PROFILES[wish["profile"]]
    if "closed" in wish:
        pharmacy.active_end = network.clock.now() if wish["closed"] else FOR_EVER
    if "listed" in wish:
        pharmacy.listed = bool(wish["listed"])
    if "name" in wish:
        pharmacy.name = str(wish["name"])[:70]
    if "service_levels" in wish:
        pharmacy.levels = frozenset(wish["service_levels"])
    if "verify_after" in wish:
        pharmacy.verify_after = None if wish["verify_after"] is None else float(wish["verify_after"])
    if "ncpdp" in wish:
        new = str(wish["ncpdp"])
        if len(new) != 7 or not new.isdigit() or new in network.registry.pharmacies:
            raise BadControl("a new NCPDP id is seven digits and not taken")
        del network.registry.pharmacies[ncpdp]
        pharmacy.ncpdp = new
        network.registry.pharmacies[new] = pharmacy


def _spi(spi: Spi) -> dict[str, Any]:
    return {
        "spi": spi.spi, "account": spi.account, "npi": spi.npi, "dea": spi.dea, "last": spi.last, "first": spi.first,
        "active_end": spi.active_end.isoformat(), "service_levels": sorted(spi.levels), "listed": spi.listed,
    }  # fmt: skip


def _change_spi(network: "Surescripts", number: str, wish: dict[str, Any]) -> None:
    """Keys: account, active_end (moment), service_levels, listed."""
    spi = network.registry.spis[number]
    if set(wish) - {"account", "active_end", "service_levels", "listed"}:
        raise BadControl("keys are account, active_end, service_levels, listed")
    if "active_end" in wish:
        spi.active_end = moment(wish["active_end"])
    if "service_levels" in wish:
        spi.levels = frozenset(wish["service_levels"])
    spi.account = str(wish.get("account", spi.account))
    spi.listed = bool(wish.get("listed", spi.listed))


def _lanes(network: "Surescripts", wish: dict[str, Any]) -> Answer:
    lanes = network.lanes
    lanes.epcs, lanes.routine = int(wish.get("epcs", lanes.epcs)), int(wish.get("routine", lanes.routine))
    lanes.enabled = bool(wish.get("enabled", lanes.enabled))
    return json_answer(200, {"epcs": lanes.epcs, "routine": lanes.routine, "enabled": lanes.enabled})


def _settings(network: "Surescripts", wish: dict[str, Any]) -> Answer:
    counter = network.counter
    if set(wish) - {"mailbox_scope", "rxfill", "verify_after", "state_controlled"}:
        raise BadControl("keys are mailbox_scope, rxfill, verify_after, state_controlled")
    if wish.get("rxfill", "always") not in ("always", "asked", "never"):
        raise BadControl("rxfill is always, asked or never")
    if "mailbox_scope" in wish:
        counter.mailboxes.rescope(scope=str(wish["mailbox_scope"]))
    counter.rxfill = wish.get("rxfill", counter.rxfill)
    if "verify_after" in wish:
        counter.verify_after = None if wish["verify_after"] is None else float(wish["verify_after"])
    if "state_controlled" in wish:
        network.state_controlled = {
            str(k): [str(v).lower() for v in names] for k, names in wish["state_controlled"].items()
        }
    return json_answer(200, {
        "mailbox_scope": counter.mailboxes.scope, "rxfill": counter.rxfill, "verify_after": counter.verify_after,
        "state_controlled": network.state_controlled,
    })  # fmt: skip


def _queue(network: "Surescripts", wish: dict[str, Any]) -> Answer:
    """A message a pharmacy starts, after `after` seconds: blocks from a NewRx (`message_id`) or from plain values."""
    counter, kind = network.counter, wish["type"]
    raw = counter.bodies.get(wish["message_id"]) if wish.get("message_id") else None
    if wish.get("message_id") and raw is None:
        raise BadControl("no such message, or its bytes are no longer kept")
    origin = counter.find(message_id=str(wish.get("message_id") or "")) or {}
    pharmacy = network.registry.pharmacies[str(wish.get("ncpdp") or origin.get("ncpdp") or "9990001")]
    spi = network.registry.spis[str(wish.get("spi") or origin["spi"])]
    if kind == "raw":
        body, raw_out = "", str(wish["xml"]).encode()
    else:
        raw_out = None
        blocks = (
            messages.blocks_of(root=xml.read(raw=raw), pharmacy=pharmacy)
            if raw is not None
            else messages.blocks_from(wish=wish, spi=spi, pharmacy=pharmacy)
        )
        body = _body(kind, wish, blocks, network.clock.now().date())
    relates_to = str(wish["relates_to"] if "relates_to" in wish else origin.get("message_id", ""))
    order, code = str(wish.get("order", origin.get("order", ""))), str(wish.get("code", "OS"))

    def job() -> Any:
        return counter.queue(
            kind=kind, pharmacy=pharmacy, spi=spi, body=body, relates_to=relates_to, order=order, code=code, raw=raw_out
        )

    after = float(wish.get("after", 0))
    if after > 0:
        network.clock.call_later(seconds=after, job=lambda: network._guarded(job), name=f"{kind} of the test desk")
        return json_answer(202, {"queued": "later"})
    item = job()
    return json_answer(201, {"message_id": item.message_id if item else None, "suppressed": item is None})


def _body(kind: str, wish: dict[str, Any], blocks: Blocks, today: date) -> str:
    if kind == "RxRenewalRequest":
        requested = wish.get("requested_refills", 3)
        last = date.fromisoformat(wish["last_fill_on"]) if wish.get("last_fill_on") else today
        return messages.renewal_request(
            blocks=blocks, last_fill=last, requested=requested, follow_up=bool(wish.get("follow_up"))
        )
    if kind == "RxChangeRequest":
        return messages.change_request(
            blocks=blocks, code=wish.get("code", "OS"), sub_codes=list(wish.get("sub_codes") or []),
            reason=str(wish.get("reason") or ""),
        )  # fmt: skip
    if kind == "RxFill":
        return messages.fill(
            blocks=blocks, kind=wish.get("fill", "Dispensed"), reason=str(wish.get("reason_code") or ""),
            note=str(wish.get("note") or ""), on=today,
        )  # fmt: skip
    if kind == "CancelRxResponse":
        return messages.cancel_response(denied=str(wish.get("reason_code") or ""), text=str(wish.get("note") or ""))
    if kind == "Verify":
        return messages.verify()
    if kind == "Error":
        return messages.error(
            code=str(wish.get("code", "900")), description_code=str(wish.get("description_code", "2000")),
            text=str(wish.get("text") or "Rejected"),
        )  # fmt: skip
    raise BadControl("type is RxRenewalRequest, RxChangeRequest, RxFill, CancelRxResponse, Verify, Error or raw")


def _mailbox(network: "Surescripts") -> Answer:
    rows = [
        {"type": item.kind, "message_id": item.message_id, "relates_to": item.relates_to, "spi": item.spi,
        "from": item.ncpdp,
         "delivered_id": item.delivered_id, "times": item.times, "copies": item.copies}
        for item in network.counter.mailboxes.waiting()
    ]  # fmt: skip
    return json_answer(200, {"scope": network.counter.mailboxes.scope, "waiting": rows})


def _message(network: "Surescripts", message_id: str) -> Answer:
    raw = network.counter.bodies.get(message_id)
    if raw is None:
        return Answer(status=404,
        body=json.dumps({"error": "no such message, or its bytes are no longer kept"}).encode(),
                      headers={"Content-Type": "application/json"})  # fmt: skip
    return Answer(status=200, body=raw, headers={"Content-Type": "application/xml; charset=utf-8"})
