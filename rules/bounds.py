"""How far "none was found" can be trusted: exact upper limits of a rate from a count. Pure arithmetic."""

from __future__ import annotations

import math

CONFIDENCE = 0.95
_STEPS = 60  # halvings: finer than any figure we print


def upper(*, bad: int, of: int) -> float | None:
    """The exact one-sided upper 95 % limit (Clopper and Pearson 1934) of a rate seen `bad` times in `of`.

    0 in n gives 1 - 0.05 ** (1 / n), about 3 / n. None where nothing was counted: then nothing is known.
    Raises ValueError on counts that cannot be.
    """
    if not 0 <= bad <= of:
        raise ValueError(f"{bad} of {of} cannot be")
    if not of:
        return None
    if bad == of:
        return 1.0
    low, high = bad / of, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(bad, of, middle) > 1 - CONFIDENCE else (low, middle)
    return high


def needed(*, limit: float) -> int:
    """How many clean cases it takes until the upper limit is at most `limit` (a share between 0 and 1)."""
    if not 0 < limit < 1:
        raise ValueError("a limit is a share between 0 and 1")
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - limit))


def _at_most(bad: int, of: int, rate: float) -> float:
    """The probability of at most `bad` in `of` at this rate, summed in logarithms so that nothing overflows."""
    log_rate, log_rest = math.log(rate), math.log1p(-rate)
    return sum(
        math.exp(
            math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * log_rate + (of - k) * log_rest
        )
        for k in range(bad + 1)
    )
