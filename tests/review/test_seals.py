"""A signature holds for exactly its bytes and its key."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review import seals

RAW = b"a key of the tests, 32 bytes lon"


@pytest.fixture(autouse=True)
def key(settings):
    settings.EPCS_SIGNING_KEY = base64.b64encode(RAW).decode()


def test_it_holds_for_its_bytes_and_no_others():
    seal = seals.sign(document=b"zolpidem 30")
    assert seals.is_intact(document=b"zolpidem 30", seal=seal)
    assert not seals.is_intact(document=b"zolpidem 90", seal=seal)


@given(document=st.binary(min_size=1, max_size=400), place=st.integers(min_value=0), change=st.integers(1, 255))
def test_no_changed_byte_passes(document, place, change):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seals.settings, "EPCS_SIGNING_KEY", base64.b64encode(RAW).decode(), raising=False)
        seal = seals.sign(document=document)
    at = place % len(document)
    forged = document[:at] + bytes([document[at] ^ change]) + document[at + 1 :]
    assert seals.is_intact(document=document, seal=seal)
    assert not seals.is_intact(document=forged, seal=seal)


def test_another_key_or_a_broken_signature_does_not_pass(settings):
    seal = seals.sign(document=b"one")
    settings.EPCS_SIGNING_KEY = base64.b64encode(b"b key of the tests, 32 bytes lon").decode()
    other = seals.sign(document=b"one")
    assert not seals.is_intact(document=b"one", seal=seals.Seal(value=other.value, public_key=seal.public_key))
    assert not seals.is_intact(document=b"one", seal=seals.Seal(value=b"", public_key=seal.public_key))
    assert not seals.is_intact(document=b"one", seal=seals.Seal(value=seal.value, public_key=b"no key"))


@pytest.mark.parametrize("text", ["", "%%%", base64.b64encode(b"short").decode(), base64.b64encode(bytes(32)).decode()])
def test_a_key_that_is_none_is_named(settings, text):
    settings.EPCS_SIGNING_KEY = text
    with pytest.raises(seals.NoKey, match="EPCS_SIGNING_KEY"):
        seals.sign(document=b"one")
