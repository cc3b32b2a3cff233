"""Clauses of the written policy: links are read strictly, gaps are listed, decisions name what they rest on."""

import uuid
from typing import Any

import pytest

from rules import citing, documents, recipes
from rules.findings import Decision, Outcome, Queue, TraceStep
from rules.policy import Policy, PolicyError

WRITTEN = str(uuid.UUID(int=7))
LINKS = {"recipe:auto_refill": ["5.1"], "class:ppi_h2": ["6"], "guard:visit": ["3.2", "3.3"]}


def test_links_are_read_and_written_back_alike() -> None:
    document = {"written_policy": WRITTEN, "links": LINKS}
    found = citing.parse(document=document)
    assert citing.parse(document=citing.to_document(citations=found)) == found
    assert found.links["guard:visit"] == ("3.2", "3.3")


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "citations"),
        ({"pages": 3}, "citations"),
        ({"written_policy": "mine"}, "citations.written_policy"),
        ({"links": LINKS}, "citations.written_policy"),
        ({"written_policy": WRITTEN, "links": []}, "citations.links"),
        ({"written_policy": WRITTEN, "links": {"visit": ["1"]}}, "citations.links.visit"),
        ({"written_policy": WRITTEN, "links": {"colour:red": ["1"]}}, "citations.links.colour:red"),
        ({"written_policy": WRITTEN, "links": {"guard:visit": "1"}}, "citations.links.guard:visit"),
        ({"written_policy": WRITTEN, "links": {"guard:visit": ["1"] * 21}}, "citations.links.guard:visit"),
        ({"written_policy": WRITTEN, "links": {"guard:visit": [""]}}, "citations.links.guard:visit"),
    ],
)
def test_a_wrong_link_is_refused_by_its_place(document: Any, place: str) -> None:
    with pytest.raises(PolicyError) as caught:
        documents.check(document={"citations": document})
    assert caught.value.field == place


def test_rules_without_a_clause_and_clauses_without_a_rule_are_listed() -> None:
    rules = citing.rules_to_link(policy=Policy(adopted_classes=frozenset({"ppi_h2"})), recipes=recipes.ready_made())
    citations = citing.parse(document={"written_policy": WRITTEN, "links": LINKS})
    loose = citing.unlinked(rules=rules, citations=citations)
    assert "recipe:auto_refill" not in loose
    assert {"recipe:needs_visit", "limit:visit_limit_days"} <= set(loose)
    assert not any(one.startswith("guard:") for one in loose)
    assert citing.uncovered(clauses=["3.2", "5.1", "9"], citations=citations) == ("9",)


def test_a_recipe_that_is_off_needs_no_clause() -> None:
    rules = citing.rules_to_link(policy=Policy(enabled_recipes=frozenset()), recipes=recipes.ready_made())
    assert not any(one.startswith("recipe:") for one in rules)


def test_a_decision_cites_its_recipe_its_class_and_the_guards_that_objected() -> None:
    made = Decision(
        outcome=Outcome.review, recipe="auto_refill", queue=Queue.prescriber, drug_class="ppi_h2",
        trace=(
            TraceStep("guard", "visit", "400", "365", False),
            TraceStep("guard", "mirror", "3", "15", True),
            TraceStep("auto_refill.if", "visit", "400", "365", False),
        ),
    )  # fmt: skip
    citations = citing.parse(document={"written_policy": WRITTEN, "links": {**LINKS, "guard:mirror": ["8"]}})
    assert citing.cited(made=made, citations=citations) == ("5.1", "6", "3.2", "3.3")
