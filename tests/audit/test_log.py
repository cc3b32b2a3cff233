"""The writer, the trigger and verification against real PostgreSQL."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError

from audit import log, verification
from audit.chain import FaultKind
from audit.events import Draft
from audit.models import Entry, Head

Make = Callable[..., Draft]


def _address() -> dict[str, Any]:
    told = connection.get_connection_params()
    return {name: told[name] for name in ("dbname", "user", "password", "host", "port") if name in told}


def write(now: datetime, *drafts: Draft) -> None:
    with transaction.atomic():
        log.record_many(now=now, drafts=drafts)


@pytest.mark.django_db
def test_entries_are_numbered_and_linked_per_practice(now: datetime, a_draft: Make) -> None:
    other = uuid.uuid4()
    write(now, a_draft(), a_draft(practice_id=other), a_draft(), a_draft(event="request.sent"))
    mine = list(Entry.objects.exclude(practice_id=other).order_by("number"))
    assert [entry.number for entry in mine] == [1, 2, 3]
    assert [entry.previous_hash for entry in mine[1:]] == [entry.hash for entry in mine[:-1]]
    assert Head.objects.get(practice_id=mine[0].practice_id).hash == mine[-1].hash
    assert mine[0].at == now
    assert all(report.verified.fault is None for report in verification.verify_all())


@pytest.mark.django_db
def test_an_unknown_event_is_refused_and_nothing_is_written(now: datetime, a_draft: Make) -> None:
    with pytest.raises(log.UnknownEvent):
        write(now, a_draft(), a_draft(event="request.invented"))
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_connection_cut_while_entries_are_written_is_an_error_of_django(
    now: datetime, a_draft: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answers 503 for a broken database knows Django's errors, not the driver's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        own = cursor.fetchone()[0]

    wrote = psycopg.Copy.write_row

    def cut_then_write(copy: Any, row: Any) -> None:
        with psycopg.connect(**_address()) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [own])
        wrote(copy, row)

    monkeypatch.setattr(psycopg.Copy, "write_row", cut_then_write)
    with pytest.raises(DatabaseError):
        write(now, a_draft())
    connection.close()
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_nothing_is_recorded(now: datetime, a_draft: Make) -> None:
    with pytest.raises(log.NoTransaction):
        log.record(now=now, draft=a_draft())
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_takes_its_entry_along(now: datetime, a_draft: Make, practice_id: uuid.UUID) -> None:
    write(now, a_draft())

    def change_and_fail() -> None:
        with transaction.atomic():
            log.record(now=now, draft=a_draft())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    write(now, a_draft())
    verified = verification.verify_one(practice_id=practice_id).verified
    assert (verified.entries, verified.fault) == (2, None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET event = 'request.denied'",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET number = number - 1",
        "UPDATE audit_head SET hash = repeat('0', 64)",
    ],
)
def test_the_database_refuses_to_alter_the_trail(now: datetime, a_draft: Make, statement: str) -> None:
    write(now, a_draft(), a_draft())
    with (
        pytest.raises(DatabaseError, match=r"append-only|only moves forward"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.django_db
def test_emptying_the_trail_is_guarded_by_triggers_outside_test_databases(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgtype & 32 = 32 AND tgenabled = 'O'"
        )
        assert {("audit_entry_no_truncate", "audit_entry"), ("audit_head_no_truncate", "audit_head")} <= set(
            cursor.fetchall()
        )
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'audit_refuse'")
        assert "current_database() LIKE 'test\\_%'" in cursor.fetchone()[0]


def tamper(*statements: str) -> None:
    """As the owner of the database could: without the triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("audit_entry", "audit_head"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in ("audit_entry", "audit_head"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statements", "number", "kind"),
    [
        (
            ["UPDATE audit_entry SET body = replace(body, 'approved', 'denied  ') WHERE number = 3"],
            3,
            FaultKind.changed,
        ),
        (["UPDATE audit_entry SET patient_ref = 'p_other' WHERE number = 2"], 2, FaultKind.changed),
        (["UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE number = 4"], 4, FaultKind.changed),
        (["DELETE FROM audit_entry WHERE number = 2"], 2, FaultKind.missing),
        (["DELETE FROM audit_entry WHERE number >= 4"], 4, FaultKind.cut_off),
        (["DELETE FROM audit_head"], 5, FaultKind.cut_off),
        (
            [
                "UPDATE audit_entry SET number = 99 WHERE number = 2",
                "UPDATE audit_entry SET number = 2 WHERE number = 3",
                "UPDATE audit_entry SET number = 3 WHERE number = 99",
            ],
            2,
            FaultKind.reordered,
        ),
    ],
)
def test_each_kind_of_tampering_is_named(
    now: datetime, a_draft: Make, practice_id: uuid.UUID, statements: list[str], number: int, kind: FaultKind
) -> None:
    write(now, *[a_draft() for _ in range(5)])
    tamper(*statements)
    fault = verification.verify_one(practice_id=practice_id).verified.fault
    assert fault is not None
    assert (fault.number, fault.kind) == (number, kind)


@pytest.mark.django_db
def test_the_command_ends_with_1_and_names_the_entry(now: datetime, a_draft: Make, practice_id: uuid.UUID) -> None:
    write(now, *[a_draft() for _ in range(3)])
    told = StringIO()
    call_command("verify_audit", stdout=told)
    assert "3 entries of 1 practices" in told.getvalue()
    assert "whole" in told.getvalue()
    tamper("UPDATE audit_entry SET event = 'request.denied' WHERE number = 2")
    wrong = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", stdout=told, stderr=wrong)
    assert ended.value.code == 1
    assert f"practice {practice_id}: entry 2 changed" in wrong.getvalue()


@pytest.mark.django_db(transaction=True)
def test_many_writers_of_one_practice_leave_no_gap(now: datetime, a_draft: Make, practice_id: uuid.UUID) -> None:
    writers, each, problems = 8, 12, []
    others = sorted(uuid.uuid4() for _ in range(3))

    def work() -> None:
        try:
            for turn in range(each):
                write(now, a_draft(practice_id=others[turn % 3]), a_draft(), a_draft(practice_id=others[-1 - turn % 3]))
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert problems == []
    reports = list(verification.verify_all())
    assert [report.verified.fault for report in reports] == [None] * 4
    assert sum(report.verified.entries for report in reports) == writers * each * 3
    assert verification.verify_one(practice_id=practice_id).verified.number == writers * each
