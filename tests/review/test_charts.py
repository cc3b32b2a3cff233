"""Who a sender is, never by telephone alone; and what is said when the chart does not answer."""

from datetime import date

import pytest

from integrations.drchrono import client
from integrations.http import VendorError
from integrations.klara.types import KlaraPatient
from integrations.models import Connection
from review import charts
from review.charts import Chart
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.make_practice()


@pytest.fixture
def connection(practice):
    return Connection.objects.create(practice=practice, vendor="drchrono", stage="dev", status="active", account="x")


def sender(**values):
    return KlaraPatient(
        **{
            "id": "pat_1",
            "first_name": "Ana",
            "last_name": "Reyes",
            "date_of_birth": date(1968, 3, 4),
            "phone": "(615) 221-0147",
            "is_verified": True,
            "external_ids": (),
            "merged_into": "",
            **values,
        }
    )


def patient(monkeypatch, *found):
    """The chart's answer to a search: (id, first, last, born, telephones)."""

    class Row:
        def __init__(self, number, first="Ana", last="Reyes", born=date(1968, 3, 4), phones=("+16152210147",)):
            self.id, self.first_name, self.last_name = number, first, last
            self.date_of_birth, self.phones = born, phones

    monkeypatch.setattr(client, "find_patients", lambda **_: [Row(*one) for one in found])
    monkeypatch.setattr(charts, "read", lambda **values: Chart(patient_external_id=values["patient_id"]))


def find(practice, connection, who=None):
    return charts.find(practice=practice, connection=connection, sender=who or sender(), now=NOW)


def test_name_birth_date_and_telephone_together_are_one_patient(practice, connection, monkeypatch):
    patient(monkeypatch, ("1",), ("2", "Ana", "Reyes", date(1999, 1, 1)), ("3", "Bo"))
    assert find(practice, connection).patient_external_id == "1"


@pytest.mark.parametrize(
    "found",
    [
        [],
        [("1",), ("2",)],
        [("1", "Ana", "Reyes", date(1968, 3, 4), ("+16152219999",))],
        [("1", "Maria")],
        [("1", "Ana", "Rey")],
        [("1", "Ana", "Reyes", None)],
        [("1", "Ana", "Reyes", date(1968, 3, 4), ())],
    ],
)
def test_none_two_or_a_difference_in_any_point_is_nobody(practice, connection, monkeypatch, found):
    patient(monkeypatch, *found)
    assert find(practice, connection) == Chart(reason="unmatched_sender")


@pytest.mark.parametrize("lack", [{"first_name": ""}, {"last_name": ""}, {"date_of_birth": None}, {"phone": ""}])
def test_a_sender_who_lacks_a_point_is_not_even_searched(practice, connection, monkeypatch, lack):
    monkeypatch.setattr(client, "find_patients", lambda **_: pytest.fail("searched"))
    assert find(practice, connection, sender(**lack)).reason == "unmatched_sender"


def test_a_telephone_that_is_none_matches_nobody(practice, connection, monkeypatch):
    patient(monkeypatch, ("1", "Ana", "Reyes", date(1968, 3, 4), ("none",)))
    assert find(practice, connection, sender(phone="none")).reason == "unmatched_sender"


def test_a_chart_that_does_not_answer_says_so_with_its_wait(practice, connection, monkeypatch):
    def down(**_):
        raise VendorError("down", vendor="drchrono", permanent=False, retry_after=7.0, status=503)

    monkeypatch.setattr(client, "find_patients", down)
    got = find(practice, connection)
    assert (got.reason, got.retry_after, got.patient_external_id) == ("chart_unreached", 7.0, "")


def test_without_a_connection_the_mirror_is_shown_with_its_reason(practice):
    medication = rows.make_medication(practice)
    got = charts.read(practice=practice, connection=None, patient_id="70112345", now=NOW)
    assert (got.reason, got.snapshot, got.medications) == ("chart_not_connected", None, (medication,))
    assert find(practice, None).reason == "chart_not_connected"


def test_a_connection_of_another_stage_or_paused_is_none(practice, connection):
    assert charts.connection_of(practice) == connection
    connection.status = "paused"
    connection.save()
    assert charts.connection_of(practice) is None
    connection.status, connection.stage = "active", "production"
    connection.save()
    assert charts.connection_of(practice) is None


@pytest.mark.parametrize(
    ("who", "differs"),
    [
        ({}, False),
        ({"last_name": "REYES "}, False),
        ({"last_name": "Moss"}, True),
        ({"date_of_birth": date(1968, 3, 5)}, True),
    ],
)
def test_a_linked_chart_of_somebody_else_is_seen(who, differs):
    assert charts.differs(snapshot=rows.snapshot(), sender=sender(**who)) is differs


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(615) 221-0147", "+16152210147"),
        ("+1 615 221 0147", "+16152210147"),
        ("", ""),
        ("call me", ""),
    ],
)
def test_telephones(text, number):
    assert charts.telephone(text) == number


def test_gone_entries_are_not_read(practice):
    rows.make_medication(practice, gone_at=NOW)
    kept = rows.make_medication(practice)
    assert charts.known(practice=practice, connection=None, patient_id="70112345", now=NOW).medications == (kept,)
