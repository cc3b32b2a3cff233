"""Differences between two sets of rules read as sentences; equal rules have none."""

from typing import Any

from rules import differences, documents, recipes, steps
from rules.documents import Rules

ADOPTED: dict[str, Any] = {
    "policy": {"adopted_classes": ["ppi_h2"]},
    "adoptions": [{"class": "ppi_h2", "by": "L", "on": "2026-01-05"}],
}


def rules(**parts: Any) -> Rules:
    return documents.check(document=parts)


def sentences(before: Rules, after: Rules) -> list[str]:
    return [one.sentence for one in differences.between(before=before, after=after)]


def shipped() -> list[dict[str, Any]]:
    return [recipes.to_document(recipe=one) for one in recipes.ready_made()]


def test_equal_rules_do_not_differ_whether_the_recipes_are_written_out_or_not() -> None:
    assert sentences(rules(), rules(recipes=shipped())) == []


def test_limits_switches_and_classes_are_told_with_old_and_new() -> None:
    after = documents.check(
        document={**ADOPTED, "policy": {**ADOPTED["policy"], "visit_limit_days": 180, "is_on_call_enabled": True}}
    )
    assert sentences(rules(), after)[:2] == [
        "visit limit days: 365 \u2192 180 days",
        "On-call takes what runs out before opening: yes",
    ]
    assert sentences(rules(), documents.check(document=ADOPTED))[0].endswith(": adopted")
    assert sentences(documents.check(document=ADOPTED), rules())[0].endswith(": no longer adopted")


def test_a_changed_step_shows_its_condition_before_and_after() -> None:
    documents_ = shipped()
    documents_[5], fresh = steps.with_step_after(document=documents_[5], key="when")
    found = differences.between(before=rules(), after=rules(recipes=documents_))
    assert {one.rule for one in found} == {"recipe:auto_refill"}
    assert [one.step for one in found if "new step" in one.sentence] == [fresh]


def test_recipes_that_come_go_or_are_switched_are_told() -> None:
    own = steps.new(key="own", name="Own", trigger="refill")
    assert "Own: new recipe" in sentences(rules(), rules(recipes=[*shipped(), own]))
    assert "Own: removed" in sentences(rules(recipes=[*shipped(), own]), rules())
    off = rules(policy={"enabled_recipes": [one["key"] for one in shipped() if one["key"] != "needs_visit"]})
    assert sentences(rules(), off) == ["Needs a visit: off"]


def test_another_order_is_told_once() -> None:
    turned = [shipped()[-1], *shipped()[:-1]]
    assert [one for one in sentences(rules(), rules(recipes=turned)) if one.startswith("Order")] != []


def test_changed_figures_of_a_class_are_told_one_by_one() -> None:
    changed = {"visit_within_days": 90, "labs": {"potassium": {"most": "5.2"}, "uacr": {"within_days": 90}}}
    signed = {"by": "Dr. Lind", "on": "2026-01-05", "note": "why"}
    found = sentences(rules(), rules(protocols={"acei_arb": {**changed, **signed}}))
    assert len(found) == 3
    assert [one.partition(": ")[2] for one in found] == [
        "visit within days: 365 \u2192 90",
        "potassium to: 5.5 \u2192 5.2",
        "uacr is asked for, newer than 90 days",
    ]
