"""Plays the clinic day: patients write through the pretended Klara, faults happen, and we wait until all is settled.

It speaks to the vendors' test desks and nudges jobs that would come by the clock; it changes no request of ours and
judges nothing.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from integrations.models import Connection, Vendor
from refillhub.practices import clock
from refillhub.practices.models import Location, Practice
from review import tasks
from review.management.clinic_day import Desk, Json, Person
from review.models import Dispatch, DispatchKind, InboundEvent, Progress, RefillRequest
from review.states import DispatchState, RequestState

UNREAD = (Progress.RECEIVED, Progress.READING)
MOVING = (DispatchState.QUEUED, DispatchState.SENDING, DispatchState.RETRY_WAIT, DispatchState.UNKNOWN)
R = RequestState
UNSETTLED = (R.RECEIVED, R.HELD, R.APPROVED, R.SENT, R.HANDING_OFF)
OPENS_IN = timedelta(seconds=35)
PACE = 0.7  # seconds between messages: DrChrono allows few calls a second, and so do we
LOOK_EVERY = 5.0  # seconds between nudges of jobs that would come by the clock, minutes later
OWN = {"wave", "say", "do", "title", "as"}
Show = Callable[[str, int, int], None]


class TookTooLong(RuntimeError):
    """Something did not settle within the time a clinic day has."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the script and what Klara answered."""

    scene: Json
    step: Json
    person: Person
    message_id: str
    conversation_id: str
    statuses: tuple[int | None, ...]


@dataclass(slots=True)
class Day:
    """The state of play."""

    practice: Practice
    key: str
    people: dict[str, Person]
    desks: dict[str, Desk]
    scenes: list[Json]
    show: Show
    said: list[Said] = field(default_factory=list)
    forged: list[int] = field(default_factory=list)
    opens_at: datetime | None = None
    began_at: datetime = field(default_factory=lambda: clock.now())
    pharmacies: dict[str, str] = field(default_factory=dict)
    looked_at: float = 0.0
    released_at: float = 0.0

    @property
    def total(self) -> int:
        """Messages in the script."""
        return sum(1 for scene in self.scenes for step in scene["steps"] if "say" in step)

    def play(self) -> None:
        """The whole day, wave by wave. Raises TookTooLong, clinic_day.DeskRefused."""
        self._prepare()
        waves = sorted({step["wave"] for scene in self.scenes for step in scene["steps"]})
        for wave in waves:
            for scene, step in self._steps(wave):
                self._act(scene, step)
                time.sleep(PACE if "say" in step else 0)
            if wave == 1:
                self._forge()
            tasks.reconcile_klara.delay()
            if 1 <= wave < waves[-1]:
                self._until("read and sent", lambda: not self._waiting(), seconds=75)
        self._until("settled", self._is_settled, seconds=90)

    def _prepare(self) -> None:
        """The chart system's webhook needs our web server; the second office opens shortly after the day begins."""
        connection = Connection.objects.get(practice=self.practice, vendor=Vendor.drchrono)
        hook = f"{settings.PUBLIC_URL}/webhooks/drchrono/{connection.endpoint_token}/"
        self.desks["drchrono"].post("webhook", {"practice": self.key, "url": hook})
        self.desks["surescripts"].post("settings", {"rxfill": "never", "verify_after": 1.5})
        self.opens_at = clock.now() + OPENS_IN
        for place in Location.objects.filter(practice=self.practice).exclude(time_zone=""):
            local = self.opens_at.astimezone(ZoneInfo(place.time_zone)).time().replace(microsecond=0)
            place.opens_at, place.closes_at = local, self.practice.closes_at
            place.save(update_fields=["opens_at", "closes_at"])
            self.show(f"the {place.name} opens at {local:%H:%M:%S} its time", 0, self.total)

    def _steps(self, wave: int) -> Iterator[tuple[Json, Json]]:
        for scene in self.scenes:
            for step in scene["steps"]:
                if step["wave"] == wave:
                    yield scene, step

    # the script's verbs ----------------------------------------------------------------------------------------------

    def _act(self, scene: Json, step: Json) -> None:
        person = self.people[scene["who"]]
        if "say" in step:
            self._say(scene, step, person)
            return
        verbs = {"unlist": self._unlist, "busy": self._busy, "reject_late": self._reject_late, "merge": self._merge}
        verbs[step["do"]](step, person)

    def _say(self, scene: Json, step: Json, person: Person) -> None:
        more = {name: value for name, value in step.items() if name not in OWN}
        patient = person.alias(step.get("as", ""))
        wish = {"practice": self.key, "patient": patient, "text": step["say"], "tags": ["refill"],
                "channel": "chan_main", **more}  # fmt: skip
        answer = self.desks["klara"].post("say", wish)
        statuses = tuple(each["status"] for each in answer["deliveries"])
        said = Said(scene, step, person, answer["message_id"], answer["conversation_id"], statuses)
        self.said.append(said)
        self.show(f"{person.initials} {step.get('title', scene['title'])}", len(self.said), self.total)

    def _unlist(self, step: Json, person: Person) -> None:
        """The pharmacy leaves the network after our copy of the directory was loaded."""
        self.desks["surescripts"].post(f"pharmacies/{step['ncpdp']}", {"listed": False})

    def _busy(self, step: Json, person: Person) -> None:
        self.desks["surescripts"].post(f"pharmacies/{step['ncpdp']}", {"profile": "busy"})

    def _reject_late(self, step: Json, person: Person) -> None:
        """The pharmacy's own system throws the prescription out after it was confirmed."""
        row = Dispatch.objects.filter(
            kind=DispatchKind.NEWRX, request__practice=self.practice, request__patient_external_id=person.chart_id
        ).latest("queued_at")
        self.desks["surescripts"].post("queue", {
            "type": "Error", "message_id": row.message_id, "code": "900", "description_code": "2000",
            "text": "Rejected by the pharmacy's system",
        })  # fmt: skip

    def _merge(self, step: Json, person: Person) -> None:
        survivor = person.alias(step["into"])
        self.desks["klara"].post("merge", {"practice": self.key, "gone": person.klara_id, "survivor": survivor})

    def _forge(self) -> None:
        """A post nobody at Klara signed; it must be answered 401 and leave nothing behind but an audit entry."""
        message = {"id": "msg_forged", "body": "oxycodone"}
        body = {"id": "evt_forged", "type": "message.created", "data": {"message": message}}
        answer = self.desks["klara"].post("raw", {
            "practice": self.key, "body": body, "secrets": ["whsec_bm90LXRoZS1zZWNyZXQtbm90LXRoZS1zZWNyZXQ="],
        })  # fmt: skip
        self.forged.append(int(answer["status"]))

    # waiting ---------------------------------------------------------------------------------------------------------

    def _until(self, what: str, is_so: Callable[[], bool], *, seconds: float) -> None:
        began, calm = time.monotonic(), 0
        while calm < 2:  # twice in a row: between two tables a row may be on its way
            calm = calm + 1 if is_so() else 0
            waited = time.monotonic() - began
            if waited > seconds:
                raise TookTooLong(f"not {what} after {seconds:.0f} s: {', '.join(self._left()) or 'nothing known'}")
            self.show(f"waiting until all is {what}", len(self.said), self.total)
            time.sleep(0.5)

    def _waiting(self) -> bool:
        events = InboundEvent.objects.filter(practice=self.practice, progress__in=UNREAD)
        known = set(InboundEvent.objects.filter(practice=self.practice).values_list("message_id", flat=True))
        lost = [one.message_id for one in self.said if one.message_id not in known]
        if lost and time.monotonic() - self.looked_at > LOOK_EVERY:
            self.looked_at = time.monotonic()
            tasks.reconcile_klara.delay()
        return bool(lost) or events.exists() or self._dispatches().exists()

    def _dispatches(self) -> QuerySet[Dispatch]:
        return Dispatch.objects.filter(practice=self.practice, state__in=MOVING)

    def _is_settled(self) -> bool:
        is_open = self.opens_at is not None and clock.now() > self.opens_at
        if is_open and time.monotonic() - self.released_at > LOOK_EVERY:
            self.released_at = time.monotonic()
            tasks.release_held.delay()
        return not self._waiting() and not self.requests().filter(state__in=UNSETTLED).exists()

    def requests(self) -> QuerySet[RefillRequest]:
        """The requests of this day; an earlier day may have been played on the same database."""
        return RefillRequest.objects.filter(practice=self.practice, opened_at__gte=self.began_at)

    def _left(self) -> list[str]:
        events = InboundEvent.objects.filter(practice=self.practice, progress__in=UNREAD).count()
        rows = self.requests().filter(state__in=UNSETTLED).values_list("patient_external_id", "state")
        moving = self._dispatches().values_list("kind", "state", "request__patient_external_id")
        unread = [f"{events} messages unread"] if events else []
        return [*unread, *(f"{who} {state}" for who, state in rows), *(" ".join(row) for row in moving)]
