"""What every page of the editor begins with: the person's right, the version, its rules and those in force.

A page is reached by role, not by staff status: prescribers read and publish without the rest of the admin site.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.cache import never_cache

from refillhub.practices import roles
from refillhub.practices.models import Practice, User
from rules import differences, preview, recipes, versions
from rules.differences import Difference
from rules.documents import Rules
from rules.models import RuleVersion
from rules.recipes import Recipe

State = RuleVersion.State


@dataclass
class Desk:
    """One request of the editor for one practice."""

    request: HttpRequest
    practice: Practice
    person: User
    now: Any
    version: RuleVersion | None = None
    _kept: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def in_force(self) -> RuleVersion | None:
        """The version in force now; None: the safe defaults."""
        return versions.in_force(practice=self.practice, now=self.now)

    @cached_property
    def base(self) -> Rules:
        """The rules in force now."""
        return versions.rules_of(version=self.in_force) if self.in_force else preview.rules_of(document=None)

    @cached_property
    def rules(self) -> Rules:
        """The rules of this page's version."""
        return versions.rules_of(version=self.one)

    @property
    def one(self) -> RuleVersion:
        """This page's version; pages without one never ask."""
        if self.version is None:
            raise Http404
        return self.version

    @property
    def is_draft(self) -> bool:
        return self.one.state == State.draft

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """What this version would change of the rules in force."""
        return differences.between(before=self.base, after=self.rules)

    def may(self, action: roles.Action) -> bool:
        """Whether the person's roles allow this."""
        return roles.may(roles=self.request.roles, action=action)  # type: ignore[attr-defined]

    def open_document(self) -> dict[str, Any]:
        """The version's document with every recipe written out, ready to be changed."""
        document = dict(self.one.document)
        if document.get("recipes") is None:
            document["recipes"] = [recipes.to_document(recipe=one) for one in recipes.ready_made()]
        return document

    def keep(self, document: dict[str, Any]) -> None:
        """The draft with another document. Raises what `versions.change` raises."""
        self.version = versions.change(
            version_id=self.one.pk, by=self.person, document=document, now=self.now, note=self.one.note
        )
        for name in ("rules", "differences"):
            self.__dict__.pop(name, None)

    def recipe(self, key: str) -> Recipe:
        """A recipe of this version. 404 for a key it has not."""
        found = next((one for one in self.rules.recipes if one.key == key), None)
        if found is None:
            raise Http404
        return found


Page = Callable[..., HttpResponse]


def page(
    *, action: roles.Action = roles.Action.draft_rules, methods: tuple[str, ...] = ("GET", "POST")
) -> Callable[[Page], Page]:
    """A page of the editor: for people whose role allows it, of the practice they have chosen; 404 to all others."""

    def wrap(view: Page) -> Page:
        @functools.wraps(view)
        @never_cache
        def shown(request: HttpRequest, pk: uuid.UUID | None = None, **rest: Any) -> HttpResponse:
            practice = getattr(request, "practice", None)
            if practice is None or not roles.may(roles=request.roles, action=action):  # type: ignore[attr-defined]
                raise Http404
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            version = None
            if pk is not None:
                rows = RuleVersion.objects.select_related("practice", "drafted_by", "proposed_by", "published_by")
                version = rows.filter(practice=practice, pk=pk).first()
                if version is None:
                    raise Http404
            desk = Desk(request, practice, request.user, request.now, version)  # type: ignore[attr-defined,arg-type]
            return view(desk, **rest)

        return shown

    return wrap
