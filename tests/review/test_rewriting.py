"""Writing many changed rows at once keeps every value as it is, and refuses what does not fit."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DataError, transaction

from review.models import Dispatch, RefillRequest
from review.models.rewriting import rewrite
from review.workflow.moves import CHANGED_FIELDS
from tests.review import rows


@pytest.fixture
def pair(db):
    practice = rows.clinic()
    other = rows.make_medication(practice, name="Pantoprazole 40 mg delayed release oral tablet", rxcui="314200")
    return [rows.admit(practice), rows.admit(practice, other, sender_id="pat_2", conversation_id="conv_2")]


def test_every_field_a_verb_may_change_is_stored_as_given(pair):
    first, second = pair
    first.quantity, first.days_supply, first.snapshot_sealed = None, None, None
    first.reasons, first.sig, first.run_out_on = ["a", 'b "c"'], "50% of 1 tablet's dose \\ %s", rows.TODAY
    second.quantity, second.days_supply, second.snapshot_sealed = Decimal("12.500"), 30, b"\x00\xff%s"
    second.release_at, second.is_urgent, second.assignee = rows.NOW + timedelta(hours=1), True, second.prescriber
    assert rewrite(rows=[first, second], fields=CHANGED_FIELDS) == 2
    for row in pair:
        stored = RefillRequest.objects.get(pk=row.pk)
        for name in CHANGED_FIELDS:
            want, got = getattr(row, name), getattr(stored, name)
            if name == "snapshot_sealed" and want is not None:
                want, got = bytes(want), bytes(got)
            assert got == want, name


def test_rows_that_were_not_named_stay_as_they_are(pair):
    first, second = pair
    first.sig = "changed"
    before = RefillRequest.objects.get(pk=second.pk).sig
    rewrite(rows=[first], fields=["sig"])
    assert RefillRequest.objects.get(pk=first.pk).sig == "changed"
    assert RefillRequest.objects.get(pk=second.pk).sig == before


def test_too_long_a_text_is_an_error_and_never_cut(pair):
    pair[0].answer_code = "x" * 41
    with pytest.raises(DataError), transaction.atomic():
        rewrite(rows=pair, fields=["answer_code"])


def test_codes_of_dispatches_are_stored_as_lists(pair):
    found = list(Dispatch.objects.all())
    assert found
    for row in found:
        row.description_codes = ["110", "2000"]
    rewrite(rows=found, fields=["description_codes", "next_check_at"])
    assert all(row.description_codes == ["110", "2000"] for row in Dispatch.objects.all())


def test_nothing_to_write_is_no_statement(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert rewrite(rows=[], fields=["sig"]) == 0
