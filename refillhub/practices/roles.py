"""What each role may do: one table, and the links each role sees. It never looks at the database.

A person with two roles may do the union. What is not in the table is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from refillhub.practices.models import Role


class Action(StrEnum):
    """Something a page lets a person do."""

    review = "review"  # see the prescriber's queue and cards
    decide = "decide"  # approve, deny, ask for a visit
    prepare = "prepare"  # fill in a controlled prescription for its prescriber to sign; never signs
    sign = "sign"  # sign a controlled prescription
    approve_signing = "approve_signing"  # as the second person, a registrant: give the right to sign
    see_signing = "see_signing"  # who may sign
    see_epcs = "see_epcs"  # the daily report of controlled prescriptions, and incidents
    review_epcs = "review_epcs"  # sign a day off, open and report an incident
    see_decided = "see_decided"
    see_today = "see_today"
    see_requests = "see_requests"
    inspect = "inspect"  # one request's whole life; by id, initials and shapes where the role sees no more
    work_items = "work_items"  # answer, match, call back, reroute, re-send after a fix
    choose_pharmacy = "choose_pharmacy"
    correct_reading = "correct_reading"  # say what a message meant; propose and end a patient's own name for a drug
    confirm_alias = "confirm_alias"  # let a patient's own name for a drug count by itself
    reveal = "reveal"  # show a name behind initials; recorded
    see_coverage = "see_coverage"
    cover_self = "cover_self"
    cover_anyone = "cover_anyone"
    consent = "consent"  # agree to automatic approval in one's own name
    stop = "stop"  # stop and resume sending or automatic approval
    see_audit = "see_audit"
    export_audit = "export_audit"
    see_metrics = "see_metrics"
    see_shadow = "see_shadow"
    manage_connections = "manage_connections"
    manage_people = "manage_people"
    manage_practice = "manage_practice"
    manage_tokens = "manage_tokens"  # make and end tokens of programs
    draft_rules = "draft_rules"
    publish_rules = "publish_rules"


_P, _M, _C, _A = Role.prescriber.value, Role.assistant.value, Role.compliance.value, Role.administrator.value

MAY: dict[Action, frozenset[str]] = {
    Action.review: frozenset({_P}),
    Action.decide: frozenset({_P}),
    Action.prepare: frozenset({_P, _M}),
    Action.sign: frozenset({_P}),
    Action.approve_signing: frozenset({_P}),
    Action.see_signing: frozenset({_P, _C, _A}),
    Action.see_epcs: frozenset({_P, _C, _A}),
    Action.review_epcs: frozenset({_C}),
    Action.see_decided: frozenset({_P}),
    Action.see_today: frozenset({_M}),
    Action.see_requests: frozenset({_P, _M, _C}),
    Action.inspect: frozenset({_P, _M, _C, _A}),
    Action.work_items: frozenset({_P, _M}),
    Action.choose_pharmacy: frozenset({_P, _M}),
    Action.correct_reading: frozenset({_P, _M}),
    Action.confirm_alias: frozenset({_P}),
    Action.reveal: frozenset({_P, _M, _C}),
    Action.see_coverage: frozenset({_P, _M, _A}),
    Action.cover_self: frozenset({_P}),
    Action.cover_anyone: frozenset({_M, _A}),
    Action.consent: frozenset({_P}),
    Action.stop: frozenset({_P, _A}),
    Action.see_audit: frozenset({_C}),
    Action.export_audit: frozenset({_C}),
    Action.see_metrics: frozenset({_P, _C, _A}),
    Action.see_shadow: frozenset({_P, _A}),
    Action.manage_connections: frozenset({_A}),
    Action.manage_people: frozenset({_A}),
    Action.manage_practice: frozenset({_A}),
    Action.manage_tokens: frozenset({_A}),
    Action.draft_rules: frozenset({_P, _A}),
    Action.publish_rules: frozenset({_P, _A}),
}


def may(*, roles: Collection[str], action: Action) -> bool:
    """Whether any of the roles may do this."""
    return not MAY[action].isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the top bar; `url_name` may not exist yet, then the link is left out."""

    label: str
    url_name: str
    roles: frozenset[str]


LINKS: tuple[Link, ...] = (
    Link("Queue", "review:queue", frozenset({_P})),
    Link("Today", "review:today", frozenset({_M})),
    Link("Decided", "review:decided", frozenset({_P})),
    Link("Audit", "review:audit", frozenset({_C})),
    Link("Requests", "review:requests", frozenset({_M, _C})),
    Link("Pharmacies", "review:pharmacies", frozenset({_M})),
    Link("Controlled", "review:epcs", frozenset({_C})),
    Link("Connections", "review:connections", frozenset({_A})),
    Link("Rules", "admin:rules_ruleversion_changelist", frozenset({_P, _A})),
    Link("Shadow report", "review:shadow", frozenset({_A})),
    Link("Coverage", "review:coverage", frozenset({_P, _M, _A})),
    Link("Signing", "practices:signers", frozenset({_P, _A})),
    Link("People", "admin:practices_membership_changelist", frozenset({_A})),
    Link("Metrics", "review:metrics", frozenset({_P, _C, _A})),
)


def links(*, roles: Collection[str]) -> tuple[Link, ...]:
    """The links of these roles; the first that exists is where the person lands."""
    return tuple(link for link in LINKS if not link.roles.isdisjoint(roles))
