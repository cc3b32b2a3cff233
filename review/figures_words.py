"""The figures in words: what each means, how long a time is, how it changed. Pure; the page, the CSV and the
documentation say the same sentences.
"""

from collections.abc import Mapping
from datetime import date

from review.figures import How, Stage

DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "median": (
        "Median latency",
        "From the moment the patient or pharmacy asked to the last decision: approval for what went out, the answer "
        "(denied, visit asked, fills left) for what did not. The decision and not the text to the patient, because it "
        "ends the waiting that this practice can change. Half of the decided refill requests took no longer.",
    ),
    "p95": ("p95 latency", "The same time; 95 of 100 decided refill requests took no longer."),
    "automatic_rate": (
        "Auto-approve rate",
        "Refill requests approved by the practice's rules without a person, of all refill requests decided.",
    ),
    "review_rate": (
        "Manual review rate",
        "Refill requests a person decided, here or in the chart, of all refill requests decided.",
    ),
    "nack_rate": (
        "NACK rate",
        "Prescriptions the network or a pharmacy rejected, at once or late, of those it answered. "
        "Counted on the day the prescription was queued.",
    ),
    "apologies": (
        "Apologies to patients",
        "Corrections sent to patients after they had been told something that turned out untrue.",
    ),
    "protocol_rate": (
        "Decided by protocol",
        "Approved, answered \"fills left\" or asked for a visit by the practice's rules alone, "
        "of all refill requests decided.",
    ),
    "hours_returned": (
        "Hours returned",
        "Automatic approvals × the practice's own minutes per refill ÷ 60.",
    ),
}  # fmt: skip

STAGES: Mapping[Stage, tuple[str, str]] = {
    Stage.READING: ("Quiet window and reading", "from asking to the request, of all decided requests"),
    Stage.HELD: ("Held while closed", "from the request to opening time, of those held"),
    Stage.ASSISTANT: ("With an assistant", "until a person without the prescriber role decided"),
    Stage.PRESCRIBER: ("With a prescriber", "until a prescriber decided"),
    Stage.TRANSMISSION: ("Undo window and transmission", "from queued to taken by the network"),
    Stage.PHARMACY: ("Pharmacy confirms", "from taken by the network to received by the pharmacy"),
}
WAITING = (Stage.ASSISTANT, Stage.PRESCRIBER)

WAYS: Mapping[How, str] = {
    How.AUTOMATIC: "Automatic",
    How.APPROVED: "Approved by a person",
    How.OTHERWISE: "Answered by a person",
    How.BY_RULES: "Answered by rules",
    How.IN_CHART: "Prescribed in the chart",
}

EXACT = (
    "Counts and rates are exact. Times are read from buckets 9 % wide, so a median or p95 is at most 5 % from the "
    "exact one. A day can still change for four weeks, as late news of a pharmacy belongs to the day it is about."
)

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def parts(seconds: float | None) -> list[tuple[int, str]]:
    """A time as its two largest units; empty where there is none."""
    if seconds is None:
        return []
    made: list[tuple[int, str]] = []
    left = max(1, round(seconds))
    if left >= 600:
        left = round(left / 60) * 60
    for unit, size in _UNITS:
        if left >= size or made:
            amount, left = divmod(left, size)
            made.append((amount, unit))
    return [one for one in made[:2] if one[0]]


def span(seconds: float | None) -> str:
    """A time in words: "4 m 24 s"; a dash where nothing was counted."""
    if seconds is not None and seconds < 1:
        return "under 1 s"
    return " ".join(f"{amount} {unit}" for amount, unit in parts(seconds)) or "–"


def rate(value: float | None) -> str:
    """A share in words."""
    return "–" if value is None else f"{value:.1f} %"


def days(first: date, last: date) -> str:
    """A stretch of days: "Oct 20", "Oct 20 to 26"."""
    begin = f"{first:%b} {first.day}"
    if first == last:
        return begin
    return f"{begin} to {last.day}" if first.month == last.month else f"{begin} to {last:%b} {last.day}"


def time_change(now: float | None, before: float | None) -> tuple[str, str]:
    """Tone and words for a time; within the width of a bucket nothing has changed."""
    if now is None or before is None:
        return "same", "nothing to compare with"
    if abs(now - before) <= 0.095 * before:
        return "same", "about the same"
    return ("good", f"{span(before - now)} faster") if now < before else ("bad", f"{span(now - before)} slower")


def rate_change(now: float | None, before: float | None, *, up_is_good: bool) -> tuple[str, str]:
    """Tone and words for a share, in points."""
    if now is None or before is None:
        return "same", "nothing to compare with"
    points = round(now - before, 1)
    if not points:
        return "same", "same as before"
    tone = "good" if (points > 0) == up_is_good else "bad"
    return tone, f"{'up' if points > 0 else 'down'} {abs(points):.1f} points"


def count_change(now: int, before: int) -> tuple[str, str]:
    """Tone and words for a count that should be small."""
    if now == before:
        return "same", "same as before"
    return ("bad", f"{now - before} more") if now > before else ("good", f"{before - now} fewer")
