"""Which directory entry a patient means: the whole name must have been said, and only one entry may fit."""

import pytest

from review import pharmacies
from rules.intake import pharmacies as reader
from rules.intake.reading import PharmacyMention, Span
from tests.review import rows

pytestmark = pytest.mark.django_db


def mention(text):
    (found,) = reader.find(text=text)
    return PharmacyMention(
        span=Span(message=0, start=found.start, end=found.end), words=text[found.start : found.end], name=found.name,
        place=found.place, matches_known=None,
    )  # fmt: skip


def test_a_name_of_two_words_is_read_whole():
    assert mention("please change my pharmacy to birch lane pharmacy").name == "birch lane pharmacy"
    assert mention("refill my omeprazole at the oak hill pharmacy").name == "oak hill pharmacy"
    assert mention("send it to a pharmacy near me, not to corner pharmacy").name == "corner pharmacy"


def test_half_a_name_is_no_other_pharmacy():
    rows.make_pharmacy("3699002", name="Elm Lane Pharmacy", address_line_1="9 Elm Lane")
    assert pharmacies.named(mentions=[mention("to lane pharmacy")], stage="dev", default=None) is None
    assert pharmacies.named(mentions=[mention("to birch lane pharmacy")], stage="dev", default=None) is None
    assert pharmacies.named(mentions=[mention("to elm lane pharmacy")], stage="dev", default=None) is not None


def test_half_a_name_is_not_the_default_pharmacy_either():
    default = rows.make_pharmacy("3699002", name="Elm Lane Pharmacy", address_line_1="9 Elm Lane")
    assert pharmacies.named(mentions=[mention("to lane pharmacy")], stage="dev", default=default) is None


def test_a_chain_is_the_default_when_the_default_is_of_that_chain():
    default = rows.make_pharmacy("3600001", name="CVS Pharmacy #1001", address_line_1="101 Main St")
    assert pharmacies.named(mentions=[mention("at cvs on main st")], stage="dev", default=default) == default
