"""`/metrics` for machines: gauges of this moment in the Prometheus format, read from the database and the limiter.

Needs the bearer token METRICS_TOKEN; without one set the page does not exist. Labels are ids, states and codes: never a
name of a practice, a person or a patient. It changes nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from integrations import limits, upkeep
from integrations.models import Connection, MirrorPatient
from integrations.models.connections import Vendor
from review import metrics as counting
from review import states
from review.models import Alarm, Dispatch, InboundEvent, Progress, RefillRequest

UNFINISHED = sorted(
    states.MAYBE_DELIVERED_STATES - {states.DispatchState.DELIVERED} | {states.DispatchState.RETRY_WAIT}
)
"""Dispatches in these states may still change; the others are history, which the metrics page counts."""


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The gauges, to whoever brings the token."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(now=request.now))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Gauges:
    """Collects once, for one answer."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every family of gauges."""
        yield from self._work()
        yield from self._trouble()
        yield from self._lanes()

    def _work(self) -> Iterator[GaugeMetricFamily]:
        unfinished = RefillRequest.objects.unfinished()
        rows = unfinished.values_list("practice_id", "state").annotate(n=Count("pk")).order_by()
        yield _family("requests_open", "Open requests by state.", ("practice", "state"), rows)
        oldest = RefillRequest.objects.waiting().values_list("practice_id").annotate(at=Min("asked_at")).order_by()
        yield self._ages("oldest_waiting_seconds", "Age of the oldest request that waits for a person.", oldest)
        left = (
            Dispatch.objects.filter(state__in=UNFINISHED)
            .values_list("practice_id", "lane", "state").annotate(n=Count("pk")).order_by()
        )  # fmt: skip
        yield _family("dispatches", "Unfinished dispatches by lane and state.", ("practice", "lane", "state"), left)
        decided = ((practice, how, n) for (practice, how), n in counting.decided_today(now=self.now).items())
        yield _family("requests_decided_today", "Live refills decided today, by how.", ("practice", "how"), decided)

    def _trouble(self) -> Iterator[GaugeMetricFamily]:
        seen = MirrorPatient.objects.values_list("practice_id").annotate(at=Max("medications_read_at")).order_by()
        yield self._ages("mirror_age_seconds", "Time since any medication list was read from the chart.", seen)
        unread = InboundEvent.objects.filter(progress__in=[Progress.RECEIVED, Progress.READING])
        rows = unread.values_list("practice_id").annotate(n=Count("pk")).order_by()
        yield _family("events_unread", "Stored events not read yet.", ("practice",), rows)
        open_alarms = Alarm.objects.filter(closed_at__isnull=True).values_list("practice_id", "kind")
        yield _family(
            "alarms_open", "Open alarms by kind.", ("practice", "kind"), open_alarms.annotate(n=Count("pk")).order_by()
        )

    def _ages(self, name: str, meaning: str, rows: Iterable[tuple[UUID, datetime | None]]) -> GaugeMetricFamily:
        ages = [(practice, (self.now - at).total_seconds()) for practice, at in rows if at is not None]
        return _family(name, meaning, ("practice",), ages)

    def _lanes(self) -> Iterator[GaugeMetricFamily]:
        """Shares and steady load of the Surescripts lanes; controlled lanes are one a prescriber, told as their
        highest, so that no label names one.
        """
        shares, busy, is_up = [], [], 1
        try:
            for practice_id, kind, lanes in _surescripts_lanes():
                used = [one for lane in lanes for one in limits.usage(lane=lane, now=self.now)]
                shares.append((practice_id, kind, max(one.used / one.limit for one in used)))
                above = sum(limits.is_sustained(lane=lane, now=self.now) for lane in lanes)
                busy.append((practice_id, kind, above))
        except limits.LimiterGone:
            shares, busy, is_up = [], [], 0
        labels = ("practice", "lane")
        yield _family("lane_used_share", "Share of the lane's minute in use, 0 to 1.", labels, shares)
        yield _family("lanes_busy", "Lanes above 70 % for five minutes.", labels, busy)
        yield _family("limiter_up", "1 while the shared limiter answers.", (), [(is_up,)])


def _surescripts_lanes() -> Iterator[tuple[UUID, str, list[limits.Lane]]]:
    connected = Connection.objects.usable().filter(vendor=Vendor.surescripts)
    practices = sorted(set(connected.values_list("practice_id", flat=True)))
    for practice_id, own in upkeep.signer_lanes(practices).items():
        yield practice_id, "routine", [limits.routine_lane(practice_id=practice_id)]
        if own:
            yield practice_id, "controlled", own


def _family(name: str, meaning: str, labels: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> GaugeMetricFamily:
    """One family; each row is its labels and then its value."""
    family = GaugeMetricFamily(f"refillhub_{name}", meaning, labels=labels)
    for *values, number in rows:
        family.add_metric([str(value) for value in values], float(str(number)))
    return family
