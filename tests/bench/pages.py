"""Pages of a busy practice, 10,000 open items and 200,000 decided: server time of each page and its queries.

Rows are copies of one item that the workflow itself made, put in by bulk; the pages read them as they would read real
ones. Time is the whole request through Django (middleware, session, template), without the network.
"""

import statistics
import time
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from refillhub.practices import clock
from review.models import Dispatch, RefillRequest
from rules.models import DecisionRecord
from tests.bench.stack import Stack
from tests.review import scene as make
from tests.review.scene import Scene

OPEN, DECIDED, BATCH, TIMES = 10_000, 200_000, 5_000, 40
PAGES = (
    ("queue", "osei", "queue"), ("card", "osei", "card"), ("together", "osei", "together"),
    ("dashboard", "mia", "today"), ("requests", "mia", "requests"), ("inspector", "mia", "timeline"),
    ("metrics", "ada", "metrics"), ("compliance", "cora", "audit"),
)  # fmt: skip


def measure(*, stack: Stack, runs: int) -> list[dict[str, Any]]:
    """For each run: p95 in milliseconds and the most queries of each page, and of approving up to the next card."""
    scene = make.set_up()
    pattern = make.waiting(scene)
    _fill(scene, pattern)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [_one(scene) for _ in range(runs)]


def _fill(scene: Scene, pattern: RefillRequest) -> None:
    now = clock.now()
    record = DecisionRecord.objects.filter(request_id=pattern.id).order_by("-at").first()
    for start in range(0, OPEN + DECIDED, BATCH):
        rows, records, sent = [], [], []
        for number in range(start, start + BATCH):
            is_open = number < OPEN
            row = RefillRequest(**{
                field.attname: getattr(pattern, field.attname) for field in RefillRequest._meta.concrete_fields
            })  # fmt: skip
            row.id = uuid.uuid4()
            row.patient_external_id, row.ingredient_key = f"bench-{number}", f"bench {number}"
            age = timedelta(minutes=number % 700) if is_open else timedelta(minutes=10 * (number - OPEN) % 120_000)
            row.asked_at = row.opened_at = row.changed_at = now - age
            row.run_out_on = (now + timedelta(days=number % 30)).date()
            if not is_open:
                row.state, row.queue, row.decided_at = "done", "", row.asked_at + timedelta(minutes=number % 90)
                row.approved_at = row.ended_at = row.decided_at
                row.is_automatic = number % 3 == 0
                row.decided_by = None if row.is_automatic else scene.osei.user
                sent.append(_sent(row, number))
            elif record is not None:
                records.append(_copied(record, row))
            rows.append(row)
        RefillRequest.objects.bulk_create(rows)
        DecisionRecord.objects.bulk_create(records)
        Dispatch.objects.bulk_create(sent)


def _sent(row: RefillRequest, number: int) -> Dispatch:
    return Dispatch(
        practice_id=row.practice_id, request=row, kind="newrx", lane="routine", schedule="not_controlled",
        state="rejected" if number % 50 == 0 else "delivered", is_shadow=False, document_sealed=b"x",
        document_sha256="0" * 64, message_id=uuid.uuid4().hex, idempotency_key=uuid.uuid4().hex,
        due_at=row.decided_at, queued_at=row.decided_at, accepted_at=row.decided_at, delivered_at=row.decided_at,
        settled_at=row.decided_at,
    )  # fmt: skip


def _copied(record: DecisionRecord, row: RefillRequest) -> DecisionRecord:
    made = DecisionRecord(**{
        field.attname: getattr(record, field.attname) for field in DecisionRecord._meta.concrete_fields
        if not field.primary_key
    })  # fmt: skip
    made.request_id, made.at = row.id, row.asked_at
    return made


def _one(scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = {}
    waiting = RefillRequest.objects.filter(practice=scene.practice, state="in_review")
    ids = list(waiting.values_list("id", flat=True)[:50])
    for name, who, url in PAGES:
        try:
            address = reverse(f"review:{url}", args=[ids[7]] if name in ("card", "inspector") else [])
        except NoReverseMatch:
            continue
        times, queries = _read(scene.client(who), address)
        found[f"{name}_p95_ms"], found[f"{name}_queries"] = _p95(times), queries
    found["approve_to_next_p95_ms"] = _p95(_approve(scene, ids))
    return found


def _read(client: Client, address: str) -> tuple[list[float], int]:
    cache.clear()
    assert client.get(address).status_code == 200, address
    with CaptureQueriesContext(connection) as caught:
        client.get(address)
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - began) * 1000)
    # What every page asks for its person (session, user, device, memberships, practice) is not the page's own.
    return times, sum(1 for one in caught.captured_queries if not _is_of_the_door(one["sql"]))


def _is_of_the_door(sql: str) -> bool:
    door = ("django_session", "otp_", "practices_user", "practices_membership", "SAVEPOINT", "practices_practice")
    return any(f'FROM "{name}' in sql or sql.startswith(name) for name in door)


def _approve(scene: Scene, ids: Sequence[uuid.UUID]) -> list[float]:
    """Posting a visit request (a decision any item allows) until the next card is there."""
    client, times = scene.client("osei"), []
    for one in ids[10:30]:
        row = RefillRequest.objects.get(pk=one)
        began = time.perf_counter()
        answer = client.post(reverse("review:ask_visit", args=[one]), make.fields(row), follow=True)
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.status_code
    return times


def _p95(times: Sequence[float]) -> float:
    return round(statistics.quantiles(times, n=20)[-1], 1)
