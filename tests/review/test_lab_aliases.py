"""A practice's own lab names: kept by those who draft rules, checked as they are entered, each change on record."""

import pytest
from django.contrib.admin import site
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from audit.models import Entry
from integrations.models import ResultKind, SweepState
from refillhub.practices.models import Role
from review import clinical
from review.admin import LabAliasAdmin
from review.models import LabAlias
from rules import labs, protocols
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.clinic()


def alias(practice, **values) -> LabAlias:
    plain = {"name": "K+ (serum)", "lab_key": "potassium", "unit": "mEq/L"}
    row = LabAlias(practice=practice, **(plain | values))
    row.full_clean()
    row.save()
    return row


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "***"}, "name"),
        ({"name": "2823-3"}, "name"),
        ({"unit": "mg/dL"}, "unit"),
        ({"unit": "furlongs"}, "unit"),
        ({"lab_key": "magic"}, "lab_key"),
    ],
)
def test_what_could_not_be_used_is_refused_by_its_field(practice, values, field):
    with pytest.raises(ValidationError) as caught:
        alias(practice, **values)
    assert field in caught.value.message_dict


def test_a_name_stands_for_one_test_and_may_be_given_anew_when_switched_off(practice):
    first = alias(practice)
    with pytest.raises(ValidationError):
        alias(practice, name="K+ SERUM", lab_key="sodium", unit="")
    LabAlias.objects.filter(pk=first.pk).update(is_active=False)
    alias(practice, name="k SERUM", lab_key="sodium", unit="")
    assert clinical.aliases_of(practice=practice) == {"k serum": labs.Alias("sodium", "")}


def test_names_are_the_practices_own(practice):
    alias(practice)
    assert clinical.aliases_of(practice=rows.make_practice()) == {}


def test_a_new_name_changes_which_results_are_kept(practice):
    before = clinical.wanted(aliases=clinical.aliases_of(practice=practice))
    alias(practice)
    after = clinical.wanted(aliases=clinical.aliases_of(practice=practice))
    assert before.fingerprint != after.fingerprint
    assert (before.takes("", "K+ (Serum)"), after.takes("", "K+ (Serum)")) == (False, True)
    assert after.takes("2823-3", "anything")
    assert not after.takes("2106-3", "Pregnancy test")  # no protocol asks for it


def test_the_kinds_a_class_demands():
    table = protocols.load().by_key
    assert clinical.kinds_of(classes=[table["acei_arb"]]) == {ResultKind.lab, ResultKind.vital}
    assert clinical.kinds_of(classes=[table["beta_blocker"]]) == {ResultKind.vital}
    assert clinical.kinds_of(classes=[table["ppi_h2"]]) == frozenset()


def page(practice, role: Role, data=None):
    person = rows.make_user(practice, role, "Ada")
    request = RequestFactory().post("/", data or {})
    request.user, request.practice, request.now = person, practice, NOW
    request.roles = frozenset({role})
    return LabAliasAdmin(LabAlias, site), request


def test_the_admin_page_keeps_it_for_the_practice_with_an_audit_entry(practice):
    shown, request = page(practice, Role.administrator)
    form = shown.get_form(request)({"name": "K+ (serum)", "lab_key": "potassium", "unit": "mEq/L", "is_active": "on"})
    assert form.is_valid(), form.errors
    row = form.save(commit=False)
    shown.save_model(request, row, form, change=False)
    assert LabAlias.objects.get().practice == practice
    assert Entry.objects.filter(practice_id=practice.id, event="lab_alias.changed").count() == 1
    again = shown.get_form(request)({"name": "K+ serum", "lab_key": "sodium", "unit": "", "is_active": "on"})
    assert "name" in again.errors


def test_an_assistant_may_not(practice):
    shown, request = page(practice, Role.assistant)
    assert not shown.has_module_permission(request)
    assert not shown.has_add_permission(request)


def test_the_page_names_what_the_sweep_did_not_understand(practice):
    SweepState.objects.create(practice=practice, kind="labs", counts={"names": {"K serum": 2, "Kalium": 7}})
    shown, request = page(practice, Role.administrator)
    assert "Kalium, K serum" in shown.get_form(request)().fields["name"].help_text
