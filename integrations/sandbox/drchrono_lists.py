"""Lists of the pretended DrChrono: filters, since, opaque pages, ceilings, mandatory filters, and bulk jobs."""

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

from integrations.sandbox import drchrono_checks as checks
from integrations.sandbox.drchrono_routes import Batch, Resource
from integrations.sandbox.drchrono_settings import Knobs
from integrations.sandbox.drchrono_store import Chart, Record
from integrations.sandbox.wire import Answer, Request, json_answer

MANDATORY = {
    "appointments": ("since", "occurred_since", "date", "date_range"),
    "appointments_list": ("since", "date", "date_range"),
    "audit_log": ("since", "date", "date_range"),
}
WINDOW_DAYS = 190
DAY_FIELD = {"appointments": "scheduled_time", "appointments_list": "scheduled_time", "schedule_blocks": "start_time"}
CASEFOLD = frozenset({"first_name", "last_name", "email"})
VERBOSE = {
    "patients": {
        "primary_insurance": None,
        "secondary_insurance": None,
        "tertiary_insurance": None,
        "custom_demographics": [],
        "patient_flags": [],
        "patient_flags_attached": [],
        "referring_doctor": None,
    },
    "appointments": {
        "clinical_note": None,
        "custom_fields": [],
        "reminders": [],
        "status_transitions": [],
        "custom_vitals": [],
        "extended_updated_at": None,
        "vitals": {},
    },
}


class Refused(Exception):
    """A bad filter; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def listing(*, chart: Chart, resource: Resource, request: Request, knobs: Knobs, now: datetime) -> Answer:
    """One page."""
    params = request.params
    try:
        rows = select(chart=chart, resource=resource, params=params, knobs=knobs, now=now)
    except Refused as refused:
        return refused.answer
    size = page_size(resource.name, params, knobs.get("page_ceiling", chart.key))
    paged = knobs.get("paging", chart.key) == "page"
    start = _start(rows, params, size, paged=paged)
    if start is None:
        return json_answer(404, {"detail": "Invalid cursor" if not paged else "Invalid page."})
    page = rows[start : start + size]
    more, fewer = start + size < len(rows), start > 0
    kept = {k: v for k, v in params.items() if k not in ("cursor", "page")}

    def link(place: int) -> str:
        mark = {"page": str(place // size + 1)} if paged else {"cursor": _cursor(rows[place - 1][0] if place else 0)}
        return f"{request.base_url}/api/{resource.name}?{urlencode({**mark, **kept})}"

    records = [
        shown(record, resource.name, chart, knobs, verbose=params.get("verbose") == "true") for _, record in page
    ]
    return json_answer(
        200,
        {
            "previous": link(max(0, start - size)) if fewer else None,
            knobs.get("envelope", chart.key): records,
            "next": link(start + size) if more else None,
        },
    )


def select(
    *, chart: Chart, resource: Resource, params: dict[str, str], knobs: Knobs, now: datetime
) -> list[tuple[int, Record]]:
    """Rows that pass the filters, in list order; raises Refused. Unknown filters are ignored."""
    needed = MANDATORY.get(resource.name)
    if needed and knobs.get("mandatory_filters", chart.key) and not any(params.get(name) for name in needed):
        raise Refused(json_answer(400, {"detail": f"One of {', '.join(needed)} is required."}))
    equal = {name: params[name] for name in resource.filters if params.get(name)}
    since = _since(params, resource, knobs, chart)
    days = _days(params)
    day_field = DAY_FIELD.get(resource.name, "created_at")
    own_doctor = resource.name == "doctors" and equal.pop("doctor", None)
    found = []
    for place, record in chart.table(resource.name).listed(now=now, patient=equal.get("patient")):
        if any(not _same(record.get(name), value, name) for name, value in equal.items()):
            continue
        if own_doctor and str(record["id"]) != own_doctor:
            continue
        if since and max(str(record.get("updated_at") or ""), str(record.get("created_at") or "")) < since:
            continue
        if days and not days[0] <= str(record.get(day_field) or "")[:10] <= days[1]:
            continue
        if params.get("occurred_since") and str(record.get("scheduled_time") or "") < params["occurred_since"]:
            continue
        if params.get("created_at") and str(record.get("created_at") or "")[:10] != params["created_at"][:10]:
            continue
        if record.get("deleted_flag") and params.get("show_archived") != "true":
            continue
        found.append((place, record))
    return found


def page_size(name: str, params: dict[str, str], ceiling: int | None) -> int:
    """The page size in force: wished, clamped to what the resource allows."""
    limit = 20 if name == "appointments" else 250
    if params.get("verbose") == "true":
        limit = min(50, limit) if name != "appointments" else 20
    if ceiling:
        limit = min(limit, ceiling)
    wished = params.get("page_size", "")
    return max(1, min(int(wished), limit)) if wished.isdigit() and int(wished) else limit


def shown(record: Record, name: str, chart: Chart, knobs: Knobs, *, verbose: bool = False) -> Record:
    """A record as answered: verbose fields, and what the knobs add or turn into text."""
    answer = {k: v for k, v in record.items() if k != "allow_overlapping"}
    only_verbose = VERBOSE.get(name, {})
    answer = {**only_verbose, **answer} if verbose else {k: v for k, v in answer.items() if k not in only_verbose}
    if knobs.get("unknown_fields", chart.key):
        answer = {**answer, "x_new_field": {"nested": [1, None]}, "x_null": None}
    if knobs.get("ids", chart.key) == "strings":
        for field in (
            "id",
            "patient",
            "doctor",
            "office",
            "appointment",
            "ordering_doctor",
            "task",
            "status",
            "category",
        ):
            if isinstance(answer.get(field), int):
                answer[field] = str(answer[field])
    return answer


def _start(rows: list[tuple[int, Record]], params: dict[str, str], size: int, *, paged: bool) -> int | None:
    if paged:
        page = params.get("page", "1")
        return (int(page) - 1) * size if page.isdigit() and int(page) >= 1 else None
    if not params.get("cursor"):
        return 0
    try:
        after = int(base64.urlsafe_b64decode(params["cursor"].encode()).decode().removeprefix("p="))
    except (ValueError, binascii.Error):
        return None
    return next((index for index, (place, _) in enumerate(rows) if place > after), len(rows))


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"p={place}".encode()).decode()


def _same(value: Any, wanted: str, name: str) -> bool:
    text = "" if value is None else str(value)
    return text.casefold() == wanted.casefold() if name in CASEFOLD else text == wanted


def _since(params: dict[str, str], resource: Resource, knobs: Knobs, chart: Chart) -> str:
    name = "since" if resource.since else "updated_since"
    value = params.get(name, "")
    if not value or not (resource.since or resource.name == "messages"):
        return ""
    if not checks.is_timestamp(value):
        raise Refused(json_answer(400, {name: ["Enter a valid date/time."]}))
    moment = datetime.fromisoformat(value)
    if knobs.get("since_granularity", chart.key) == "date":
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 - practice-local, without a zone by contract
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _days(params: dict[str, str]) -> tuple[str, str] | None:
    first, last = params.get("date", ""), params.get("date", "")
    name = "date"
    if params.get("date_range"):
        name = "date_range"
        first, _, last = params["date_range"].partition("/")
    if not first and not last:
        return None
    if not (checks.is_date(first) and checks.is_date(last)):
        raise Refused(json_answer(400, {name: ["Enter a valid date range."]}))
    if date.fromisoformat(last) - date.fromisoformat(first) > timedelta(days=WINDOW_DAYS):
        raise Refused(json_answer(400, {name: [f"Date range may not exceed {WINDOW_DAYS} days."]}))
    return first, last


@dataclass(slots=True)
class Job:
    """One bulk job: its records and how many polls are still unready."""

    batch: Batch
    practice: str
    records: list[Record]
    pages: dict[str, int]
    polls_left: int
    until: datetime


class Jobs:
    """The bulk jobs of one simulator; they live an hour."""

    def __init__(self, *, random: Random) -> None:
        self.random = random
        self.jobs: dict[str, Job] = {}

    def start(
        self, *, batch: Batch, resource: Resource, chart: Chart, request: Request, knobs: Knobs, now: datetime
    ) -> Answer:
        """POST: 201 with a uuid."""
        params = request.params
        try:
            rows = select(chart=chart, resource=resource, params=params, knobs=knobs, now=now)
        except Refused as refused:
            return refused.answer
        records = [shown(r, resource.name, chart, knobs, verbose=params.get("verbose") == "true") for _, r in rows]
        if params.get("order_by") == "updated_at":
            records.sort(key=lambda r: str(r.get("updated_at") or ""))
        wished, page = params.get("page_size", ""), params.get("page", "1")
        size = max(1, min(int(wished), batch.ceiling)) if wished.isdigit() else min(1000, batch.ceiling)
        number = int(page) if page.isdigit() and int(page) > 0 else 1
        count = len(records)
        pages = {"count": count, "pages": max(1, -(-count // size)), "page": number}
        records = records[(number - 1) * size : number * size] if batch.paged else records
        key = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        self.jobs[key] = Job(
            batch, chart.key, records, pages, knobs.get("batch_polls", chart.key), now + timedelta(hours=1)
        )
        return json_answer(
            201,
            {"status": "In progress", "uuid": key, "description": f"{request.base_url}/api/{batch.name}?uuid={key}"},
        )

    def poll(self, *, batch: Batch, chart: Chart, request: Request, knobs: Knobs, now: datetime) -> Answer:
        """GET ?uuid=."""
        key = request.params.get("uuid", "")
        if not key:
            return json_answer(400, {"uuid": ["This field is required."]})
        job = self.jobs.get(key)
        if job is None or job.batch.name != batch.name or job.practice != chart.key or now >= job.until:
            return json_answer(404, {"detail": "Not found."})
        if job.polls_left > 0:
            job.polls_left -= 1
            return json_answer(200, {"status": "In progress", "uuid": key})
        outcome = knobs.get("batch_outcome", chart.key)
        if outcome != "Complete":
            return json_answer(200, {"status": outcome, "uuid": key, "detail": "The report could not be made."})
        answer: dict[str, Any] = {"status": "Complete", "uuid": key, "results": job.records}
        if batch.paged:
            answer["pagination"] = job.pages
        return json_answer(200, answer)
