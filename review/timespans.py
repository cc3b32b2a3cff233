"""Where one request's time went: its whole life cut into spans, each counted once, so that they add up to the total.

Pure: moments in, spans out. Where two things go on at once the first of `PRIORITY` counts.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from review.states import ENDED_REQUEST_STATES, RequestState

R = RequestState


class Share(StrEnum):
    """What a stretch of time was spent on."""

    SURESCRIPTS = "surescripts"
    DRCHRONO = "drchrono"
    KLARA = "klara"
    QUIET = "quiet"
    HOLD = "hold"
    UNDO = "undo"
    PEOPLE = "people"
    OWN = "own"


LABELS: Mapping[str, str] = MappingProxyType(
    {
        Share.QUIET: "Quiet window, in case the patient writes more",
        Share.HOLD: "Held until the practice opened",
        Share.UNDO: "Undo window, before anything left",
        Share.PEOPLE: "Waiting for people",
        Share.KLARA: "Klara",
        Share.DRCHRONO: "DrChrono",
        Share.SURESCRIPTS: "Surescripts and the pharmacy's software",
        Share.OWN: "Our own work and queues",
    }
)
LABELS_ORDER: tuple[Share, ...] = tuple(Share(key) for key in LABELS)
CHOSEN = frozenset({Share.QUIET, Share.HOLD, Share.UNDO})
VENDORS = frozenset({Share.KLARA, Share.DRCHRONO, Share.SURESCRIPTS})
# A vendor's answer that is awaited counts before the person who waits with us.
PRIORITY = (Share.SURESCRIPTS, Share.DRCHRONO, Share.KLARA, Share.QUIET, Share.UNDO, Share.HOLD, Share.PEOPLE)
# What a request in this state waits for, when nothing else is known.
OF_STATE: Mapping[str, Share] = MappingProxyType(
    {
        R.HELD: Share.HOLD,
        R.IN_REVIEW: Share.PEOPLE,
        R.AWAITING_SIGNATURE: Share.PEOPLE,
        R.WITH_EHR: Share.PEOPLE,
        R.SENT: Share.SURESCRIPTS,
        R.CANCEL_ASKED: Share.SURESCRIPTS,
    }
)


@dataclass(frozen=True, slots=True)
class Span:
    """Something that went on from `start` to `end`."""

    share: Share
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """The total and its parts, in the order in which they are shown; the parts add up to the total exactly."""

    start: datetime
    end: datetime
    parts: tuple[tuple[Share, timedelta], ...]

    @property
    def total(self) -> timedelta:
        """From the first moment to the last."""
        return self.end - self.start

    def of(self, shares: Iterable[Share]) -> timedelta:
        """The parts of these kinds together."""
        wanted = set(shares)
        return sum((length for share, length in self.parts if share in wanted), timedelta())


def of_states(*, moves: Sequence[tuple[datetime, str]], end: datetime) -> list[Span]:
    """Spans of waiting from the moments at which the request came into a state, in order of time."""
    found = []
    for at, (began, state) in enumerate(moves):
        until = moves[at + 1][0] if at + 1 < len(moves) else end
        share = OF_STATE.get(state)
        if share is not None and until > began:
            found.append(Span(share, began, until))
    return found


def last_end(*, moves: Sequence[tuple[datetime, str]]) -> datetime | None:
    """The moment of the last state when it is an end, None while the request is open."""
    return moves[-1][0] if moves and moves[-1][1] in ENDED_REQUEST_STATES else None


def spend(*, start: datetime, end: datetime, spans: Iterable[Span]) -> Spent:
    """Cut the time between `start` and `end` at every border and give each piece to exactly one share."""
    end = max(start, end)
    rank = {share: place for place, share in enumerate(PRIORITY)}
    clipped = [Span(one.share, max(one.start, start), min(one.end, end)) for one in spans]
    clipped = [one for one in clipped if one.end > one.start]
    borders = sorted({start, end, *(one.start for one in clipped), *(one.end for one in clipped)})
    lengths: dict[Share, timedelta] = dict.fromkeys(LABELS_ORDER, timedelta())
    for left, right in itertools.pairwise(borders):
        going_on = [one.share for one in clipped if one.start <= left and one.end >= right]
        share = min(going_on, key=lambda one: rank.get(one, len(rank)), default=Share.OWN)
        lengths[share] += right - left
    return Spent(start, end, tuple((share, length) for share, length in lengths.items() if length))


def words(length: timedelta) -> str:
    """A length of time for people: "2 d 3 h", "1 h 05 m", "3 m 31 s", "2.4 s", "38 ms"."""
    micros = max(0, length // timedelta(microseconds=1))
    if micros < 1_000_000:
        return f"{micros // 1000} ms"
    seconds = micros // 1_000_000
    if seconds < 60:
        return f"{micros / 1_000_000:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60} m {seconds % 60:02d} s"
    if seconds < 2 * 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} m"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"
