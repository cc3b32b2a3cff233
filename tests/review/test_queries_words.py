"""The patient's words cut at what was read: spans may overlap, nest and touch; no character is lost or told twice."""

from hypothesis import given
from hypothesis import strategies as st

from review import queries_words

TEXT = "Please refill my metoprolol to Oak"
SPANS = st.lists(st.tuples(st.integers(-3, 50), st.integers(-3, 50), st.sampled_from(["drug: a", "doubt: b", "c: d"])))


@given(text=st.text(max_size=40), spans=SPANS)
def test_no_character_is_lost_whatever_the_spans(text, spans):
    parts = queries_words.parts_of(text=text, spans=spans)
    assert "".join(part.text for part in parts) == text
    assert all(part.text for part in parts)


@given(spans=SPANS)
def test_every_character_has_exactly_the_labels_of_the_spans_over_it(spans):
    at = 0
    for part in queries_words.parts_of(text=TEXT, spans=spans):
        for offset in range(len(part.text)):
            over = {label for start, end, label in spans if start <= at + offset < end}
            assert set(part.labels) == over
        at += len(part.text)


@given(spans=SPANS)
def test_each_span_is_opened_where_it_begins(spans):
    opened = [label for part in queries_words.parts_of(text=TEXT, spans=spans) for label in part.opens]
    real = {(max(start, 0), label) for start, end, label in spans if max(start, 0) < min(end, len(TEXT))}
    assert sorted(opened) == sorted(label for _, label in real)


def test_a_doubt_about_half_a_drug_keeps_both_marks():
    parts = queries_words.parts_of(text=TEXT, spans=[(17, 27, "drug: metoprolol"), (22, 31, "doubt: why")])
    assert [(part.text, part.is_understood, part.is_doubtful, part.opens_doubt) for part in parts] == [
        ("Please refill my ", False, False, False), ("metop", True, False, False), ("rolol", True, True, True),
        (" to ", False, True, False), ("Oak", False, False, False)]  # fmt: skip
