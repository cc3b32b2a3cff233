"""What a batch of decisions is given: a handful of queries, one practice's rows, and what the batch itself opened."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review import context, facts
from review.models import RefillRequest
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


def load(*asks, now=NOW):
    return facts.load(asks=asks, now=now)


def test_the_number_of_queries_does_not_grow_with_the_batch():
    practice = rows.clinic()

    def asks(count):
        return [
            rows.make_ask(
                practice,
                rows.make_medication(practice, f"7{n:07d}"),
                patient_external_id=f"7{n:07d}",
                sender_id=f"pat_{n}",
            )
            for n in range(count)
        ]

    counts = []
    for batch in (asks(1), asks(20)):
        with CaptureQueriesContext(connection) as seen:
            load(*batch)
        counts.append(len(seen))
    assert counts[1] <= counts[0] <= 14


def test_another_practices_rows_are_never_loaded():
    practice, other = rows.clinic(), rows.clinic(name="Elsewhere")
    rows.admit(other)
    loaded = load(rows.make_ask(practice, rows.make_medication(practice)))
    assert loaded.of_patient(practice.id, "70112345") == []
    assert loaded.of_patient(other.id, "70112345") == []


def test_requests_older_than_any_supply_are_left_out():
    practice = rows.clinic()
    medication = rows.make_medication(practice)
    rows.admit(practice, medication)
    ask = rows.make_ask(practice, medication)
    assert len(load(ask, now=NOW + context.LOOK_BACK).of_patient(practice.id, "70112345")) == 1
    late = NOW + context.LOOK_BACK + timedelta(seconds=1)
    assert load(ask, now=late).of_patient(practice.id, "70112345") == []


def test_an_empty_patient_is_nobody():
    practice = rows.clinic()
    loaded = load(rows.make_ask(practice, None, patient_external_id=""))
    assert loaded.of_patient(practice.id, "") == []


def test_the_batch_sees_what_it_opened():
    practice = rows.clinic()
    loaded = load(rows.make_ask(practice, rows.make_medication(practice)))
    fresh = RefillRequest(practice=practice, patient_external_id="70112345", sender_id="pat_1", opened_at=NOW)
    loaded.remember(fresh, [])
    assert loaded.of_patient(practice.id, "70112345") == [fresh]
    assert loaded.latest_of(practice.id, "", "pat_1", NOW) is fresh


def test_without_a_published_version_the_defaults_approve_nothing():
    practice = rows.make_practice()
    now = context.rules_at(practice=practice, now=NOW)
    assert (now.version_id, now.policy.adopted_classes) == (None, frozenset())
