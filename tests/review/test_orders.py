"""From a request to the exact prescription: whose SPI, what is printed, and that nothing is shortened to fit."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integrations.outcome import OutcomeKind
from integrations.surescripts import script_read
from integrations.surescripts.script_checks import ControlledDrug, DoesNotFit
from refillhub.practices.models import Location, Spi
from review import orders, outbox, parties
from review.models import Dispatch
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_():
    return rows.admit(rows.clinic())


def made(request, *, snapshot=None, now=NOW, **values):
    for name, value in values.items():
        setattr(request, name, value)
    return orders.newrx(
        request=request,
        snapshot=snapshot or rows.snapshot(),
        provider=request.prescriber,
        pharmacy=rows.make_pharmacy(),
        now=now,
        due_at=now,
    )


def said(dispatch):
    return script_read.read(outbox.document_of(dispatch))


def test_every_value_of_the_entry_stands_in_the_message(request_):
    message = said(made(request_))
    drug = message.prescribed
    assert (drug.quantity, drug.days_supply, drug.refills, drug.sig) == (
        Decimal(90),
        90,
        0,
        "Take 1 capsule by mouth once daily",
    )
    assert (drug.drug.rxcui, drug.drug.description) == (request_.rxcui, request_.drug_name)
    assert (message.patient.name.first, message.patient.name.last, str(message.patient.born_on)) == (
        "Ana",
        "Reyes",
        "1968-03-04",
    )
    assert (message.pharmacy.ncpdp_id, message.prescriber.npi) == ("9990001", request_.prescriber.npi)


def test_the_day_written_is_the_practices_day(request_):
    late = datetime(2026, 11, 18, 4, 59, tzinfo=UTC)
    assert str(said(made(request_, now=late)).prescribed.written_on) == "2026-11-17"


def test_every_message_has_an_id_of_its_own_and_an_order_number_of_at_most_35(request_):
    one, two = made(request_), made(request_)
    assert one.message_id != two.message_id
    assert one.order_number == two.order_number == said(one).header.order_number
    assert len(orders.order_number(request=request_, revision=99)) <= 35


@pytest.mark.parametrize(
    "change",
    [
        {"sig": "x" * 1001},
        {"sig": ""},
        {"drug_name": ""},
        {"quantity": None},
        {"quantity": Decimal(0)},
        {"quantity_unit": "handfuls"},
        {"quantity_unit": ""},
        {"refills": None},
        {"refills": 100},
    ],
)
def test_what_does_not_fit_the_message_is_refused_never_shortened(request_, change):
    with pytest.raises(DoesNotFit):
        made(request_, **change)


@pytest.mark.parametrize(
    "change", [{"last_name": ""}, {"birth_date": ""}, {"first_name": ""}, {"last_name": "x" * 200}]
)
def test_a_patient_without_what_the_message_needs_is_refused(request_, change):
    with pytest.raises(DoesNotFit):
        made(request_, snapshot=rows.snapshot(**change))


@pytest.mark.parametrize("schedule", ["ii", "iii", "iv", "v"])
def test_a_controlled_drug_is_refused_here_too(request_, schedule):
    with pytest.raises((ControlledDrug, DoesNotFit)):
        made(request_, schedule=schedule)


def test_the_sender_is_the_spi_of_the_place_else_of_home_else_the_only_one(request_):
    provider = request_.prescriber
    only = provider.spis.get()
    assert parties.spi_for(provider=provider, request=request_) == only
    other = Location.objects.create(
        practice=request_.practice,
        name="West",
        address_line_1="1 West",
        city="Nashville",
        state="TN",
        zip="37205",
        phone="6152218800",
        fax="6152218801",
    )
    west = Spi.objects.create(practice=request_.practice, provider=provider, location=other, spi="1234567890002")
    provider.refresh_from_db()
    assert parties.spi_for(provider=provider, request=request_) == only
    request_.location = other
    assert parties.spi_for(provider=provider, request=request_) == west
    request_.location = None
    assert parties.spi_for(provider=provider, request=request_) == only


def test_without_an_active_spi_there_is_no_sender(request_):
    Spi.objects.update(is_active=False)
    with pytest.raises(parties.NoSender):
        parties.spi_for(provider=request_.prescriber, request=request_)


def test_a_successor_of_bytes_that_do_not_hold_their_own_id_is_refused(request_):
    newrx = Dispatch.objects.get(kind="newrx")
    newrx.message_id = "somebody-elses"
    with pytest.raises(ValueError, match="MessageID"):
        orders.successor(dispatch=newrx, due_at=NOW, now=NOW)


def test_the_chart_is_told_what_was_sent_and_of_a_refusal_afterwards(request_):
    rows.send(request_, OutcomeKind.ACCEPTED, code="000", only="newrx")
    request_.refresh_from_db()
    record = orders.chart_record(request=request_, now=NOW)
    assert record["patch"] == {
        "date_prescribed": "2026-11-17",
        "order_status": "Electronic eRx Sent",
        "dispense_quantity": 90.0,
        "number_refills": 0,
    }
    correction = orders.chart_correction(request=request_, now=NOW)
    assert (correction["how"], "rejected on 2026-11-17" in correction["note"]) == ("note", True)
