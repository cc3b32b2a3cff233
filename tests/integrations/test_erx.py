"""The table of routes."""

from datetime import UTC, datetime

import pytest

from integrations import erx
from integrations.surescripts.types import Endpoint, FetchResult

NOW = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
NOWHERE = Endpoint(base_url="http://127.0.0.1:9", fingerprint="")


def test_every_route_is_found_by_its_own_name() -> None:
    assert set(erx.route_names()) == {"surescripts", "surescripts_sandbox", "ehr_handoff"}
    for name in erx.route_names():
        assert erx.route_for(name).name == name


def test_an_unknown_route_is_an_error_and_no_default() -> None:
    with pytest.raises(erx.UnknownRoute):
        erx.route_for("dosespot")


def test_only_the_sandbox_promises_to_deliver_a_repeat_once() -> None:
    promises = {name: erx.route_for(name).dedupes_by_message_id for name in erx.route_names()}
    assert promises == {"surescripts": False, "surescripts_sandbox": True, "ehr_handoff": False}


def test_only_the_sandbox_route_signs_and_none_signs_for_real() -> None:
    signing = {name: erx.route_for(name).capabilities().signing.value for name in erx.route_names()}
    assert signing == {"surescripts": "none", "surescripts_sandbox": "sandbox", "ehr_handoff": "none"}


def test_the_hand_off_to_the_chart_transmits_nothing() -> None:
    route = erx.route_for("ehr_handoff")
    assert not route.capabilities().transmits
    assert route.fetch(connection=NOWHERE, acknowledge=None, now=NOW) == FetchResult(drained=True)
    with pytest.raises(NotImplementedError):
        route.submit(connection=NOWHERE, document=b"<x/>", message_id="m")


def test_the_network_carries_what_the_routine_lane_needs() -> None:
    able = erx.route_for("surescripts").capabilities()
    assert able.transmits
    assert {"NewRx", "CancelRx"} <= able.transactions
