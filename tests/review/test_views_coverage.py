"""The coverage page: days in words, the roster, what waits, who would get it, and an absence in two steps."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from refillhub.practices import coverage
from refillhub.practices.models import Coverage, Provider, Spi
from review import routing
from review.models import Queue
from tests.review import rows
from tests.review import scene as make
from tests.review.rows import NOW

PAGE, PREVIEW = reverse("review:coverage"), reverse("review:coverage_preview")
ARRANGE, ON_CALL = reverse("review:coverage_arrange"), reverse("review:coverage_on_call")


def asked(scene, **more):
    return {
        "provider": str(scene.osei.pk), "stand_in": str(scene.lind.pk), "starts_at": "2026-11-18T00:00",
        "ends_at": "2026-11-20T00:00", "moves": "all", "returns": "back", "note": "", **more,
    }  # fmt: skip


def away(provider, stand_in=None, hours=30, start=-1):
    return Coverage.objects.create(
        practice=provider.practice, provider=provider, stand_in=stand_in, starts_at=NOW + timedelta(hours=start),
        ends_at=NOW + timedelta(hours=start + hours),
    )  # fmt: skip


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_the_preview_saves_nothing_and_says_who_then_has_how_many(scene):
    for _ in range(2):
        make.waiting(scene, prescriber=scene.osei, assignee=scene.osei)
    make.waiting(scene, prescriber=scene.lind, assignee=scene.lind)
    client = scene.client("mia")
    seen = client.post(PREVIEW, asked(scene))
    assert seen.status_code == 200
    assert "2 waiting requests and fewer than one a day go to <b>Dr. Lind</b>, who then has 3." in text_of(seen)
    assert "Nov 18 until Nov 20: Dr. Lind." in text_of(seen)
    assert not Coverage.objects.exists()
    assert client.post(ARRANGE, asked(scene)).status_code == 302
    row = Coverage.objects.get()
    assert (row.provider, row.stand_in) == (scene.osei, scene.lind)
    assert (row.moves_waiting, row.returns_waiting, row.created_by) == (True, True, scene.mia)
    assert row.starts_at.isoformat() == "2026-11-18T05:00:00+00:00"


def test_new_only_says_what_stays_and_what_runs_out_before_the_return(scene):
    make.waiting(scene, prescriber=scene.osei, assignee=scene.osei, days_left=2)
    make.waiting(scene, prescriber=scene.osei, assignee=scene.osei, days_left=30)
    words = text_of(scene.client("ada").post(PREVIEW, asked(scene, moves="new")))
    assert "Fewer than one new request a day goes to <b>Dr. Lind</b>. 2 waiting stay with Dr. Osei" in words
    assert "1 of the waiting runs out before the return" in words


def test_a_day_is_the_average_of_four_weeks_without_what_was_approved_by_itself(scene):
    for number in range(45):
        row = make.waiting(scene, prescriber=scene.osei, assignee=scene.lind)
        values = {"opened_at": NOW - timedelta(days=number % 28, hours=-1)}
        if number >= 42:
            values = {"opened_at": NOW - timedelta(days=29)}
        type(row).objects.filter(pk=row.pk).update(is_automatic=number % 3 == 0, **values)
    words = text_of(scene.client("mia").post(PREVIEW, asked(scene)))
    assert "0 waiting requests and about 1 a day go to <b>Dr. Lind</b>, who then has 45." in words


def test_change_goes_back_to_the_filled_form(scene):
    answer = scene.client("mia").post(PREVIEW, asked(scene, note="Conference", edit="1"))
    assert answer.status_code == 200
    assert 'value="Conference"' in answer.content.decode()


@pytest.mark.parametrize("address", [PREVIEW, ARRANGE])
def test_what_cannot_be_is_refused_with_its_reason_at_both_steps(scene, address):
    client = scene.client("mia")
    away(scene.lind, scene.osei, hours=60)
    looped = client.post(address, asked(scene))
    assert looped.status_code == 422
    assert "then Dr. Osei stands in for Dr. Lind: nobody is left." in text_of(looped)
    assert text_of(looped).count(f'href="{PAGE}?from=') == 2  # a refused post may be paged on from
    Coverage.objects.all().delete()
    gap = client.post(address, asked(scene, stand_in=""))
    assert (gap.status_code, "Nobody is left for Dr. Osei" in text_of(gap)) == (422, True)
    for wrong in (
        {"ends_at": "2026-11-17T00:00"}, {"stand_in": str(scene.osei.pk)}, {"stand_in": str(scene.mallory.pk)},
        {"provider": str(scene.mallory.pk)}, {"starts_at": "soon"}, {"moves": "none"},
    ):  # fmt: skip
        assert client.post(address, asked(scene, **wrong)).status_code == 422, wrong
    Spi.objects.filter(provider=scene.lind).update(is_active=False)
    assert client.post(address, asked(scene)).status_code == 422
    assert not Coverage.objects.exists()


@pytest.mark.parametrize("address", [PREVIEW, ARRANGE])
def test_controlled_requests_ask_for_a_dea_number(scene, address):
    make.waiting(scene, prescriber=scene.osei, assignee=scene.osei, schedule="iv")
    client = scene.client("mia")
    refused = client.post(address, asked(scene))
    assert (refused.status_code, "Dr. Lind has no DEA number" in text_of(refused)) == (422, True)
    Provider.objects.filter(pk=scene.lind.pk).update(dea_number="AB1234563")
    assert client.post(address, asked(scene)).status_code in (200, 302)


def test_a_prescriber_arranges_the_own_absence_and_ends_no_other(scene):
    client = scene.client("osei")
    of_another = asked(scene, provider=str(scene.lind.pk), stand_in=str(scene.osei.pk))
    assert client.post(ARRANGE, of_another).status_code == 422
    assert client.post(ARRANGE, asked(scene)).status_code == 302
    theirs = away(scene.lind, None, start=90)
    end = reverse("review:coverage_end", args=[theirs.pk])
    assert client.post(end).status_code == 404
    assert f'action="{end}"' not in client.get(PAGE).content.decode()
    own = Coverage.objects.get(provider=scene.osei)
    assert client.post(reverse("review:coverage_end", args=[own.pk])).status_code == 302
    assert scene.client("mia").post(end).status_code == 302
    assert not Coverage.objects.filter(ends_at__gt=NOW).exists()


def test_mallory_sees_and_changes_nothing_of_another_practice(scene):
    row = away(scene.osei, scene.lind)
    client = scene.client("mallory")
    assert client.post(reverse("review:coverage_end", args=[row.pk])).status_code == 404
    assert client.post(ARRANGE, asked(scene)).status_code == 422
    for address in (PAGE, f"{PAGE}?who={scene.osei.pk}"):
        page = client.get(address).content.decode()
        assert "Osei" not in page
        assert "Lind" not in page
    rows.make_user(scene.other, "assistant", "Nora")
    assert client.post(ON_CALL, {"provider": str(scene.osei.pk), "move": "add"}).status_code == 404
    row.refresh_from_db()
    assert (row.ends_at > NOW, Provider.objects.on_call().count()) == (True, 0)


def test_the_admin_site_shows_absences_and_changes_none(scene):
    row = away(scene.osei, scene.lind)
    scene.ada.is_staff = True
    scene.ada.save()
    client = scene.client("ada")
    assert client.get("/admin/practices/coverage/").status_code == 200
    assert client.post("/admin/practices/coverage/add/", {}).status_code == 403
    assert client.post(f"/admin/practices/coverage/{row.pk}/change/", {}).status_code == 403


def test_the_days_are_words_and_gaps_are_named(scene):
    away(scene.osei, scene.lind, hours=30)
    away(scene.lind, None, hours=5, start=10)
    page = text_of(scene.client("mia").get(PAGE))
    assert 'class="now" aria-current="date"' in page
    assert '<td class="warn">away from 9:14 am<small>gap: Dr. Lind, then nobody</small></td>' in page
    assert '<td class="warn">away until 3:14 pm<small>gap: nobody, then Dr. Lind</small></td>' in page
    assert page.count("<td>in</td>") == 24
    Coverage.objects.filter(provider=scene.lind).delete()
    later = text_of(scene.client("mia").get(PAGE))
    assert '<td class="info">away until 3:14 pm<small>Dr. Lind</small></td>' in later


def test_the_strip_pages_on_and_nonsense_is_today(scene):
    client = scene.client("mia")
    assert "Dec 14" in text_of(client.get(f"{PAGE}?from=2026-12-01"))
    for wrong in ("", "x", "2026-99-99", "1066-10-14", "9999-12-31"):
        assert "Nov 30" in text_of(client.get(f"{PAGE}?from={wrong}")), wrong


def test_what_is_waiting_for_whom_is_counted_by_owner(scene):
    make.waiting(scene, assignee=scene.osei, days_left=0, minutes=125)
    make.waiting(scene, assignee=scene.osei)
    make.waiting(scene, assignee=None, queue=Queue.ASSISTANT)
    make.waiting(scene, assignee=None, queue=Queue.ADMINISTRATOR)
    found = {one.name: (one.count, one.out_today) for one in scene.client("mia").get(PAGE).context["waiting"]}
    assert found == {"Dr. Lind": (0, 0), "Dr. Osei": (2, 1), "Assistants": (1, 0), "Nobody (administrator)": (1, 0)}
    assert "2 h" in text_of(scene.client("mia").get(PAGE))


def test_the_roster_is_changed_by_assistants_and_administrators_only(scene):
    for who, expected in (("osei", 404), ("cora", 404), ("mia", 302), ("ada", 302)):
        answer = scene.client(who).post(ON_CALL, {"provider": str(scene.osei.pk), "move": "add"})
        assert answer.status_code == expected, who
    assert list(Provider.objects.on_call().filter(practice=scene.practice)) == [scene.osei]
    assert scene.client("mia").post(ON_CALL, {"provider": str(scene.osei.pk), "move": "fly"}).status_code == 404
    assert scene.client("mia").post(ON_CALL, {"provider": str(uuid.uuid4()), "move": "add"}).status_code == 404
    assert ON_CALL not in scene.client("osei").get(PAGE).content.decode()


@pytest.mark.parametrize("at", ["", "2026-11-17T10:14", "2026-11-19T09:00"])
def test_who_would_get_it_is_what_routing_says(scene, at):
    moss = rows.make_provider(scene.practice, "Moss", doctor_id="302120", on_call_order=1)
    away(scene.osei, scene.lind, hours=100)
    away(scene.lind, None, hours=10)
    answer = scene.client("mia").get(f"{PAGE}?who={scene.osei.pk}&at={at}")
    found = answer.context["verdict"]
    owner = routing.owner(practice=scene.practice, prescriber=scene.osei, queue=Queue.PRESCRIBER, now=found.at)
    assert found.owner == owner
    assert owner.provider == coverage.stand_in_for(provider=scene.osei, now=found.at)
    assert owner.provider == (scene.lind if at.startswith("2026-11-19") else moss)
    assert f"<b>{owner.provider}</b> would get it" in text_of(answer)
    assert "Dr. Osei is away until Nov 21, 1:14 pm." in text_of(answer)


def test_when_nobody_is_in_the_page_says_so_instead_of_naming_someone(scene):
    away(scene.osei)
    words = text_of(scene.client("mia").get(f"{PAGE}?who={scene.osei.pk}"))
    assert "Nobody is in: it goes to the administrator" in words
    assert "would get it" not in words
    assert "the on-call roster is asked" in text_of(scene.client("mia").get(f"{PAGE}?who="))


@pytest.mark.parametrize("count", [1, 20])
def test_the_page_asks_a_fixed_number_of_times(scene, count, django_assert_max_num_queries):
    for number in range(count):
        one = rows.make_provider(scene.practice, f"P{number}", doctor_id=str(400000 + number)) if number < 1 else None
        away(one or scene.osei, scene.lind, start=2 * number, hours=1)
        make.waiting(scene, assignee=scene.osei)
    client = scene.client("mia")
    client.get(PAGE)
    with django_assert_max_num_queries(8):
        assert client.get(PAGE).status_code == 200
    with django_assert_max_num_queries(13):
        assert client.get(f"{PAGE}?who={scene.osei.pk}").status_code == 200
