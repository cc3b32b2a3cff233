"""Arranging an absence: refused for loops, gaps, overlaps, no SPI, no DEA number; the on-call roster and its rights."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied

from audit.models import Entry
from refillhub.practices import absences, coverage, coverage_words
from refillhub.practices.absence_plans import Why
from refillhub.practices.absences import Wish
from refillhub.practices.models import Coverage, Location, Practice, Provider, Role, Spi, User
from tests.practices.people import new_person, new_provider

ZONE = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)


class House:
    """Three prescribers with SPI, and an assistant who arranges."""

    def __init__(self, practice: Practice, now: datetime, mia: User) -> None:
        self.practice, self.now, self.mia = practice, now, mia
        place = Location.objects.create(practice=practice, name="Main Street")
        self.osei, self.lind, self.moss = (new_provider(practice, name) for name in ("Osei", "Lind", "Moss"))
        for one in (self.osei, self.lind, self.moss):
            Spi.objects.create(practice=practice, provider=one, location=place, spi=f"{uuid.uuid4().int % 10**13:013d}")

    def wish(self, who: Provider, stand_in: Provider | None, start: int = 1, hours: int = 8, **more: bool) -> Wish:
        return Wish(provider_id=who.pk, stand_in_id=stand_in.pk if stand_in else None,
                    starts_at=self.now + start * HOUR, ends_at=self.now + (start + hours) * HOUR, **more)

    def arrange(self, *args: object, by: User | None = None, **more: object) -> Coverage:
        wish = self.wish(*args, **more)  # type: ignore[arg-type]
        return absences.arrange(practice=self.practice, wish=wish, by=by or self.mia, now=self.now)

    def why_not(self, *args: object, **more: object) -> tuple[list[Why], str]:
        before = Coverage.objects.count()
        with pytest.raises(absences.Refused) as refused:
            self.arrange(*args, **more)
        assert Coverage.objects.count() == before
        refusals = refused.value.plan.refusals
        return [one.why for one in refusals], " ".join(coverage_words.refusal(one, ZONE) for one in refusals)


@pytest.fixture
def house(practice: Practice, now: datetime) -> House:
    return House(practice, now, new_person(practice, "mia2", Role.assistant))


def test_a_plan_without_trouble_is_saved_with_its_choices_and_audited(house: House) -> None:
    row = house.arrange(house.osei, house.lind, moves_waiting=False, returns_waiting=True)
    assert (row.moves_waiting, row.returns_waiting) == (False, True)
    entry = Entry.objects.of(practice_id=house.practice.id).newest_first().first()
    assert (entry.event, '"moves_waiting":false' in entry.body) == ("coverage.changed", True)


def test_a_loop_is_refused_in_words_even_where_the_roster_would_catch_it(house: House) -> None:
    house.arrange(house.lind, house.osei)
    for on_call in (None, 1):
        Provider.objects.filter(pk=house.moss.pk).update(on_call_order=on_call)
        why, words = house.why_not(house.osei, house.lind)
        assert why == [Why.loop], on_call
        assert "Dr. Lind is away too" in words
        assert "then Dr. Osei stands in for Dr. Lind: nobody is left." in words


def test_a_gap_is_refused_for_exactly_its_hours_and_closed_by_the_roster_in_words(house: House) -> None:
    house.arrange(house.lind, house.moss, 4, 2)
    Coverage.objects.create(practice=house.practice, provider=house.moss, starts_at=house.now + 5 * HOUR,
                            ends_at=house.now + 9 * HOUR)
    why, words = house.why_not(house.osei, house.lind)
    assert why == [Why.gap]
    start, end = house.now + 5 * HOUR, house.now + 6 * HOUR
    assert coverage_words.span(start, end, ZONE) in words
    assert "Nobody is left for Dr. Osei" in words
    extra = new_provider(house.practice, "Cole", on_call_order=1)
    Spi.objects.create(practice=house.practice, provider=extra, location=Location.objects.get(name="Main Street"),
                       spi="1234567890001")
    plan = absences.plan(practice=house.practice, wish=house.wish(house.osei, house.lind), by=house.mia, now=house.now)
    assert not plan.refusals
    said = coverage_words.covers(plan, ZONE)
    assert len(said) == 4
    assert said[0].endswith(": Dr. Lind.")
    assert said[1].endswith(": Dr. Moss, as Dr. Lind is away too.")
    assert said[2].endswith("Dr. Cole by the on-call roster, as Dr. Lind and Dr. Moss are away too.")
    assert said[3].endswith(": Dr. Lind.")


def test_the_one_who_leaves_may_not_leave_anothers_gap_behind(house: House) -> None:
    Provider.objects.filter(pk=house.osei.pk).update(on_call_order=1)
    house.arrange(house.moss, None)
    why, words = house.why_not(house.osei, house.lind)
    assert why == [Why.gap]
    assert "Nobody is left for Dr. Moss" in words


def test_a_gap_that_was_there_before_is_not_held_against_the_next_absence(house: House) -> None:
    Coverage.objects.create(practice=house.practice, provider=house.moss, starts_at=house.now,
                            ends_at=house.now + 9 * HOUR)
    assert house.arrange(house.osei, house.lind).pk


def test_two_absences_of_one_prescriber_may_touch_but_not_overlap(house: House) -> None:
    house.arrange(house.osei, house.lind, 1, 4)
    assert house.why_not(house.osei, house.moss, 4, 4)[0] == [Why.overlap]
    assert house.arrange(house.osei, house.moss, 5, 4).pk


def test_an_absence_that_is_over_is_refused(house: House) -> None:
    assert house.why_not(house.osei, house.lind, -9, 9)[0] == [Why.over]


def test_the_stand_in_needs_an_spi_and_for_controlled_requests_a_dea_number(house: House) -> None:
    Spi.objects.filter(provider=house.lind).update(is_active=False)
    assert house.why_not(house.osei, house.lind)[0] == [Why.no_spi]
    Spi.objects.update(is_active=True)
    why, words = house.why_not(house.osei, house.lind, needs_dea=True)
    assert why == [Why.no_dea]
    assert "Dr. Lind has no DEA number" in words
    Provider.objects.filter(pk=house.lind.pk).update(dea_number="AB1234563")
    assert house.arrange(house.osei, house.lind, needs_dea=True).pk


def test_a_prescriber_arranges_only_the_own_absence_and_a_stranger_none(house: House, mallory: User) -> None:
    person = new_person(house.practice, "osei2", Role.prescriber)
    Provider.objects.filter(pk=house.osei.pk).update(user=person)
    assert house.arrange(house.osei, house.lind, by=person).pk
    for by, who in ((person, house.moss), (mallory, house.moss)):
        with pytest.raises(PermissionDenied):
            house.arrange(who, house.lind, by=by)
        with pytest.raises(PermissionDenied):
            absences.plan(practice=house.practice, wish=house.wish(who, house.lind), by=by, now=house.now)


def test_the_roster_moves_one_step_at_a_time_and_is_audited(house: House, mallory: User) -> None:
    def step(who: Provider, move: str, by: User | None = None) -> list[str]:
        absences.change_on_call(practice=house.practice, provider_id=who.pk, move=move, by=by or house.mia,
                                now=house.now)
        return [one.last_name for one in Provider.objects.on_call().filter(practice=house.practice)]

    step(house.osei, "add")
    step(house.lind, "add")
    assert step(house.moss, "add") == ["Osei", "Lind", "Moss"]
    assert step(house.moss, "up") == ["Osei", "Moss", "Lind"]
    assert step(house.osei, "up") == ["Osei", "Moss", "Lind"]
    assert step(house.osei, "down") == ["Moss", "Osei", "Lind"]
    assert step(house.osei, "remove") == ["Moss", "Lind"]
    entry = Entry.objects.of(practice_id=house.practice.id).newest_first().first()
    assert (entry.event, '"move":"remove"' in entry.body) == ("coverage.changed", True)
    person = new_person(house.practice, "osei3", Role.prescriber)
    for by in (person, mallory):
        with pytest.raises(PermissionDenied):
            step(house.lind, "up", by)
    other = new_provider(mallory.memberships.first().practice, "Other")
    with pytest.raises(Provider.DoesNotExist):
        step(other, "add")


def test_the_way_is_told_step_by_step(house: House) -> None:
    house.arrange(house.lind, house.moss, 1, 2)
    house.arrange(house.osei, house.lind, 1, 4)
    at = house.now + HOUR
    board = coverage.board(practice=house.practice, since=at, until=at + HOUR)
    said = coverage_words.way(walk=board.walk(start=house.osei.pk, at=at), board=board, at=at, zone=ZONE)
    until = coverage_words.moment(house.now + 5 * HOUR, ZONE), coverage_words.moment(house.now + 3 * HOUR, ZONE)
    assert said == [
        f"Dr. Osei is away until {until[0]}.",
        f"Stand-in Dr. Lind is away too until {until[1]}.",
        "Stand-in Dr. Moss is in.",
    ]
