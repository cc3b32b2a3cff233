"""The smallest set of changes that would have let a request pass automatically, found in the practice's own graphs.

What the graphs ask is looked for by trying: a fact is given the nearest value that would do, and everything is walked
again. What no practice can change (what was asked, which drug it is) is never named. Pure; acts on nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, product

from rules import conditions
from rules import recipes as graphs
from rules.case import Case
from rules.catalogue import CATALOGUE, Type, Value
from rules.conditions import Compare, Condition, Group
from rules.findings import CAUTION, Finding, Outcome
from rules.recipes import Act, Ask, Recipe

MOST = 4  # changes in one set: more is no help to anybody
WAYS = 64  # sets tried; a graph with more ways is given up, which says nothing rather than something wrong
CHANGEABLE = frozenset(
    {
        "message.is_tagged", "entry.days_supply", "entry.refills", "entry.days_since_start", "entry.days_since_change",
        "drug.is_class_automatic", "prescriber.is_away", "visit.days_since", "visit.is_overdue", "visit.has_upcoming",
        "visit.days_until", "supply.days_since", "supply.used_percent", "supply.days_left", "fills.days_since_last",
        "pharmacy.fills_left", "pharmacy.is_named_found", "hours.was_closed_when_sent", "hours.is_closed_now",
        "mirror.age",
    }
)  # fmt: skip
"""Facts that people or time can change. Laboratory values belong here too (`_may_change`)."""


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that would have to be so, with the sentence for people."""

    fact: str
    value: Value
    sentence: str


Given = Mapping[str, Value]


SPOKEN_FOR = {
    "visit.days_since": ("visit", "visit_unknown", "authorised_time"),
    "visit.is_overdue": ("visit", "visit_unknown", "authorised_time"),
    "drug.is_class_automatic": ("class_not_adopted",),
    "entry.days_supply": ("days_supply", "days_supply_unknown"),
    "entry.refills": ("refills", "refills_unknown"),
    "supply.days_since": ("fill_history", "fill_history_unknown"),
    "fills.days_since_last": ("fill_history", "fill_history_unknown"),
    "supply.used_percent": ("too_early",),
    "mirror.age": ("mirror_stale", "mirror_unknown"),
}
"""Facts whose change a guard's own mend names already."""


def mends(*, case: Case, recipes: Sequence[Recipe], needed: Sequence[Finding]) -> tuple[str, ...]:
    """Sentences of what would have let it pass: what the guards ask (`needed`), then what the graphs lack.

    Empty when one objection has no mend or the graphs allow no way.
    """
    if any(not finding.mend for finding in needed):
        return ()
    lacking = changes(case=case, recipes=recipes)
    if lacking is None:
        return ()
    codes = {finding.code for finding in needed} | {f"lab.{finding.value.split(' ')[0]}" for finding in needed}
    more = [one.sentence for one in lacking if not codes & {*SPOKEN_FOR.get(one.fact, ()), one.fact}]
    return tuple(dict.fromkeys((*(finding.mend for finding in needed), *more)))


def changes(*, case: Case, recipes: Sequence[Recipe]) -> tuple[Change, ...] | None:
    """What the recipes alone lack for an automatic approval, as few changes as they allow; () nothing, None no way.

    `recipes`: those that are on, in order of precedence. The guards speak for themselves, in their mends.
    """
    found: list[tuple[Change, ...]] = []
    asked = [one for one in recipes if graphs.is_for(recipe=one, case=case)]
    for recipe in asked:
        for wanted in _ways(recipe):
            made = _complete(case, asked, wanted)
            if made is not None:
                found.append(made)
    return min(found, key=len) if found else None


def _ways(recipe: Recipe) -> list[list[tuple[Compare, bool]]]:
    """As `_ways_to_approve`, looked for once a graph."""
    if not recipe.ways:
        recipe.ways.append(list(islice(_ways_to_approve(recipe), WAYS)))
    found: list[list[tuple[Compare, bool]]] = recipe.ways[0]
    return found


def _ways_to_approve(recipe: Recipe) -> Iterator[list[tuple[Compare, bool]]]:
    """For each walk that ends in an approval, comparisons and what each has to be."""

    def walks(key: str, so_far: list[tuple[Compare, bool]], depth: int) -> Iterator[list[tuple[Compare, bool]]]:
        node = recipe.nodes.get(key)
        if isinstance(node, Act) and node.outcome is Outcome.auto_approve:
            yield so_far
        if not isinstance(node, Ask) or depth > len(recipe.nodes):
            return
        for answer, following in ((True, node.yes), (False, node.no)):
            for needed in _needed(node.condition, answer):
                yield from walks(following, [*so_far, *needed], depth + 1)

    yield from walks(recipe.start, [], 0)


def _needed(condition: Condition, answer: bool) -> Iterator[list[tuple[Compare, bool]]]:
    """Ways to give a condition an answer: comparisons with what each has to be."""
    if isinstance(condition, Compare):
        yield [(condition, answer)]
    elif condition.how == "not":
        yield from _needed(condition.parts[0], not answer)
    elif (condition.how == "all") is answer:
        for choice in product(*(list(islice(_needed(part, answer), WAYS)) for part in condition.parts)):
            yield [one for part in choice for one in part]
    else:
        for part in condition.parts:
            yield from _needed(part, answer)


def _complete(case: Case, recipes: Sequence[Recipe], wanted: list[tuple[Compare, bool]]) -> tuple[Change, ...] | None:
    """The changes that make all wanted true and leave no more cautious recipe standing; None when that cannot be."""
    given: dict[str, Value] = {}
    made: list[Change] = []
    for compare, answer in wanted:
        if not _make(case, compare, answer, given, made):
            return None
    settled = {compare.fact for compare, _ in wanted}
    for _ in range(MOST + 1):
        against = next((one for one in recipes if _is_more_cautious(one, case, given)), None)
        if against is None:
            return _pruned(case, recipes, wanted, made)
        if len(made) >= MOST or not _turn_away(case, against, given, made, settled):
            return None
    return None


def _pruned(
    case: Case, recipes: Sequence[Recipe], wanted: list[tuple[Compare, bool]], made: list[Change]
) -> tuple[Change, ...] | None:
    """Without changes that turn out not to be needed; None when the whole does not do it after all."""

    def does_it(some: list[Change]) -> bool:
        given = {one.fact: one.value for one in some}
        is_wanted = all(_truth(compare, case, given) is answer for compare, answer in wanted)
        return is_wanted and not any(_is_more_cautious(one, case, given) for one in recipes)

    if not does_it(made):
        return None
    kept = list(made)
    for one in made:
        fewer = [each for each in kept if each is not one]
        if does_it(fewer):
            kept = fewer
    return tuple(kept)


def _make(case: Case, compare: Compare, answer: bool, given: dict[str, Value], made: list[Change]) -> bool:
    """Give the fact a value that makes the comparison so, unless it is so; whether that could be done."""
    if _truth(compare, case, given) is answer:
        return True
    if compare.fact in given or not _may_change(compare.fact) or len(made) >= MOST:
        return False
    value = _nearest_value(compare, answer, case)
    if value is None:
        return False
    given[compare.fact] = value
    made.append(Change(compare.fact, value, _sentence(compare, answer, case)))
    return True


def _turn_away(case: Case, recipe: Recipe, given: dict[str, Value], made: list[Change], settled: set[str]) -> bool:
    """Make one comparison on the recipe's walk come out otherwise, so that it ends without more caution.

    Facts the approval itself rests on are `settled` and stay as they are.
    """
    for compare in _looked_at(recipe, case, given):
        if compare.fact in settled:
            continue
        answer = _truth(compare, case, given)
        trial, names = dict(given), list(made)
        if answer is None or not _make(case, compare, not answer, trial, names):
            continue
        if not _is_more_cautious(recipe, case, trial):
            given.update(trial)
            made[:] = names
            return True
    return False


def _looked_at(recipe: Recipe, case: Case, given: Given) -> Iterator[Compare]:
    key = recipe.start
    for _ in range(len(recipe.nodes)):
        node = recipe.nodes.get(key)
        if not isinstance(node, Ask):
            return
        yield from _compares(node.condition)
        key = _next(node, case, given)


def _compares(condition: Condition) -> Iterator[Compare]:
    if isinstance(condition, Compare):
        yield condition
    else:
        for part in condition.parts:
            yield from _compares(part)


def _next(node: Ask, case: Case, given: Given) -> str:
    result = _truth(node.condition, case, given)
    return node.unknown if result is None else (node.yes if result else node.no)


def _is_more_cautious(recipe: Recipe, case: Case, given: Given) -> bool:
    """Whether the recipe would match and do anything but approve."""
    key = recipe.start
    for _ in range(len(recipe.nodes) + 1):
        node = recipe.nodes.get(key)
        if node is None:
            return False
        if isinstance(node, Act):
            return CAUTION[node.outcome] > CAUTION[Outcome.auto_approve]
        key = _next(node, case, given)
    return False


def _truth(condition: Condition, case: Case, given: Given) -> bool | None:
    if isinstance(condition, Group):
        results = [_truth(part, case, given) for part in condition.parts]
        if condition.how == "not":
            return None if results[0] is None else not results[0]
        return conditions.all_of(results) if condition.how == "all" else conditions.any_of(results)
    if condition.fact not in given:
        return conditions.truth(compare=condition, case=case)
    return conditions.holds(compare=condition, value=given[condition.fact], policy=case.policy)


def _may_change(name: str) -> bool:
    return name in CHANGEABLE or name.startswith("lab.")


def _nearest_value(compare: Compare, answer: bool, case: Case) -> Value | None:
    """A value at the edge of what would do; None where the comparison has no such edge."""
    fact = CATALOGUE[compare.fact]
    if compare.op in conditions.ALWAYS:
        return None
    if fact.type is Type.truth:
        return bool(compare.value) is answer
    edge = conditions.wanted(compare=compare, policy=case.policy)
    if not isinstance(edge, int | Decimal) or isinstance(edge, bool) or (compare.op == "equals" and not answer):
        return None
    least = 1 if fact.type is Type.number else Decimal("0.0001")
    step = {"at_most": (0, 1), "at_least": (0, -1), "less_than": (-1, 0), "more_than": (1, 0), "equals": (0, 0)}
    value = edge + least * step[compare.op][0 if answer else 1]
    return value if value >= 0 else None


def _sentence(compare: Compare, answer: bool, case: Case) -> str:
    asked: Condition = compare if answer else Group("not", (compare,))
    fact = CATALOGUE[compare.fact]
    if fact.type is Type.truth:
        return fact.meaning if bool(compare.value) is answer else fact.denied
    turned = {"at_most": "more_than", "at_least": "less_than", "less_than": "at_least", "more_than": "at_most"}
    if not answer and compare.op in turned:
        asked = Compare(compare.fact, turned[compare.op], compare.value, compare.limit)
    return conditions.explain(condition=asked, limits=case.policy)
