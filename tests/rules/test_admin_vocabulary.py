"""Vocabulary releases in the admin site: looked at, never touched."""

from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.test import RequestFactory

from refillhub.practices.models import User
from rules.admin import VocabularyAdmin
from rules.intake.tables import Tables
from rules.models import Vocabulary
from tests.rules.releases.loads import load
from tests.rules.rxnorm import release

pytestmark = pytest.mark.django_db(transaction=True)


def request(*, method: str = "get", roles: frozenset[str] = frozenset(), user: object = None) -> HttpRequest:
    made: HttpRequest = getattr(RequestFactory(), method)("/admin/rules/vocabulary/")
    made.user = user or User(email="someone@example.org", is_active=True, is_staff=True)  # type: ignore[assignment]
    made.roles, made.session, made.practice = roles, {}, None  # type: ignore[attr-defined, assignment]
    return made


def shown(row: Vocabulary, asked: HttpRequest) -> str:
    page = VocabularyAdmin(Vocabulary, admin.site).change_view(asked, str(row.pk))
    return str(page.render().content.decode())  # type: ignore[attr-defined]


def test_a_release_is_shown_with_counts_changes_and_notice(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    load(made.write(tmp_path))
    row = Vocabulary.objects.get()
    text = shown(row, request(roles=frozenset({"administrator"})))
    for wanted in ("Current", "Nov. 3, 2025", f"SCD {row.counts['SCD']}", "ingredients that got their code",
                   "National Library of Medicine"):  # fmt: skip
        assert wanted in text
    assert 'name="_save"' not in text


@pytest.mark.parametrize(
    ("roles", "user", "may"),
    [
        (frozenset({"compliance"}), None, True),
        (frozenset({"administrator"}), None, True),
        (frozenset({"assistant"}), None, False),
        (frozenset(), User(email="op@example.org", is_active=True, is_staff=True, is_superuser=True), True),
        (frozenset(), AnonymousUser(), False),
    ],
)
def test_who_may_look(roles: frozenset[str], user: object, may: bool) -> None:
    page = VocabularyAdmin(Vocabulary, admin.site)
    assert page.has_view_permission(request(roles=roles, user=user)) is may


def test_nothing_can_be_added_changed_or_deleted(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    load(made.write(tmp_path))
    page, row = VocabularyAdmin(Vocabulary, admin.site), Vocabulary.objects.get()
    asked = request(method="post", roles=frozenset({"administrator"}))
    asked._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    with pytest.raises(PermissionDenied):
        page.change_view(asked, str(row.pk))
    with pytest.raises(PermissionDenied):
        page.delete_view(asked, str(row.pk))
    with pytest.raises(PermissionDenied):
        page.add_view(asked)
    assert not page.get_actions(asked)
