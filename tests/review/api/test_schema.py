"""The schema: its examples are true, the page shows all of it, and calls made from it are answered as described."""

import re

import jsonschema
import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as oa

from review.api import pages, views
from review.api.tokens import TokenThrottle
from tests.review import scene as make
from tests.review.api.programs import program

EXAMPLES = 12  # of each operation, mode and role


def of(found, shape):
    """A JSON schema of one shape of the document, references within it included."""
    return {**shape, "components": found["components"]}


def test_every_operation_has_words_examples_and_all_its_errors():
    found = views.document()
    for path, methods in found["paths"].items():
        for method, one in methods.items():
            assert one["summary"], path
            assert one["description"], path
            answers = one["responses"]
            wanted = {"200", "401", "403", "429"}
            if method == "post":
                wanted |= {"400", "404", "409", "413", "415", "422", "423"}
                assert {p["name"] for p in one["parameters"]} == {"Idempotency-Key", "request_id"}, path
            assert wanted <= set(answers), path
            parts = [one["requestBody"]["content"]["application/json"]] if method == "post" else []
            parts += [answer["content"]["application/json"] for answer in answers.values()]
            for part in parts:
                (example,) = part["examples"].values()
                jsonschema.validate(example["value"], of(found, part["schema"]))


def test_the_schema_is_for_tokens_and_for_people_signed_in(scene, client):
    assert client.get("/api/v1/schema/").status_code == 401
    by_token, by_person = program(scene, "mia").get("schema/"), scene.client("ada").get("/api/v1/schema/")
    assert by_token.json() == by_person.json()
    assert by_token.json()["openapi"].startswith("3.")


def test_the_page_shows_every_operation_without_script_or_anything_from_elsewhere(scene):
    page = scene.client("ada").get(reverse("review:api_docs"))
    text = page.content.decode()
    shown = pages.operations(views.document())
    assert len(shown) == 9
    for one in shown:
        assert f'id="op-{one.name}"' in text
        assert one.path in text
    main = text[text.index("<main") : text.index("</main>")]
    assert "<script" not in main
    assert not re.search(r'(?:src|href)="(?:https?:)?//', main)
    assert "style=" not in main


@pytest.fixture
def application():
    """The whole application, middleware included, on the test's own connection, as Django's test client has it."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


CHECKS = [
    checks.not_a_server_error, oa.status_code_conformance, oa.content_type_conformance, oa.response_schema_conformance,
    oa.response_headers_conformance, oa.negative_data_rejection, oa.unsupported_method, oa.missing_required_header,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("who", ["osei", "cora"])
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_calls_made_from_the_schema_are_never_500_and_always_as_described(
    scene, application, who, mode, monkeypatch
):
    monkeypatch.setattr(TokenThrottle, "rate", "100000/min")
    rows = [make.waiting(scene), make.waiting(scene, schedule="iv"), make.message(scene, queue="assistant")]
    ids = [str(row.id) for row in rows]
    headers = program(scene, who).headers()
    api = schemathesis.openapi.from_wsgi("/api/v1/schema/", application, headers=headers)
    seen: dict[str, set[int]] = {}
    for found in api.get_all_operations():
        operation = found.ok()
        seen[operation.label] = set()
        calls = [operation.as_strategy(generation_mode=mode)]
        if "request_id" in operation.label and (mode is GenerationMode.POSITIVE or operation.method == "post"):
            calls += [operation.as_strategy(generation_mode=mode, path_parameters={"request_id": one}) for one in ids]

        @settings(max_examples=EXAMPLES, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=st.one_of(calls))
        def one_call(case):
            answer = case.call(headers=headers)
            seen[case.operation.label].add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        one_call()
    assert len(seen) == 9
    reached = set().union(*seen.values())
    # The calls went in as deep as they were meant to: a run in which all are turned away at the door shows nothing.
    assert reached >= ({200} if mode is GenerationMode.POSITIVE else {400})
    assert not {one for one in reached if one >= 500}
