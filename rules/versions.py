"""The verbs of a practice's rules: draft, change, propose, withdraw, again; and which version is in force.

Each verb is one transaction with its audit entry. Publishing stands in `rules.publishing`; what was published never
changes.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from audit import log
from audit.events import Actor, ActorKind, Draft
from refillhub.practices.models import Practice, User
from rules import documents
from rules.documents import Rules
from rules.models import RuleVersion, WrittenPolicy
from rules.policy import Policy, PolicyError
from rules.recipes import Recipe

State = RuleVersion.State
CACHE_SIZE = 2000
_parsed: dict[uuid.UUID, Rules] = {}
"""Rules of published versions by id: they never change."""


class WrongState(RuntimeError):
    """The version is not in the state the verb needs."""


def in_force(*, practice: Practice, now: datetime) -> RuleVersion | None:
    """The version in force at `now`; None: the safe defaults, nothing automatic."""
    return (
        RuleVersion.objects.filter(practice=practice, state=State.published, effective_at__lte=now)
        .order_by("-effective_at", "-number")
        .first()
    )


def of(*, practice: Practice) -> QuerySet[RuleVersion]:
    """All versions of a practice."""
    return RuleVersion.objects.filter(practice=practice)


def rules_of(*, version: RuleVersion) -> Rules:
    """Policy and recipes of a version. Raises PolicyError and friends when the document is broken."""
    if version.state not in (State.published, State.superseded):
        return documents.check(document=version.document)
    found = _parsed.get(version.pk)
    if found is None:
        found = documents.check(document=version.document)
        if len(_parsed) >= CACHE_SIZE:
            _parsed.clear()
        _parsed[version.pk] = found
    return found


def policy_of(*, version: RuleVersion) -> Policy:
    return rules_of(version=version).policy


def recipes_of(*, version: RuleVersion) -> tuple[Recipe, ...]:
    return rules_of(version=version).recipes


def draft(*, practice: Practice, by: User, document: Mapping[str, Any], now: datetime, note: str = "") -> RuleVersion:
    """A new draft. Raises PolicyError, RecipeError or ConditionError naming the field."""
    _check(practice, document)
    with transaction.atomic(durable=True):
        Practice.objects.select_for_update().get(pk=practice.pk)
        last = RuleVersion.objects.filter(practice=practice).aggregate(last=Max("number"))["last"] or 0
        version = RuleVersion.objects.create(
            practice=practice, number=last + 1, document=dict(document), note=note, drafted_by=by, drafted_at=now
        )
        record(version, "rules.drafted", by, now)
    return version


def change(
    *, version_id: uuid.UUID, by: User, document: Mapping[str, Any], now: datetime, note: str = ""
) -> RuleVersion:
    """Another document for a draft; whoever changes it counts as its drafter."""
    with transaction.atomic(durable=True):
        version = locked(version_id, State.draft)
        _check(version.practice, document)
        version.document, version.note, version.drafted_by, version.drafted_at = dict(document), note, by, now
        version.save(update_fields=["document", "note", "drafted_by", "drafted_at"])
        record(version, "rules.drafted", by, now)
    return version


def propose(*, version_id: uuid.UUID, by: User, now: datetime) -> RuleVersion:
    """draft -> proposed. Raises WrongState."""
    with transaction.atomic(durable=True):
        version = locked(version_id, State.draft)
        _check(version.practice, version.document)
        version.state, version.proposed_by, version.proposed_at = State.proposed, by, now
        version.save(update_fields=["state", "proposed_by", "proposed_at"])
        record(version, "rules.proposed", by, now)
    return version


def withdraw(*, version_id: uuid.UUID, by: User, now: datetime) -> RuleVersion:
    """proposed -> draft. Raises WrongState."""
    with transaction.atomic(durable=True):
        version = locked(version_id, State.proposed)
        version.state, version.proposed_by, version.proposed_at = State.draft, None, None
        version.save(update_fields=["state", "proposed_by", "proposed_at"])
        record(version, "rules.withdrawn", by, now)
    return version


def again(*, version: RuleVersion, by: User, now: datetime) -> RuleVersion:
    """A draft with the document of an older version: rolling back is publishing an old one again."""
    return draft(
        practice=version.practice, by=by, document=version.document, now=now, note=f"As version {version.number}"
    )


def _check(practice: Practice, document: Mapping[str, Any]) -> Rules:
    """The document as rules, its clauses found in a written policy of this practice. Raises as `documents.check`."""
    rules = documents.check(document=document)
    cited = rules.citations
    if not cited.written_policy:
        return rules
    written = WrittenPolicy.objects.filter(practice=practice, pk=cited.written_policy).first()
    if written is None:
        raise PolicyError(field="citations.written_policy", rule="is not attached to this practice")
    named = set(written.clauses.values_list("number", flat=True))
    for rule, numbers in cited.links.items():
        missing = sorted(set(numbers) - named)
        if missing:
            raise PolicyError(field=f"citations.links.{rule}", rule=f"clause {missing[0]} is not named in the policy")
    return rules


def locked(version_id: uuid.UUID, state: str) -> RuleVersion:
    """The version in this state, its row locked. Raises WrongState."""
    version = RuleVersion.objects.select_for_update(of=("self",)).select_related("practice").get(pk=version_id)
    if version.state != state:
        raise WrongState(f"version is {version.state}, not {state}")
    return version


def record(version: RuleVersion, event: str, by: User, now: datetime, drug_class: str = "") -> None:
    """The audit entry of one step of a version."""
    data: dict[str, Any] = {"version": str(version.pk), "number": version.number}
    if drug_class:
        data["class"] = drug_class
    log.record(
        now=now,
        draft=Draft(
            practice_id=version.practice_id, event=event, actor=Actor(ActorKind.person, str(by.pk)), trigger="rules",
            outcome=version.state, data=data,
        ),
    )  # fmt: skip
