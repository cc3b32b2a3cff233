"""The schema: its examples are true, the page shows all of it, and calls made from it are answered as described."""

import itertools
import re

import jsonschema
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.urls import reverse
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks as checking

from review.api import pages, views
from review.models import RefillRequest
from tests.review import scene as make
from tests.review.api.programs import program

ROLES = {"osei": ("read", "decide"), "cora": ("audit",)}


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


@pytest.mark.slow
@pytest.mark.parametrize("who", sorted(ROLES))
def test_calls_made_from_the_schema_are_never_500_and_always_as_described(scene, who, monkeypatch):
    monkeypatch.setattr("review.api.tokens.TokenThrottle.rate", "100000/min")
    rows = [make.waiting(scene), make.waiting(scene, schedule="iv"), make.message(scene, queue="assistant")]
    ids = itertools.cycle([str(row.id) for row in rows])
    caller = program(scene, who, scopes=ROLES[who])
    api = schemathesis.openapi.from_dict(views.document())
    api.app = get_wsgi_application()
    seen = {}
    wanted = [checking.not_a_server_error, *_named(
        "status_code_conformance", "content_type_conformance", "response_schema_conformance",
        "response_headers_conformance", "negative_data_rejection",
    )]  # fmt: skip
    for found in api.get_all_operations():
        operation = found.ok()

        @settings(max_examples=25, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @schemathesis.python_given(operation) if hasattr(schemathesis, "python_given") else _given(operation)
        def one_call(case):
            if case.path_parameters and next(ids):
                case.path_parameters["request_id"] = next(ids)
            answer = case.call(headers=caller.headers())
            seen.setdefault(operation.label, set()).add(answer.status_code)
            case.validate_response(answer, checks=wanted)

        one_call()
    assert len(seen) == 9
    assert RefillRequest.objects.count() >= 3
