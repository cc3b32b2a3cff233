"""A preview's tally as JSON and back: the finished result, and where a run that pauses goes on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rules import bounds
from rules.findings import Outcome
from rules.preview import Change, Tally, rank


def to_document(*, tally: Tally) -> dict[str, Any]:
    """Counts, the matrix as rows [before, after, cases], agreement as [recipe, class, answer, cases], changed cases."""
    bound = tally.bound()
    return {
        "counted": tally.counted,
        "shadow": tally.shadow,
        "unreadable": tally.unreadable,
        "matrix": [[before.value, after.value, count] for (before, after), count in sorted(tally.matrix.items())],
        "agreement": [[*key, count] for key, count in sorted(tally.agreement.items())],
        "changed": tally.changed,
        "less_cautious": tally.less_cautious,
        "newly_automatic": tally.newly_automatic,
        "not_the_drafts": tally.not_the_drafts,
        "people": dict(sorted(tally.by_people.items())),
        "bound_permille": None if bound is None else round(1000 * bound, 1),
        "clean_cases_for_1_percent": bounds.needed(limit=0.01),
        "changes": [_change(one) for one in sorted(tally.changes, key=rank)],
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "record": one.record_id, "request": str(one.request_id), "before": one.before.value, "after": one.after.value,
        "recipe": one.recipe, "reasons": list(one.reasons), "before_reasons": list(one.before_reasons),
        "age": one.age_band, "drug_class": one.drug_class, "is_shadow": one.is_shadow, "people": one.people,
        "is_newly_automatic": one.is_newly_automatic, "is_less_cautious": one.is_less_cautious,
    }  # fmt: skip


def from_document(*, document: Mapping[str, Any]) -> Tally:
    """The tally a document was made of. Raises KeyError, ValueError for one of another making."""
    return Tally(
        counted=document["counted"],
        shadow=document["shadow"],
        unreadable=document["unreadable"],
        matrix=Counter({(Outcome(before), Outcome(after)): count for before, after, count in document["matrix"]}),
        agreement=Counter({(recipe, key, answer): count for recipe, key, answer, count in document["agreement"]}),
        by_people=Counter(document["people"]),
        newly_automatic=document["newly_automatic"],
        less_cautious=document["less_cautious"],
        changed=document["changed"],
        not_the_drafts=document["not_the_drafts"],
        changes=[_changed(one) for one in document["changes"]],
    )


def _changed(one: Mapping[str, Any]) -> Change:
    return Change(
        record_id=one["record"],
        request_id=UUID(one["request"]),
        before=Outcome(one["before"]),
        after=Outcome(one["after"]),
        recipe=one["recipe"],
        reasons=tuple(one["reasons"]),
        before_reasons=tuple(one["before_reasons"]),
        age_band=one["age"],
        drug_class=one["drug_class"],
        is_shadow=one["is_shadow"],
        people=one["people"],
    )
