"""What is kept of a reading comes back whole; what was purged comes back unknown in every point."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refillhub.practices import sealing
from review import understanding
from rules import facts as f
from tests.review import rows

MAYBE = st.none() | st.booleans()
READINGS = st.builds(
    f.Reading,
    kind=st.sampled_from(f.Kind),
    tag=st.sampled_from(f.Tag),
    is_plain=MAYBE,
    doubts=st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple),
    strength_differs=MAYBE,
    form_differs=MAYBE,
    quantity_differs=MAYBE,
    directions_differ=MAYBE,
    channel=st.sampled_from(f.Channel),
    author=st.sampled_from(f.Author),
    is_identity_verified=MAYBE,
    is_emergency=MAYBE,
    has_symptom=MAYBE,
    is_out_of_drug=MAYBE,
    confidence_percent=st.none() | st.integers(0, 100),
)


def no_seal(**values):
    return values["plain"]


@given(summary=READINGS)
def test_a_summary_comes_back_as_it_was(summary):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(understanding.vault, "seal_payload", no_seal)
        patch.setattr(understanding.vault, "open_payload", lambda **values: values["sealed"])
        practice = rows.Practice()
        kept = understanding.open_kept(sealed=rows.kept(practice, summary=summary), practice=practice)
    assert understanding.summary_of(kept) == summary


@pytest.mark.parametrize("sealed", [None, b""])
def test_what_was_purged_is_unknown_in_every_point(sealed):
    kept = understanding.open_kept(sealed=sealed, practice=None)
    assert understanding.summary_of(kept) == f.Reading()


@pytest.mark.django_db
def test_what_is_kept_is_sealed_for_its_practice():
    practice = rows.make_practice()
    sealed = rows.kept(practice)
    assert b"omeprazole" not in sealed
    assert understanding.open_kept(sealed=sealed, practice=practice)["messages"][0]["text"] == "omeprazole please"
    with pytest.raises(sealing.SealBroken):
        understanding.open_kept(sealed=sealed, practice=rows.make_practice(name="Elsewhere"))
