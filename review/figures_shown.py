"""What the metrics page shows of the tallies it was handed: sums by day, place and class, and the charts of them.

Pure; a group too small is never split out, and no sum is of one person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from refillhub.practices.models import Location
from review import figures
from review import figures_drawn as drawn
from review import figures_words as words
from review.figures import Key, Period, Stage, Tally
from rules import protocols

CSS = {"automatic": "viz-1", "approved": "viz-2", "otherwise": "viz-3", "in_chart": "viz-4", "by_rules": "viz-0"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page was asked for, every part known to the practice."""

    period: str
    days: Period
    location: Location | None
    drug_class: str
    is_shadow: bool
    locations: tuple[Location, ...]

    def holds(self, key: Key) -> bool:
        """Whether a roll-up is of the place and class asked for, in either mode."""
        is_here = self.location is None or key.location_id == self.location.pk
        return is_here and self.drug_class in ("", key.drug_class)

    @property
    def is_narrowed(self) -> bool:
        """Whether a place or a class was chosen."""
        return self.location is not None or bool(self.drug_class)


@dataclass(frozen=True, slots=True)
class Found:
    """The tallies of the page: by day, of this period and of the one before."""

    asked: Asked
    tallies: Mapping[Key, Tally]
    uncounted: Period | None

    def sum_of(self, days: Period, *, only: Callable[[Key], bool] = lambda key: True) -> Tally:
        """The sum over some days, in the mode asked for."""
        asked = self.asked
        return figures.total(
            tally for key, tally in self.tallies.items()
            if days.first <= key.day <= days.last and asked.holds(key) and key.is_shadow == asked.is_shadow
            and only(key)
        )  # fmt: skip

    def by(self, of: Callable[[Key], str]) -> dict[str, Tally]:
        """Sums of the period by something of the key."""
        asked, made = self.asked, dict[str, Tally]()
        for key, tally in self.tallies.items():
            if key.day >= asked.days.first and asked.holds(key) and key.is_shadow == asked.is_shadow:
                made.setdefault(of(key), Tally()).add(tally)
        return made

    @property
    def is_too_few(self) -> bool:
        """Whether what was chosen is a group too small to be shown."""
        return self.asked.is_narrowed and self.sum_of(self.asked.days).decided < figures.SMALLEST

    @property
    def decided_at_all(self) -> int:
        """Decided requests of the whole practice in both periods and modes."""
        return sum(tally.decided for tally in self.tallies.values())


def class_name(key: str) -> str:
    """A drug class in words."""
    table = protocols.load().by_key
    return table[key].name if key in table else key.replace("_", " ").capitalize() or "No class"


def class_of(key: Key) -> str:
    """The drug class of a roll-up in words."""
    return class_name(key.drug_class)


def classes(found: Found) -> list[tuple[str, str]]:
    seen = {key.drug_class for key in found.tallies if key.drug_class}
    return sorted(((key, class_name(key)) for key in seen), key=lambda one: one[1])


def six(now: figures.Figures, before: figures.Figures) -> list[dict[str, Any]]:
    label = {name: said for name, (said, _) in words.DEFINITIONS.items()}
    times = [
        {"name": label[name], "parts": words.parts(getattr(now, name)), "more": "",
         "change": words.time_change(getattr(now, name), getattr(before, name))}
        for name in ("median", "p95")
    ]  # fmt: skip
    counted = {"nack_rate": f"{now.rejected:,} of {now.sent:,}"}
    rates = [
        {"name": label[name], "parts": _percent(getattr(now, name)), "more": counted.get(name, ""),
         "change": words.rate_change(getattr(now, name), getattr(before, name), up_is_good=up_is_good)}
        for name, up_is_good in (("automatic_rate", True), ("review_rate", False), ("nack_rate", False))
    ]  # fmt: skip
    last = {"name": label["apologies"], "parts": [(now.apologies, "")], "more": "",
            "change": words.count_change(now.apologies, before.apologies)}  # fmt: skip
    return [*times, *rates, last]


def _percent(value: float | None) -> list[tuple[str, str]]:
    return [] if value is None else [(f"{value:.1f}", "%")]


def series(found: Found) -> list[tuple[date, Tally]]:
    by_day = found.by(lambda key: key.day.isoformat())
    return [(day, by_day.get(day.isoformat(), Tally())) for day in found.asked.days.days]


def by_day(found: Found) -> dict[str, Any] | None:
    stretches = figures.joined(series(found), least=7 if found.asked.period == "quarter" else 1)
    if not stretches:
        return None
    labels = [words.days(first, last) for first, last, _ in stretches]
    both = [figures.median_and_p95(tally, Stage.LATENCY) for _, _, tally in stretches]
    median, p95 = [one[0] or 0.0 for one in both], [one[1] or 0.0 for one in both]
    title = (
        f"Median and 95th percentile from asking to decision, {labels[0]} to {labels[-1]}. "
        f"The median went from {words.span(median[0])} to {words.span(median[-1])}, "
        f"the 95th percentile from {words.span(p95[0])} to {words.span(p95[-1])}."
    )
    drawn_series = [("p95", "viz-2", p95), ("median", "viz-1", median)]
    charts = [
        drawn.lines(size=size, title=title, labels=labels, series=drawn_series) for size in (drawn.WIDE, drawn.NARROW)
    ]
    rows = [
        (label, tally.decided, words.span(one), words.span(other))
        for label, (_, _, tally), (one, other) in zip(labels, stretches, both, strict=True)
    ]
    return {"charts": charts, "rows": rows}


def by_week(found: Found) -> dict[str, Any] | None:
    stretches = figures.joined(series(found), least=1 if found.asked.period == "week" else 7)
    if not stretches:
        return None
    rows = [
        (words.days(first, last), [tally.counts[way] for way in words.WAYS], tally.decided)
        for first, last, tally in stretches
    ]
    pieces = [(label, list(zip(CSS.values(), _in_css_order(counts), strict=True))) for label, counts, _ in rows]
    automatic = [counts[0] for _, counts, _ in rows]
    title = (
        f"How refill requests were decided, {rows[0][0]} to {rows[-1][0]}: {sum(automatic)} automatic of "
        f"{sum(count for _, _, count in rows)}; {automatic[0]} in the first stretch, {automatic[-1]} in the last."
    )
    charts = [drawn.bars(size=size, title=title, rows=pieces) for size in (drawn.BARS_WIDE, drawn.BARS_NARROW)]
    return {"charts": charts, "rows": rows}


def _in_css_order(counts: list[int]) -> list[int]:
    by_way = dict(zip(words.WAYS, counts, strict=True))
    return [by_way[figures.How(way)] for way in CSS]


def stages(tally: Tally) -> list[dict[str, Any]]:
    longest = max((figures.median_and_p95(tally, stage)[1] or 0 for stage in words.STAGES), default=0)
    made = []
    for stage, (name, meaning) in words.STAGES.items():
        median, p95 = figures.median_and_p95(tally, stage)
        made.append({
            "name": name, "meaning": meaning, "count": sum(tally.times.get(stage, {}).values()),
            "median": words.span(median), "p95": words.span(p95), "css": "viz-2" if stage in words.WAITING else "viz-1",
            "range": drawn.range_of(median=median, p95=p95, longest=longest) if median and p95 else None,
        })  # fmt: skip
    return made


def place(asked: Asked) -> Callable[[Key], str]:
    names = {one.pk: one.name for one in asked.locations}
    return lambda key: names.get(key.location_id, "No location") if key.location_id else "No location"


def groups(found: Found, of: Callable[[Key], str]) -> dict[str, Any] | None:
    groups = {name: tally for name, tally in found.by(of).items() if tally.decided}
    if len(groups) < 2:
        return None
    shown, rest = figures.split(groups)
    rows = [(name, _row(tally)) for name, tally in shown]
    if rest.decided >= figures.SMALLEST:
        rows.append(("All others together", _row(rest)))
    return {"rows": rows, "is_hidden": 0 < rest.decided < figures.SMALLEST}


def _row(tally: Tally) -> dict[str, Any]:
    one = figures.figures(tally, minutes_per_refill=0)
    return {
        "decided": one.decided, "median": words.span(one.median), "p95": words.span(one.p95),
        "automatic": words.rate(one.automatic_rate), "review": words.rate(one.review_rate),
        "protocol": words.rate(one.protocol_rate), "nack": words.rate(one.nack_rate), "apologies": one.apologies,
    }  # fmt: skip


def modes(found: Found) -> list[tuple[str, dict[str, Any]]]:
    """Live and shadow side by side, where both are large enough."""
    made = []
    for name, is_shadow in (("Live", False), ("Shadow", True)):
        tally = figures.total(
            one for key, one in found.tallies.items()
            if key.day >= found.asked.days.first and found.asked.holds(key) and key.is_shadow == is_shadow
        )  # fmt: skip
        if tally.decided >= figures.SMALLEST:
            made.append((name, _row(tally)))
    return made if len(made) == 2 else []
