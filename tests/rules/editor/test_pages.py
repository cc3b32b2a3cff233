"""The rule editor's pages: who may see them, every button's effect on the draft, and errors beside their row."""

import importlib
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rules import protocols, recipes, versions
from rules.models import RuleVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Any:
    return importlib.import_module("tests.review.scene").set_up()


def draft(scene: Any, client: Client | None = None) -> RuleVersion:
    client = client or scene.client("ada")
    assert client.post(reverse("admin:rules_ruleversion_changelist")).status_code == 302
    return RuleVersion.objects.filter(practice=scene.practice).latest("number")


def address(name: str, version: RuleVersion, **rest: Any) -> str:
    return reverse(f"admin:rules_{name}", kwargs={"pk": version.pk, **rest})


def addresses(version: RuleVersion) -> list[str]:
    names = ("version", "limits", "classes", "floor", "preview", "citations", "labs")
    plain = [address(name, version) for name in names]
    graphs = [address("recipe", version, key=one.key) for one in recipes.ready_made()]
    classes = [address("protocol", version, key=key) for key in protocols.load().by_key]
    return [reverse("admin:rules_ruleversion_changelist"), reverse("admin:rules_written"), *plain, *graphs, *classes]


def node(version: RuleVersion, recipe: str, key: str) -> dict[str, Any]:
    version.refresh_from_db()
    found = next(row for row in version.document["recipes"] if row["key"] == recipe)
    return found["nodes"][key]


def rows(*given: dict[str, str], **more: str) -> dict[str, str]:
    """The form of a condition: an outer group and the rows in it."""
    data = {"rows": str(len(given) + 1), "0-how": "all", "0-depth": "0"}
    for index, row in enumerate(given, 1):
        data |= {f"{index}-depth": "1", **{f"{index}-{name}": value for name, value in row.items()}}
    return {**data, "yes": "then", "no": "pass", "unknown": "pass", **more}


ACTIVE = {"fact": "entry.is_active", "op": "is", "value": "true"}
VISIT = {"fact": "visit.days_since", "op": "at_most", "value": "180"}


@pytest.mark.parametrize("who", ["ada", "osei", "lind"])
def test_administrators_and_prescribers_read_every_page(scene: Any, who: str) -> None:
    client, version = scene.client(who), draft(scene)
    for path in addresses(version):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("who", ["mia", "cora"])
def test_other_roles_meet_nothing(scene: Any, who: str) -> None:
    client, version = scene.client(who), draft(scene)
    for path in addresses(version):
        assert client.get(path).status_code == 404, path
        assert client.post(path).status_code == 404, path


def test_another_practices_rules_are_not_there(scene: Any) -> None:
    client, version = scene.client("mallory"), draft(scene)
    for path in addresses(version)[2:]:
        assert client.get(path).status_code == 404, path
        assert client.post(path, {"step": "propose"}).status_code in (404, 405), path
    version.refresh_from_db()
    assert version.state == "draft"


def test_a_limit_out_of_bounds_is_refused_beside_its_field(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    form = client.get(address("limits", version)).context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() is not False}
    answer = client.post(address("limits", version), {**data, "visit_limit_days": 366})
    assert b"less than or equal to 365" in answer.content
    assert client.post(address("limits", version), {**data, "visit_limit_days": 180}).status_code == 302
    version.refresh_from_db()
    assert version.document["policy"]["visit_limit_days"] == 180
    assert [one.sentence for one in client.get(address("version", version)).context["here"].differences] == [
        "visit limit days: 365 \u2192 180 days"
    ]


def test_a_class_is_adopted_by_name_and_date_only(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    kept = sorted(versions.policy_of(version=version).adopted_classes)
    answer = client.post(address("classes", version), {"adopted_classes": [*kept, "statin"]})
    assert b"each names class, by and on" in answer.content
    data = {"adopted_classes": [*kept, "statin"], "adopted_by": "Dr. Lind", "note": "signed paper"}
    assert client.post(address("classes", version), data).status_code == 302
    version.refresh_from_db()
    (adopted,) = [row for row in version.document["adoptions"] if row["class"] == "statin"]
    assert (adopted["by"], adopted["note"]) == ("Dr. Lind", "signed paper")


def test_saving_a_step_changes_that_step_and_no_other_recipe(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    path = address("recipe", version, key="needs_visit")
    assert client.post(path, rows(ACTIVE, VISIT, do="save")).status_code == 302
    assert node(version, "needs_visit", "when")["if"] == {
        "all": [
            {"fact": "entry.is_active", "op": "is", "value": True},
            {"fact": "visit.days_since", "op": "at_most", "value": 180},
        ]
    }
    shipped = {one.key: recipes.to_document(recipe=one) for one in recipes.ready_made() if one.key != "needs_visit"}
    assert {row["key"]: row for row in version.document["recipes"] if row["key"] != "needs_visit"} == shipped  # F092


def test_a_wrong_value_is_named_in_its_row_and_nothing_is_kept(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    path = address("recipe", version, key="needs_visit")
    answer = client.post(path, rows(ACTIVE, {**VISIT, "value": "soon"}, do="save"))
    assert answer.context["rows"][2].error == "enter a whole number of days"
    assert answer.context["rows"][2].block.value == "soon"
    version.refresh_from_db()
    assert "recipes" not in version.document


def test_buttons_on_rows_change_the_form_and_not_the_draft(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    path = address("recipe", version, key="needs_visit")

    def facts(do: str) -> list[str]:
        answer = client.post(path, rows(ACTIVE, VISIT, do=do))
        return [row.block.how or row.block.fact for row in answer.context["rows"]]

    assert facts("up:2") == ["all", "visit.days_since", "entry.is_active"]
    assert facts("down:1") == ["all", "visit.days_since", "entry.is_active"]
    assert facts("remove:1") == ["all", "visit.days_since"]
    assert facts("add:0") == ["all", "entry.is_active", "visit.days_since", ""]
    assert facts("group:0") == ["all", "entry.is_active", "visit.days_since", "any"]
    version.refresh_from_db()
    assert "recipes" not in version.document


def test_another_fact_brings_operators_that_fit(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    answer = client.post(
        address("recipe", version, key="needs_visit"), rows({**ACTIVE, "fact": "visit.days_since"}, do="show:1")
    )
    row = answer.context["rows"][1]
    assert row.kind == "number"
    assert row.block.op in dict(row.operators)
    assert "visit_limit_days" in dict(row.limits)


def test_steps_are_added_moved_and_removed(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    path = address("recipe", version, key="auto_refill")
    added = client.post(path, {"do": "step:add"})
    assert added.url.endswith("step=step_1")
    assert node(version, "auto_refill", "when")["yes"] == "step_1"
    client.post(f"{path}?step=step_1", {"do": "step:up"})
    assert node(version, "auto_refill", "when")["if"] == {"fact": "entry.is_active", "op": "is", "value": True}
    client.post(f"{path}?step=when", {"do": "step:action:no"})
    assert node(version, "auto_refill", "action_1")["then"] == "review"
    client.post(f"{path}?step=action_1", {"do": "save", "outcome": "ask_visit", "queue": "assistant"})
    assert node(version, "auto_refill", "action_1") == {"then": "ask_visit", "queue": "assistant", "tell_kind": ""}
    client.post(f"{path}?step=action_1", {"do": "step:remove"})
    assert node(version, "auto_refill", "when")["no"] == "pass"


def test_two_editors_of_one_step_see_each_other(scene: Any) -> None:
    ada, osei, version = scene.client("ada"), scene.client("osei"), draft(scene)
    path = address("recipe", version, key="needs_visit")
    seen = ada.get(path).context["seen"]
    osei.post(path, rows(ACTIVE, VISIT, do="save", seen=seen))
    answer = ada.post(path, rows(VISIT, do="save", seen=seen))
    assert "last qualifying visit is at most 180" in answer.context["conflict"]
    assert answer.context["rows"][1].block.fact == "visit.days_since"
    assert ada.post(path, rows(VISIT, do="save", seen=answer.context["seen"])).status_code == 302


def test_two_editors_of_different_steps_keep_both(scene: Any) -> None:
    ada, osei, version = scene.client("ada"), scene.client("osei"), draft(scene)
    first, second = address("recipe", version, key="needs_visit"), address("recipe", version, key="auto_refill")
    one, two = ada.get(first).context["seen"], osei.get(second).context["seen"]
    ada.post(first, rows(VISIT, do="save", seen=one))
    osei.post(second, rows(ACTIVE, do="save", seen=two))
    assert node(version, "needs_visit", "when")["if"]["fact"] == "visit.days_since"
    assert node(version, "auto_refill", "when")["if"]["fact"] == "entry.is_active"


def test_recipes_are_switched_ordered_added_and_removed(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    path = address("version", version)
    client.post(path, {"step": "off:needs_visit"})
    client.post(path, {"step": "up:auto_refill"})
    client.post(path, {"step": "new", "name": "Statins", "trigger": "refill"})
    version.refresh_from_db()
    rules = versions.rules_of(version=version)
    assert "needs_visit" not in rules.policy.enabled_recipes
    keys = [one.key for one in rules.recipes]
    assert keys.index("auto_refill") == keys.index("needs_visit") - 1
    assert (rules.recipes[-1].key, rules.recipes[-1].name) == ("own_1", "Statins")
    client.post(path, {"step": "remove:own_1"})
    version.refresh_from_db()
    assert "own_1" not in [one.key for one in versions.rules_of(version=version).recipes]
    refused = client.post(path, {"step": "remove:auto_refill"})
    assert b"switched off, not removed" in refused.content


def test_published_rules_cannot_be_edited_on_the_page(scene: Any) -> None:
    client = scene.client("ada")
    version = RuleVersion.objects.get(practice=scene.practice)
    before = version.document
    client.post(address("recipe", version, key="needs_visit"), rows(VISIT, do="save"))
    client.post(address("limits", version), {"visit_limit_days": 10})
    client.post(address("version", version), {"step": "off:needs_visit"})
    version.refresh_from_db()
    assert version.document == before


def test_an_unknown_step_or_recipe_is_not_there(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    assert client.get(address("recipe", version, key="nonsense")).status_code == 404
    assert client.get(address("recipe", version, key="needs_visit") + "?step=nonsense").status_code == 404


def test_the_policy_is_attached_named_linked_and_its_gaps_listed(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    from_disk = importlib.import_module("django.core.files.uploadedfile").SimpleUploadedFile
    policy = reverse("admin:rules_written")
    refused = client.post(policy, {"do": "attach", "title": "Refills", "file": from_disk("x.png", b"\x89PNG\x00")})
    assert b"Attach a PDF or a plain text" in refused.content
    client.post(policy, {"do": "attach", "title": "Refills", "file": from_disk("x.pdf", b"%PDF-1.7 a")})
    for number, title in (("5.2", "Visits"), ("9", "Paper forms")):
        client.post(policy, {"do": "clause", "number": number, "title": title})
    links = address("citations", version)
    wrong = client.post(links, {"recipe:needs_visit": "5.9"})
    assert b"Clause 5.9 is not named in the policy" in wrong.content
    assert client.post(links, {"recipe:needs_visit": "5.2"}).status_code == 302
    shown = client.get(links).context
    assert [one.number for one in shown["uncovered"]] == ["9"]
    assert "Recipe: auto refill" in shown["unlinked"]
    assert "Recipe: needs visit" not in shown["unlinked"]
    file = client.get(
        client.get(policy).context["editions"][0] and reverse("admin:rules_written_file", args=[shown["cited"].pk])
    )
    assert (file.content, file["Content-Disposition"][:10]) == (b"%PDF-1.7 a", "attachment")
    assert scene.client("mallory").get(reverse("admin:rules_written_file", args=[shown["cited"].pk])).status_code == 404


def test_laboratory_names_are_added_removed_and_refused_beside_their_field(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    path = address("labs", version)
    client.post(path, {"do": "add", "title": "K Serum", "key": "potassium", "unit": "mEq/L"})
    wrong = client.post(path, {"do": "add", "title": "Na", "key": "sodium", "unit": "lb"})
    assert b"Is not known for sodium; mmol/L is." in wrong.content
    again = client.post(path, {"do": "add", "title": "k serum", "key": "sodium"})
    assert b"Stands there twice." in again.content
    version.refresh_from_db()
    assert version.document["lab_names"] == [{"title": "K Serum", "key": "potassium", "unit": "mEq/L"}]
    shown = client.get(address("version", version)).context["here"].differences
    assert [one.sentence for one in shown] == ["\u201cK Serum\u201d in mEq/L is our potassium"]
    client.post(path, {"do": "remove", "title": "K Serum"})
    version.refresh_from_db()
    assert version.document["lab_names"] == []


SIGNED = {"do": "save", "by": "Dr. Lind", "note": "our nephrologists ask for it"}


def test_a_classs_figures_are_changed_signed_and_told(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    path = address("protocol", version, key="acei_arb")
    data = {**SIGNED, "visit_within_days": "180", "potassium-most": "5.2", "potassium-within_days": "180"}
    assert client.post(path, data).status_code == 302
    version.refresh_from_db()
    kept = version.document["protocols"]["acei_arb"]
    assert kept["visit_within_days"] == 180
    assert kept["labs"] == {"potassium": {"most": "5.2", "within_days": 180}}
    assert (kept["by"], kept["note"]) == ("Dr. Lind", "our nephrologists ask for it")
    said = [one.sentence for one in client.get(address("version", version)).context["here"].differences]
    assert any("visit within days" in one and one.endswith("180") for one in said)
    assert any("potassium to" in one and one.endswith("5.2") for one in said)
    shown = client.get(path).context["form"]
    assert (shown["visit_within_days"].value(), shown["potassium-most"].value()) == (180, "5.2")
    assert client.post(path, {"do": "table"}).status_code == 302
    version.refresh_from_db()
    assert version.document["protocols"] == {}


@pytest.mark.parametrize(
    ("data", "field", "said"),
    [
        ({"potassium-most": "9.9"}, "potassium-most", "Must be a number as text from 3.3 to 5.7."),
        ({"potassium-most": "NaN"}, "potassium-most", "Must be a number as text"),
        ({"visit_within_days": "731"}, "visit_within_days", "less than or equal to 730"),
        ({"max_days_supply": "91"}, "max_days_supply", "less than or equal to 90"),
        ({"max_age_years": "20", "min_age_years": "30"}, "max_age_years", "Must not be below min_age_years."),
        ({"route": "auto"}, "route", "not one of the available choices"),
        ({"max_refills": "1", "note": ""}, "note", "required"),
        ({}, "__all__", "Nothing differs from the table"),
    ],
)
def test_a_wrong_figure_is_named_beside_its_field_and_nothing_is_kept(
    scene: Any, data: dict[str, str], field: str, said: str
) -> None:
    client, version = scene.client("ada"), draft(scene)
    answer = client.post(address("protocol", version, key="acei_arb"), {**SIGNED, **data})
    assert said in str(answer.context["form"].errors[field])
    version.refresh_from_db()
    assert "protocols" not in version.document


def test_another_test_may_be_asked_for_and_a_way_only_lowered(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    path = address("protocol", version, key="acei_arb")
    assert "uacr-most" in client.get(path + "?add=uacr").context["form"].fields
    data = {**SIGNED, "add": "uacr", "uacr-within_days": "365", "uacr-is_demanded": "no", "route": "review"}
    assert client.post(path, data).status_code == 302
    version.refresh_from_db()
    row = versions.rules_of(version=version).protocols.by_key["acei_arb"]
    assert row.route == "review"
    (asked,) = [test for test in row.tests if test.key == "uacr"]
    assert (asked.within_days, asked.is_demanded) == (365, False)


def test_a_class_nobody_knows_is_not_there(scene: Any) -> None:
    client, version = scene.client("ada"), draft(scene)
    assert client.get(address("protocol", version, key="nonsense")).status_code == 404
