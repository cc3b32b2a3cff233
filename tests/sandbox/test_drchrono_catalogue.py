"""Every entry of the DrChrono catalogue is routed by the pretended vendor with the listed method and path."""

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.sandbox import drchrono
from integrations.sandbox.courier import Courier
from tests.sandbox.desk import Desk, frozen, small_world

CATALOGUE = json.loads((Path(__file__).parents[1] / "fixtures/drchrono/catalogue.json").read_text())


@pytest.mark.parametrize(
    "entry",
    CATALOGUE["entries"] + CATALOGUE["extra_operations"],
    ids=lambda e: f"{e['kind']}: {e['name']} {e['method']} {e['path']}",
)
def test_every_entry_of_the_catalogue_is_routed(catalogue_desk: Desk, entry: dict[str, Any]) -> None:
    answer = catalogue_desk.call(entry["method"], entry["path"].replace("{id}", "1"), json={})
    assert answer.status_code != 405
    if answer.status_code == 404:
        assert "{id}" in entry["path"]
        assert answer.json() == {"detail": "Not found."}
        name, _, rest = entry["path"].removeprefix("/api/").partition("/")
        resource = drchrono.RESOURCES[name]
        action = rest.partition("/")[2]
        assert entry["method"] in (resource.actions[action] if action else resource.item_methods)


@pytest.fixture(scope="module")
def catalogue_desk() -> Desk:
    made = Desk(drchrono.build(world=small_world(), clock=frozen(), courier=Courier(deliver=lambda *_: 200)))
    made.control("settings", hourly_limit=100_000)
    token = made.control("grant", practice="p1")
    made.session.headers["Authorization"] = f"Bearer {token['access_token']}"
    return made
