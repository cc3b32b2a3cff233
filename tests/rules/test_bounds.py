"""Upper limits of a rate: against the closed form, against the binomial itself, and for counts that cannot be."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import bounds


@given(st.integers(1, 100_000))
def test_none_in_n_has_the_closed_form(n: int) -> None:
    limit = bounds.upper(bad=0, of=n)
    assert limit is not None
    assert math.isclose(limit, 1 - 0.05 ** (1 / n), rel_tol=1e-9, abs_tol=1e-12)


@given(st.integers(1, 60), st.data())
def test_at_the_limit_so_few_would_be_seen_once_in_twenty(n: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, n - 1))
    limit = bounds.upper(bad=bad, of=n)
    assert limit is not None
    assert limit > bad / n
    tail = sum(math.comb(n, k) * limit**k * (1 - limit) ** (n - k) for k in range(bad + 1))
    assert math.isclose(tail, 0.05, rel_tol=1e-6)


def test_nothing_counted_says_nothing() -> None:
    assert bounds.upper(bad=0, of=0) is None


def test_all_bad_is_no_limit() -> None:
    assert bounds.upper(bad=4, of=4) == 1.0


@pytest.mark.parametrize(("bad", "of"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(bad: int, of: int) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        bounds.upper(bad=bad, of=of)


def test_how_many_clean_cases_it_takes() -> None:
    assert bounds.needed(limit=0.01) == 299
    with pytest.raises(ValueError, match="share"):
        bounds.needed(limit=0)
