"""DecisionRecords: each decision has its facts and rule version beside it, and only a decision has."""

import pytest

from rules import facts, versions
from rules.models import DecisionRecord
from tests.review import rows

pytestmark = pytest.mark.django_db


def test_each_decision_has_one_record_of_its_own_practice_and_version():
    practice = rows.clinic()
    request = rows.admit(practice)
    record = DecisionRecord.objects.get()
    assert (record.request_id, record.practice_id) == (request.id, practice.id)
    assert record.version == versions.in_force(practice=practice, now=rows.NOW)


def test_an_item_for_a_person_has_no_decision_to_record():
    practice = rows.clinic()
    odd = rows.replace(rows.PLAIN, kind=facts.Kind.other)
    rows.workflow.admit(asks=[rows.make_ask(practice, None, reading=odd)], now=rows.NOW)
    assert not DecisionRecord.objects.exists()
