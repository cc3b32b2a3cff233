"""Roles, switches, agreement, coverage, and the admin site: who may do what, and whose."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import Entry
from refillhub.practices import consents, coverage, roles, switches
from refillhub.practices.models import (
    AutoApprovalConsent,
    Coverage,
    Location,
    Membership,
    Practice,
    Provider,
    Role,
    Spi,
    User,
)
from tests.practices.people import new_person, new_provider
from tests.practices.test_door import code_of

Desk = Callable[[User], Client]


def last_event(practice: Practice) -> str:
    return Entry.objects.of(practice_id=practice.id).newest_first().first().event


def test_every_action_is_in_the_table_and_no_role_signs_but_the_prescriber() -> None:
    assert set(roles.MAY) == set(roles.Action)
    assert all(allowed <= set(Role.values) for allowed in roles.MAY.values())
    for action in (roles.Action.decide, roles.Action.sign, roles.Action.consent):
        assert roles.MAY[action] == {"prescriber"}
    assert not roles.may(roles=[], action=roles.Action.see_requests)
    assert roles.may(roles=["assistant", "compliance"], action=roles.Action.see_audit)


def test_the_switches_stop_and_resume_with_one_entry_each(practice: Practice, osei: User, now: datetime) -> None:
    for stop, resume, field, told in (
        (switches.stop_sending, switches.resume_sending, "sending_stopped_at", "sending"),
        (switches.stop_automatic, switches.resume_automatic, "automatic_stopped_at", "auto_approval"),
    ):
        stop(practice_id=practice.id, by=osei, now=now)
        stop(practice_id=practice.id, by=osei, now=now + timedelta(minutes=1))
        practice.refresh_from_db()
        assert getattr(practice, field) == now
        assert last_event(practice) == f"{told}.stopped"
        assert practice.is_automatic_stopped
        resume(practice_id=practice.id, by=osei, now=now)
        practice.refresh_from_db()
        assert getattr(practice, field) is None
    names = Entry.objects.of(practice_id=practice.id).order_by("number").values_list("event", flat=True)
    assert list(names)[-4:] == ["sending.stopped", "sending.resumed", "auto_approval.stopped", "auto_approval.resumed"]


def test_nobody_else_can_pull_a_switch(practice: Practice, mia: User, mallory: User, osei: User, now: datetime) -> None:
    Membership.objects.filter(user=osei).update(is_active=False)
    for person in (mia, mallory, osei):
        with pytest.raises(PermissionDenied):
            switches.stop_sending(practice_id=practice.id, by=person, now=now)


def test_a_stop_shows_on_every_page_also_the_assistants(
    practice: Practice, osei: User, mia: User, at_the_desk: Desk
) -> None:
    client = at_the_desk(osei)
    assert client.post("/switches/sending/stop/")["Location"] == "/switches/"
    assert "All sending is stopped since" in client.get("/switches/").content.decode()
    assert at_the_desk(mia).post("/switches/sending/resume/").status_code == 404
    assert client.get("/switches/sending/stop/").status_code == 405


def test_a_prescriber_agrees_with_a_fresh_code_in_their_own_name_only(
    practice: Practice, osei: User, mallory: User, at_the_desk: Desk, now: datetime
) -> None:
    provider = new_provider(practice, "Osei", user=osei)
    client = at_the_desk(osei)
    assert client.post("/consent/give/", {"code": ""}).status_code == 422
    assert not AutoApprovalConsent.objects.exists()
    device = TOTPDevice.objects.get(user=osei)
    assert client.post("/consent/give/", {"code": code_of(device)}).status_code == 302
    assert consents.standing(provider=provider) is not None
    assert last_event(practice) == "consent.given"
    assert "Given" in client.get("/consent/").content.decode()
    assert at_the_desk(mallory).get("/consent/").status_code == 404
    with pytest.raises(PermissionDenied):
        consents.revoke(provider=provider, by=mallory, now=now)
    client.post("/consent/revoke/")
    assert consents.standing(provider=provider) is None
    assert last_event(practice) == "consent.revoked"


class Week:
    """Three providers and their absences at one moment."""

    def __init__(self, practice: Practice, now: datetime) -> None:
        self.practice, self.now = practice, now
        self.osei, self.lind, self.patel = (new_provider(practice, name) for name in ("Osei", "Lind", "Patel"))

    def away(self, who: Provider, stand_in: Provider | None) -> Coverage:
        return Coverage.objects.create(
            practice=self.practice,
            provider=who,
            stand_in=stand_in,
            starts_at=self.now - timedelta(hours=1),
            ends_at=self.now + timedelta(hours=1),
        )

    def who(self, at: datetime | None = None) -> Provider | None:
        return coverage.stand_in_for(provider=self.osei, now=at or self.now)


@pytest.fixture
def week(practice: Practice, now: datetime) -> Week:
    return Week(practice, now)


def test_coverage_follows_the_chain_and_ends_with_the_absence(week: Week, now: datetime) -> None:
    assert week.who() == week.osei
    week.away(week.osei, week.lind)
    assert week.who() == week.lind
    week.away(week.lind, week.patel)
    assert week.who() == week.patel
    assert week.who(now + timedelta(hours=1)) == week.osei
    assert coverage.is_away(provider=week.osei, now=now)
    assert not coverage.is_away(provider=week.osei, now=now + timedelta(hours=1))


def test_a_loop_or_a_dead_end_goes_to_the_roster_then_to_the_administrator(week: Week) -> None:
    week.away(week.osei, week.lind)
    week.away(week.lind, week.osei)
    assert week.who() is None
    Provider.objects.filter(pk=week.lind.pk).update(on_call_order=1)
    Provider.objects.filter(pk=week.patel.pk).update(on_call_order=2)
    assert week.who() == week.patel
    Provider.objects.filter(pk=week.patel.pk).update(is_active=False)
    assert week.who() is None


def test_an_inactive_stand_in_is_passed_over(week: Week) -> None:
    week.away(week.osei, week.lind)
    Provider.objects.filter(pk=week.lind.pk).update(is_active=False)
    Provider.objects.filter(pk=week.patel.pk).update(on_call_order=1)
    assert week.who() == week.patel


def test_coverage_takes_two_queries_whatever_the_chain(week: Week, django_assert_num_queries: Callable) -> None:
    week.away(week.osei, week.lind)
    week.away(week.lind, week.patel)
    with django_assert_num_queries(2):
        week.who()


def refuses(make: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            make()
    except IntegrityError:
        return True
    return False


def test_the_database_holds_what_must_always_hold(
    practice: Practice, location: Location, week: Week, now: datetime, osei: User
) -> None:
    def change(**fields: object) -> Callable[[], object]:
        return lambda: Practice.objects.filter(pk=practice.pk).update(**fields)

    assert refuses(change(idle_minutes=4))
    assert refuses(change(idle_minutes=16))
    assert refuses(change(undo_seconds_automatic=1801))
    assert refuses(change(undo_seconds_person=121))
    assert refuses(change(is_shadow=False, time_zone=""))
    assert refuses(change(baa_signed_on=now.date()))
    assert refuses(lambda: Spi.objects.create(practice=practice, provider=week.osei, location=location, spi="12345"))
    Spi.objects.create(practice=practice, provider=week.osei, location=location, spi="1234567890123")
    assert refuses(
        lambda: Spi.objects.create(practice=practice, provider=week.lind, location=location, spi="1234567890123")
    )
    assert refuses(
        lambda: Coverage.objects.create(
            practice=practice, provider=week.osei, stand_in=week.osei, starts_at=now, ends_at=now + timedelta(1)
        )
    )
    assert refuses(lambda: Coverage.objects.create(practice=practice, provider=week.osei, starts_at=now, ends_at=now))
    assert refuses(lambda: Membership.objects.create(practice=practice, user=osei, role=Role.prescriber))
    assert refuses(lambda: User.objects.create(email=osei.email.upper(), full_name="twin"))


def test_a_practice_starts_in_shadow_without_patient_data_and_with_a_key(practice: Practice) -> None:
    practice.refresh_from_db()
    assert practice.is_shadow
    assert practice.shadow_since is not None
    assert not practice.may_take_in
    assert practice.hash_key_sealed
    practice.time_zone = "Mars/Olympus"
    with pytest.raises(ValidationError):
        practice.full_clean()


def test_the_admin_site_shows_only_the_own_practice_and_records_each_save(
    practice: Practice, ada: User, mallory: User, location: Location, at_the_desk: Desk
) -> None:
    page = at_the_desk(ada).get(f"/admin/practices/practice/{practice.id}/change/")
    assert page.status_code == 200
    assert "hash_key" not in page.content.decode()
    address = f"/admin/practices/location/{location.id}/change/"
    assert "Main Street" in at_the_desk(ada).get(address).content.decode()
    stranger = at_the_desk(mallory)
    for path in (
        address,
        f"/admin/practices/practice/{practice.id}/change/",
        f"/admin/practices/user/{ada.id}/change/",
    ):
        answer = stranger.get(path, follow=True)
        assert "Main Street" not in answer.content.decode()
        assert answer.redirect_chain or answer.status_code == 404, path
    answer = at_the_desk(ada).post(address, {"name": "High Street"})
    assert answer.status_code == 302, answer.context["errors"]
    entry = Entry.objects.of(practice_id=practice.id).newest_first().first()
    assert entry.event == "practice.changed"
    assert "High Street" not in entry.body
    assert '"fields":["name"]' in entry.body


def test_people_without_the_role_see_nothing_in_the_admin_site(practice: Practice, at_the_desk: Desk) -> None:
    clerk = new_person(practice, "clerk", Role.assistant, is_staff=True)
    assert at_the_desk(clerk).get("/admin/practices/practice/").status_code == 403
    assert at_the_desk(clerk).get("/admin/practices/user/").status_code == 403
