"""Where the lines and bars of the metrics page go: numbers for templates to draw as SVG. Pure geometry, no colours."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from review import figures_words as words

MINUTE, HOUR, DAY = 60, 3600, 86400
TICKS = (
    1, 2, 5, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR,
    DAY, 2 * DAY, 4 * DAY, 8 * DAY, 16 * DAY, 32 * DAY, 64 * DAY,
)  # fmt: skip
MOST_TICKS = 7
APART = 30.0  # points between the two words at the ends of the lines


@dataclass(frozen=True, slots=True)
class Size:
    """A drawing's own measures; text keeps its size, so a phone gets a narrower drawing."""

    name: str
    width: int
    height: int
    left: int
    right: int


WIDE = Size("wide", 680, 250, 48, 96)
NARROW = Size("narrow", 330, 210, 48, 78)
BARS_WIDE = Size("wide", 520, 0, 96, 8)
BARS_NARROW = Size("narrow", 330, 0, 92, 4)


@dataclass(frozen=True, slots=True)
class Line:
    """One line with the word at its end."""

    name: str
    css: str
    points: str
    x: float
    y: float
    said_at: float
    says: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word beside an axis."""

    at: float
    says: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Lines:
    """A chart of lines over time, on a log scale."""

    size: Size
    title: str
    lines: tuple[Line, ...]
    ticks: tuple[Mark, ...]
    marks: tuple[Mark, ...]

    @property
    def plot_right(self) -> int:
        """Where the lines end."""
        return self.size.width - self.size.right


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar."""

    css: str
    x: float
    width: float
    says: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of pieces."""

    y: float
    says: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of bars, one a stretch of days."""

    size: Size
    height: float
    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Median to p95 of one stage, on a log scale of 300 points."""

    x: float
    width: float


def lines(
    *, size: Size, title: str, labels: Sequence[str], series: Sequence[tuple[str, str, Sequence[float]]]
) -> Lines:
    """A chart of (name, css, seconds) over the labels. Every series is as long as the labels, and not empty."""
    values = [math.log(max(1.0, one)) for _, _, given in series for one in given]
    low, high = min(values) - 0.2, max(values) + 0.2
    top, bottom, right = 16.0, size.height - 30.0, size.width - size.right

    def y_of(seconds: float) -> float:
        return round(bottom - (math.log(max(1.0, seconds)) - low) / (high - low) * (bottom - top), 1)

    def x_of(at: int) -> float:
        return round(size.left + (right - size.left) * (at / (len(labels) - 1) if len(labels) > 1 else 1), 1)

    fits = [one for one in TICKS if low <= math.log(one) <= high]
    step = max(1, math.ceil(len(fits) / MOST_TICKS))
    ticks = tuple(Mark(y_of(one), words.span(one) if one > 1 else "1 s") for one in fits[::step])
    drawn = []
    for name, css, given in series:
        points = " ".join(f"{x_of(at)},{y_of(one)}" for at, one in enumerate(given))
        drawn.append(
            Line(name, css, points, x_of(len(given) - 1), y_of(given[-1]), y_of(given[-1]), words.span(given[-1]))
        )
    return Lines(size, title, tuple(_apart(drawn, top=top, bottom=bottom)), ticks, _marks(labels, x_of, size))


def _apart(drawn: Sequence[Line], *, top: float, bottom: float) -> list[Line]:
    """The words at the ends moved until they do not cover each other, none outside the plot."""
    placed: list[Line] = []
    at = top
    for one in sorted(drawn, key=lambda line: line.y):
        at = max(one.y, at)
        placed.append(Line(one.name, one.css, one.points, one.x, one.y, at, one.says))
        at += APART
    over = max(0.0, placed[-1].said_at + 14 - bottom) if placed else 0.0
    return [Line(one.name, one.css, one.points, one.x, one.y, one.said_at - over, one.says) for one in placed]


def _marks(labels: Sequence[str], x_of: Callable[[int], float], size: Size) -> tuple[Mark, ...]:
    most = 5 if size.name == "wide" else 3
    last = len(labels) - 1
    at = sorted({round(last * part / (most - 1)) for part in range(most)}) if last > 0 else [0]
    made = []
    for one in at:
        anchor = "start" if one == 0 and last else "end" if one == last else "middle"
        made.append(Mark(x_of(one), labels[one].partition(" to ")[0], anchor))
    return tuple(made)


def bars(*, size: Size, title: str, rows: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> Bars:
    """Bars of (label, pieces of (css, count)); the longest fills the width."""
    longest = max((sum(count for _, count in pieces) for _, pieces in rows), default=0) or 1
    room = size.width - size.left - size.right
    made, y = [], 6.0
    for label, pieces in rows:
        x, segments = float(size.left), []
        for css, count in pieces:
            width = room * count / longest
            if count:
                shown = str(count) if width >= 8 * len(str(count)) + 10 else ""
                segments.append(Segment(css, round(x, 1), round(max(width - 1.5, 1), 1), shown))
            x += width
        made.append(Bar(y, label, tuple(segments)))
        y += 34
    return Bars(size, y, title, tuple(made))


def range_of(*, median: float, p95: float, longest: float) -> Range:
    """Where a stage's bar begins and how wide it is."""
    whole = math.log(max(longest, 2.0)) + 1

    def x_of(seconds: float) -> float:
        return (math.log(max(seconds, 0.5)) + 1) / whole * 292

    begins = max(0.0, x_of(median))
    return Range(round(begins, 1), round(max(4.0, x_of(p95) - begins), 1))
