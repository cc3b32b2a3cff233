"""How fast we may call: windows shared by all workers through Redis, one atomic script per question.

Never sleeps beyond the patience it is given, never lets a call through when Redis is gone, and keeps ids only.
A lane is one rate-limit line; all its windows are asked at once and either all take the call or none.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

from integrations import http

WARN_SHARE = 0.7  # seed: warning above 70 % for more than five minutes
WARN_SECONDS = 300
_STEADY_SHARE = 0.6  # every single minute of the five; a short burst is no sustained load
_PREFIX = "limits"

# Digits of an SPI that name the prescriber; the rest is the place (surescripts 3.2).
SPI_ROOT = 10

class Priority(StrEnum):
    """A person or patient waits for interactive calls; sweeps and polls are background."""

    interactive = "interactive"
    background = "background"


@dataclass(frozen=True, slots=True)
class Sliding:
    """At most `limit` calls in any window of `seconds`, wherever it begins.

    margin_ms: so much longer we count ourselves. The vendor counts arrivals, and what leaves a minute apart may arrive
    a little closer together.
    """

    limit: int
    seconds: int
    margin_ms: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of `burst` calls refilled at `per_second`; at most burst + per_second calls in any one second."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class ClockHour:
    """At most `limit` calls from the top of a clock hour to the next, as DrChrono counts (contract decision 4)."""

    limit: int


Window = Sliding | Bucket | ClockHour


@dataclass(frozen=True, slots=True)
class Lane:
    """One rate-limit line. `key` holds ids only. `reserve` is the share of every ClockHour and Sliding window that
    background calls leave to interactive ones."""

    vendor: str
    key: str
    windows: tuple[Window, ...]
    reserve: float = 0.1


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: ask again in `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Granted:
    """How many calls may go now, and how long until the next one might (0 when all were granted).

    at_ms: the moment at which they count, never before an earlier grant of the lane, however far behind the asking
    clock was.
    """

    count: int
    wait_seconds: float
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    window: Window
    used: int
    limit: int

    @property
    def is_high(self) -> bool:
        return self.used > self.limit * WARN_SHARE


class Throttled(http.NotSent):
    """Our own limit holds the call back; surely nothing was sent. `retry_after` is in seconds."""


class LimiterGone(http.NotSent):
    """The shared limiter cannot be asked, so nothing may go; surely nothing was sent."""


# --- lanes -----------------------------------------------------------------------------------------------------------


def drchrono_lane(*, client_id: str) -> Lane:
    """Per API application, never per practice (contract section 2)."""
    return Lane(
        vendor="drchrono",
        key=f"drchrono:{client_id}",
        windows=(
            Bucket(per_second=settings.DRCHRONO_RATE_PER_SECOND, burst=settings.DRCHRONO_BURST),
            ClockHour(limit=settings.DRCHRONO_RATE_PER_HOUR),
        ),
    )


def klara_lane(*, connection_id: object, calls_per_s: int) -> Lane:
    return Lane(
        vendor="klara", key=f"klara:{connection_id}", windows=(Sliding(limit=calls_per_s, seconds=1),), reserve=0.2
    )


def routine_lane(*, practice_id: object) -> Lane:
    """Surescripts, routine prescriptions: 600 in any minute per practice (seed)."""
    limit = settings.SURESCRIPTS_ROUTINE_PER_MINUTE
    return Lane(vendor="surescripts", key=f"routine:{practice_id}", windows=(_minute(limit),))


def controlled_lane(*, practice_id: object, spi: str) -> Lane:
    """Surescripts, controlled prescriptions: 60 in any minute per prescriber (seed), whatever the place of the SPI."""
    limit = settings.SURESCRIPTS_CONTROLLED_PER_MINUTE
    return Lane(vendor="surescripts", key=f"controlled:{practice_id}:{spi[:SPI_ROOT]}", windows=(_minute(limit),))


def _minute(limit: int) -> Sliding:
    """Any minute as the network counts it; the margin costs less than one percent of the allowance."""
    return Sliding(limit=limit, seconds=60, margin_ms=500)


# --- asking ----------------------------------------------------------------------------------------------------------


def take(*, lane: Lane, now: datetime, priority: Priority = Priority.interactive) -> Wait | None:
    """Take one call: None means go, Wait means not now. Never blocks. Raises LimiterGone."""
    granted = take_up_to(lane=lane, now=now, wanted=1, priority=priority)
    return None if granted.count else Wait(seconds=granted.wait_seconds)


def take_up_to(*, lane: Lane, now: datetime, wanted: int, priority: Priority = Priority.interactive) -> Granted:
    """Take as many of `wanted` calls as every window allows at this moment. Raises LimiterGone."""
    keys, arguments = _question(lane, now, priority)
    count, wait_ms, at_ms = _run(lane, _TAKE, keys, [_ms(now), wanted, *arguments])
    return Granted(count=count, wait_seconds=wait_ms / 1000, at_ms=at_ms)


def pass_through(
    *, lane: Lane, now: datetime, priority: Priority = Priority.interactive, patience: float = 2.0
) -> None:
    """Take one call, sleeping at most `patience` seconds in all. Raises Throttled (with retry_after) or LimiterGone."""
    slept = 0.0
    while (wait := take(lane=lane, now=now + timedelta(seconds=slept), priority=priority)) is not None:
        pause = max(wait.seconds, 0.005)
        if slept + pause > patience:
            raise Throttled("held back by our own limit", vendor=lane.vendor, permanent=False, retry_after=pause)
        time.sleep(pause)
        slept += pause


def block(*, lane: Lane, now: datetime, seconds: float) -> None:
    """After a 429: nobody calls on this lane for so long, in whatever process. Raises LimiterGone."""
    until = _ms(now) + math.ceil(seconds * 1000)
    _run(lane, _BLOCK, [_base(lane) + ":block"], [until, math.ceil(seconds * 1000) + 1000])


def usage(*, lane: Lane, now: datetime) -> tuple[Usage, ...]:
    """Calls counted in each window at this moment (buckets left out). Raises LimiterGone."""
    found = []
    for index, window in enumerate(lane.windows):
        key = _key(lane, index, window, now)
        if isinstance(window, Sliding):
            oldest = _ms(now) - window.seconds * 1000
            found.append(Usage(window, int(_do(lane, "ZCOUNT", key, f"({oldest}", "+inf")), window.limit))
        elif isinstance(window, ClockHour):
            found.append(Usage(window, int(_do(lane, "GET", key) or 0), window.limit))
    return tuple(found)


def is_sustained(*, lane: Lane, now: datetime) -> bool:
    """True when more than 70 % of a per-minute window was used over the last five minutes, steadily, or more than
    70 % of the hour's calls are gone. To be asked by a beat, about once a minute. Raises LimiterGone."""
    if any(isinstance(each.window, ClockHour) and each.is_high for each in usage(lane=lane, now=now)):
        return True
    sliding = [window for window in lane.windows if isinstance(window, Sliding)]
    if not sliding:
        return False
    per_second = min(window.limit / window.seconds for window in sliding)
    minutes = _per_minute(lane, now)
    whole = sum(minutes) > per_second * WARN_SECONDS * WARN_SHARE
    return whole and min(minutes) >= per_second * 60 * _STEADY_SHARE


def forget(*, lane: Lane) -> None:
    """Drop all counts of a lane (tests, and a changed limit)."""
    keys = list(_client().scan_iter(match=f"{_base(lane)}:*"))
    if keys:
        _client().delete(*keys)


# --- below: how it is done -------------------------------------------------------------------------------------------

# KEYS: block, second counter of this minute, then one per window.
# ARGV: now ms, wanted, then four per window: kind, limit, length or rate in ms, unused.
# Time never runs backwards inside a window: a worker whose clock is behind counts at the newest time seen, so skew
# between machines can only make us slower. Refusals do not prolong a key's life, so a clock set back heals itself.
_TAKE = """
local now, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local blocked = tonumber(redis.call('GET', KEYS[1]) or '0')
if blocked > now then
  return {0, math.min(blocked - now, math.max(redis.call('PTTL', KEYS[1]), 1)), now}
end
local grant, wait, plan, counted = wanted, 0, {}, now
for i = 3, #KEYS do
  local at = 3 + (i - 3) * 3
  local kind, limit, span = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local free, pause = 0, 0
  if kind == 'sliding' then
    local newest = redis.call('ZRANGE', KEYS[i], -1, -1, 'WITHSCORES')
    local t = now
    if newest[2] and tonumber(newest[2]) > t then t = tonumber(newest[2]) end
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', t - span)
    local used = redis.call('ZCARD', KEYS[i])
    free = limit - used
    if free < wanted then
      local first = math.max(used - limit, 0)
      local edge = redis.call('ZRANGE', KEYS[i], first, first, 'WITHSCORES')
      if edge[2] then pause = tonumber(edge[2]) + span - now + 1 else pause = span end
    end
    plan[i] = t
    counted = math.max(counted, t)
  elseif kind == 'bucket' then
    local state = redis.call('HMGET', KEYS[i], 'level', 'at')
    local level, last = tonumber(state[1] or limit), tonumber(state[2] or now)
    local t = math.max(now, last)
    level = math.min(limit, level + (t - last) / span)
    free = math.floor(level + 0.000001)
    if free < wanted then pause = math.ceil((free + 1 - level) * span) + (t - now) end
    plan[i] = {level, t}
  else
    local used = tonumber(redis.call('GET', KEYS[i]) or '0')
    free = limit - used
    if free < wanted then pause = 3600000 - (now % 3600000) end
  end
  if free < grant then grant = math.max(free, 0) end
  if pause > wait then wait = pause end
end
if grant == 0 then return {0, math.max(wait, 1), now} end
for i = 3, #KEYS do
  local at = 3 + (i - 3) * 3
  local kind, span = ARGV[at], tonumber(ARGV[at + 2])
  if kind == 'sliding' then
    local serial = redis.call('INCRBY', KEYS[i] .. ':n', grant)
    for n = 1, grant do redis.call('ZADD', KEYS[i], plan[i], string.format('%.0f', serial - grant + n)) end
    redis.call('PEXPIRE', KEYS[i], span * 2)
    redis.call('PEXPIRE', KEYS[i] .. ':n', span * 4)
  elseif kind == 'bucket' then
    redis.call('HSET', KEYS[i], 'level', tostring(plan[i][1] - grant), 'at', string.format('%.0f', plan[i][2]))
    redis.call('PEXPIRE', KEYS[i], math.ceil(span * tonumber(ARGV[at + 1])) * 2 + 1000)
  else
    redis.call('INCRBY', KEYS[i], grant)
    redis.call('PEXPIRE', KEYS[i], 7200000)
  end
end
redis.call('HINCRBY', KEYS[2], math.floor(now / 1000), grant)
redis.call('PEXPIRE', KEYS[2], 420000)
if grant == wanted then wait = 0 end
return {grant, wait, counted}
"""

_BLOCK = """
local former = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) > former then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return {1, 0, 0}
"""


def _question(lane: Lane, now: datetime, priority: Priority) -> tuple[list[str], list[str | int | float]]:
    share = 1.0 if priority is Priority.interactive else 1.0 - lane.reserve
    keys = [_base(lane) + ":block", _second_key(lane, _ms(now))]
    arguments: list[str | int | float] = []
    for index, window in enumerate(lane.windows):
        keys.append(_key(lane, index, window, now))
        if isinstance(window, Sliding):
            span = window.seconds * 1000 + window.margin_ms
            arguments += ["sliding", max(1, math.floor(window.limit * share)), span]
        elif isinstance(window, Bucket):
            arguments += ["bucket", window.burst, 1000 / window.per_second]
        else:
            arguments += ["hour", math.floor(window.limit * share), 0]
    return keys, arguments


def _base(lane: Lane) -> str:
    return f"{_PREFIX}:{{{lane.key}}}"  # braces: all keys of a lane on one node of a cluster


def _key(lane: Lane, index: int, window: Window, now: datetime) -> str:
    if isinstance(window, ClockHour):
        return f"{_base(lane)}:{index}:{_ms(now) // 3_600_000}"
    return f"{_base(lane)}:{index}"


def _second_key(lane: Lane, ms: int) -> str:
    return f"{_base(lane)}:s:{ms // 60_000}"


def _per_minute(lane: Lane, now: datetime) -> list[int]:
    """Calls in each of the last five minutes, counted back from `now`."""
    last = _ms(now) // 1000
    totals = [0] * (WARN_SECONDS // 60)
    first_minute = (last - WARN_SECONDS) // 60
    for minute in range(first_minute, last // 60 + 1):
        counts = _do(lane, "HGETALL", _second_key(lane, minute * 60_000))
        for second, count in _pairs(counts):
            age = last - second
            if 0 <= age < WARN_SECONDS:
                totals[age // 60] += count
    return totals


def _pairs(counts: object) -> list[tuple[int, int]]:
    if isinstance(counts, dict):
        return [(int(key), int(value)) for key, value in counts.items()]
    return []


def _ms(now: datetime) -> int:
    return int(now.timestamp() * 1000)


@lru_cache(maxsize=4)
def _connect(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0, health_check_interval=30)


def _client() -> redis.Redis:
    return _connect(settings.REDIS_URL)


@lru_cache(maxsize=8)
def _script(url: str, text: str) -> redis.commands.core.Script:
    return _connect(url).register_script(text)


def _run(
    lane: Lane, text: str, keys: Sequence[str], arguments: Sequence[str | int | float]
) -> tuple[int, int, int]:
    try:
        answer = _script(settings.REDIS_URL, text)(keys=keys, args=arguments)
    except redis.RedisError as error:
        raise LimiterGone("the shared limiter cannot be asked", vendor=lane.vendor, permanent=False,
                          retry_after=5.0) from error
    return int(answer[0]), int(answer[1]), int(answer[2])


def _do(lane: Lane, *command: str) -> Any:
    try:
        return _client().execute_command(*command)  # type: ignore[no-untyped-call]
    except redis.RedisError as error:
        raise LimiterGone("the shared limiter cannot be asked", vendor=lane.vendor, permanent=False,
                          retry_after=5.0) from error
