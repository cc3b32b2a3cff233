"""The sealed snapshot: comes back as it was, opens for its own practice only, and tells its age to the day."""

from datetime import date, timedelta

import pytest

from refillhub.practices import sealing
from review import identity
from tests.review import rows
from tests.review.rows import NOW

WHO = rows.snapshot(allergies=("penicillin",))


@pytest.mark.django_db
def test_it_comes_back_as_it_was_and_hides_its_words():
    practice = rows.make_practice()
    sealed = identity.seal(snapshot=WHO, practice=practice)
    assert identity.unseal(sealed=sealed, practice=practice) == WHO
    assert b"Reyes" not in sealed


@pytest.mark.django_db
def test_another_practice_cannot_open_it():
    sealed = identity.seal(snapshot=WHO, practice=rows.make_practice())
    with pytest.raises(sealing.SealBroken):
        identity.unseal(sealed=sealed, practice=rows.make_practice(name="Elsewhere"))


@pytest.mark.parametrize("sealed", [None, b""])
def test_none_or_purged_is_none(sealed):
    assert identity.unseal(sealed=sealed, practice=None) is None


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        ("2008-02-29", date(2026, 2, 28), 17),
        ("2008-02-29", date(2026, 3, 1), 18),
        ("2026-11-17", date(2026, 11, 17), 0),
        ("2026-11-18", date(2026, 11, 17), None),
        ("nonsense", date(2026, 11, 17), None),
    ],
)
def test_age(born, today, age):
    assert rows.snapshot(birth_date=born).age_years(today=today) == age


def test_fresh_means_at_most_so_many_minutes_and_never_when_unknown():
    limit = {"now": NOW, "limit_minutes": 15}
    assert identity.is_fresh(snapshot_at=NOW - timedelta(minutes=15), **limit)
    assert not identity.is_fresh(snapshot_at=NOW - timedelta(minutes=15, seconds=1), **limit)
    assert not identity.is_fresh(snapshot_at=None, **limit)


def test_initials_and_names():
    assert (WHO.name, WHO.initials) == ("Ana Reyes", "A.R.")
    assert (rows.snapshot(first_name="").name, rows.snapshot(first_name="", last_name="").initials) == ("Reyes", "")
