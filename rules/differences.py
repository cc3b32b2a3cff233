"""What differs between two sets of rules, in sentences people can check ("Last visit: 365 -> 180 days"). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rules import conditions, policy, protocols
from rules.documents import Rules
from rules.protocols import Protocol
from rules.recipes import Ask, Recipe

SWITCHES = {
    "is_on_call_enabled": "On-call takes what runs out before opening",
    "untagged_refill_may_be_automatic": "Untagged refills may be automatic",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One change. `rule` is named as in `rules.citing` ("recipe:auto_refill"), `step` the node of a recipe, else ""."""

    rule: str
    sentence: str
    step: str = ""


def between(*, before: Rules, after: Rules) -> tuple[Difference, ...]:
    """All differences: limits, switches, classes, laboratory names, then recipe by recipe."""
    return (*_limits(before, after), *_classes(before, after), *_lab_names(before, after), *_recipes(before, after))


def _limits(before: Rules, after: Rules) -> Iterator[Difference]:
    for name, bound in policy.BOUNDS.items():
        old, new = getattr(before.policy, name), getattr(after.policy, name)
        if old != new:
            yield Difference(f"limit:{name}", f"{name.replace('_', ' ')}: {old} \u2192 {new} {bound.unit}")
    for name, words in SWITCHES.items():
        if getattr(before.policy, name) != getattr(after.policy, name):
            yield Difference(f"limit:{name}", f"{words}: {'yes' if getattr(after.policy, name) else 'no'}")


def _classes(before: Rules, after: Rules) -> Iterator[Difference]:
    names = protocols.load().by_key
    old, new = before.policy.adopted_classes, after.policy.adopted_classes
    for key in sorted(old ^ new):
        name = names[key].name if key in names else key
        yield Difference(f"class:{key}", f"{name}: {'adopted' if key in new else 'no longer adopted'}")
    for key, row in after.protocols.by_key.items():
        was = before.protocols.by_key.get(key)
        if was is not None and row != was:
            yield from (Difference(f"class:{key}", f"{row.name}: {said}") for said in _figures(was, row))


FIGURES = {
    "visit_within_days": "visit within days", "max_days_supply": "days supply at most",
    "max_refills": "refills at most", "min_stable_days": "unchanged for days", "min_age_years": "age from",
    "max_age_years": "age to", "route": "way",
}  # fmt: skip
ASKED = {"within_days": "newer than days", "least": "from", "most": "to", "is_demanded": "always asked for"}


def _figures(was: Protocol, row: Protocol) -> Iterator[str]:
    """What differs between two rows of one class, figure by figure."""
    for name, words in FIGURES.items():
        old, new = getattr(was, name), getattr(row, name)
        if old != new:
            yield f"{words}: {_plain(old)} \u2192 {_plain(new)}"
    before = {(test.key, test.only, test.excepted): test for test in was.tests}
    for test in row.tests:
        known = before.get((test.key, test.only, test.excepted))
        if known is None:
            yield f"{test.key} is asked for, newer than {test.within_days} days"
        for name, words in ASKED.items():
            old, new = getattr(known, name, None), getattr(test, name)
            if old != new and (known is not None or name in ("least", "most")):
                yield f"{test.key} {words}: {_plain(old)} \u2192 {_plain(new)}"


def _plain(value: object) -> str:
    if value is None:
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _lab_names(before: Rules, after: Rules) -> Iterator[Difference]:
    old, new = set(before.lab_names), set(after.lab_names)
    for one in sorted(old ^ new, key=lambda each: each.title):
        unit = f" in {one.unit}" if one.unit else ""
        verb = "is" if one in new else "is no longer"
        yield Difference("labs:", f"\u201c{one.title}\u201d{unit} {verb} our {one.key}")


def _recipes(before: Rules, after: Rules) -> Iterator[Difference]:
    old = {one.key: one for one in before.recipes}
    new = {one.key: one for one in after.recipes}
    for key, recipe in new.items():
        if key not in old:
            yield Difference(f"recipe:{key}", f"{recipe.name}: new recipe")
            continue
        yield from recipe_changes(before=old[key], after=recipe)
    for key, recipe in old.items():
        if key not in new:
            yield Difference(f"recipe:{key}", f"{recipe.name}: removed")
    for key in sorted(before.policy.enabled_recipes ^ after.policy.enabled_recipes):
        name = (new.get(key) or old.get(key) or Named(key)).name
        yield Difference(f"recipe:{key}", f"{name}: {'on' if key in after.policy.enabled_recipes else 'off'}")
    shared = [key for key in new if key in old]
    if shared != [key for key in old if key in new]:
        yield Difference("recipe:", "Order of recipes: " + ", ".join(new[key].name for key in new))


@dataclass(frozen=True, slots=True)
class Named:
    """Stands in for a recipe that is only known by its key."""

    name: str


def recipe_changes(*, before: Recipe, after: Recipe) -> Iterator[Difference]:
    """The changes inside one recipe, step by step."""
    rule = f"recipe:{after.key}"
    if before.name != after.name:
        yield Difference(rule, f"{before.name}: now called {after.name}")
    if before.trigger is not after.trigger:
        yield Difference(rule, f"{after.name}: begins with {after.trigger.value}, was {before.trigger.value}")
    if before.start != after.start:
        yield Difference(rule, f"{after.name}: begins with another step")
    for key, node in after.nodes.items():
        old = before.nodes.get(key)
        if old == node:
            continue
        if old is None:
            yield Difference(rule, f"{after.name}: new step, {_words(node)}", key)
        else:
            yield Difference(rule, f"{after.name}: {_words(old)} \u2192 {_words(node)}", key)
    for key, node in before.nodes.items():
        if key not in after.nodes:
            yield Difference(rule, f"{after.name}: without the step {_words(node)}", key)


def _words(node: object) -> str:
    if isinstance(node, Ask):
        exits = [f"{name}: {to}" for name, to in (("no", node.no), ("unknown", node.unknown)) if to != "pass"]
        return " / ".join(["\u201c" + conditions.explain(condition=node.condition) + "\u201d", *exits])
    outcome, queue = getattr(node, "outcome", ""), getattr(node, "queue", "")
    return f"{str(outcome).replace('_', ' ')} ({str(queue).replace('_', ' ')})"
