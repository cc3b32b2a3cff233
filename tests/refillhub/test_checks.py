"""`check --deploy` refuses what must not stand beside patients; `check` warns of an old vocabulary."""

from datetime import UTC, date, datetime

import pytest
from django.core.checks import CheckMessage
from django.db import DatabaseError, connection

from integrations.models import Connection
from refillhub import checks
from refillhub.practices import clock
from refillhub.practices.models import Practice
from rules.models import Vocabulary
from rules.releases import keeping

REAL = {
    "DRCHRONO_BASE_URL": "https://app.drchrono.com",
    "KLARA_BASE_URL": "https://api.klara.example",
    "SURESCRIPTS_BASE_URL": "https://network.example",
}


def ids(found: list[CheckMessage]) -> set[str | None]:
    return {message.id for message in found}


def configure(settings: object, **values: object) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


def test_debugging_plain_http_and_the_demo_are_refused(settings: object) -> None:
    configure(settings, DEBUG=True, PLAIN_HTTP=True, DEMO=True)
    assert ids(checks.check_debugging(None)) == {"refillhub.E001", "refillhub.E002", "refillhub.E003"}
    configure(settings, DEBUG=False, PLAIN_HTTP=False, DEMO=False)
    assert not checks.check_debugging(None)


def test_the_secrets_of_the_source_are_refused(settings: object) -> None:
    assert ids(checks.check_secrets(None)) == {"refillhub.E010", "refillhub.E011", "refillhub.E012"}
    configure(settings, SECRET_KEY="s" * 60, SEALING_KEYS=(("a", b"7" * 32),), EXPORT_SIGNING_KEY="QUJD")
    assert not checks.check_secrets(None)


@pytest.mark.django_db
def test_signing_here_is_refused_at_every_start_beside_a_real_vendor(settings: object) -> None:
    assert not checks.check_signing_stays_home(None)
    configure(settings, EPCS_NATIVE_SIGNING=True)
    assert not checks.check_signing_stays_home(None)
    configure(settings, SURESCRIPTS_BASE_URL=REAL["SURESCRIPTS_BASE_URL"].replace("example", "com"))
    assert ids(checks.check_signing_stays_home(None)) == {"refillhub.E070"}


def test_a_shifted_clock_is_refused_and_never_stands_beside_a_real_vendor(settings: object) -> None:
    configure(settings, CLOCK_OFFSET_SECONDS=60)
    assert ids(checks.check_clock(None)) == {"refillhub.E020"}
    assert not checks.check_shifted_clock_stays_home(None)
    configure(settings, KLARA_BASE_URL=REAL["KLARA_BASE_URL"])
    assert ids(checks.check_shifted_clock_stays_home(None)) == {"refillhub.E021"}


@pytest.mark.django_db
def test_a_production_practice_may_not_stand_beside_pretended_vendors(settings: object) -> None:
    practice = Practice.objects.create(name="A", slug="a", time_zone="America/New_York")
    assert not checks.check_vendors(None)
    Practice.objects.filter(pk=practice.pk).update(stage=Practice.Stage.production)
    assert ids(checks.check_vendors(None)) == {"refillhub.E031"}
    configure(settings, **REAL)
    assert not checks.check_vendors(None)


@pytest.mark.django_db
def test_a_connection_of_its_own_address_is_looked_at_too(settings: object) -> None:
    configure(settings, **REAL, STAGE="production")
    practice = Practice.objects.create(name="A", slug="a", time_zone="America/New_York")
    Connection.objects.create(practice=practice, vendor="klara", stage="staging", base_url="http://127.0.0.1:8802")
    Connection.objects.create(practice=practice, vendor="drchrono", stage="staging", base_url="http://chart.example")
    assert ids(checks.check_vendors(None)) == {"refillhub.E030", "refillhub.E031"}


@pytest.mark.django_db
def test_a_missing_or_disabled_audit_trigger_is_refused() -> None:
    assert not checks.check_audit_triggers(None)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only")
    assert ids(checks.check_audit_triggers(None)) == {"refillhub.E040"}


def in_force(released_on: date) -> None:
    now = datetime(2026, 11, 10, tzinfo=UTC)
    Vocabulary.objects.create(released_on=released_on, state="current", sources={}, started_at=now, loaded_at=now)


@pytest.mark.django_db
def test_an_old_vocabulary_is_warned_of(monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 10, tzinfo=UTC))
    found = checks.check_vocabulary(None)
    assert ids(found) == {"refillhub.W060"}
    assert "RxNorm of 2025-10-06, 280 days older than it should be" in found[0].msg
    assert "load_rxnorm" in str(found[0].hint)
    configure(settings, DEMO=True)
    assert not checks.check_vocabulary(None)
    configure(settings, DEMO=False)
    in_force(date(2026, 7, 13))
    assert not checks.check_vocabulary(None)
    Vocabulary.objects.update(released_on=date(2026, 7, 12))
    assert "2026-07-12, 1 days" in checks.check_vocabulary(None)[0].msg
    Vocabulary.objects.update(released_on=date(2025, 9, 1))
    assert ids(checks.check_vocabulary(None)) == {"refillhub.W060", "refillhub.W061"}


def test_the_age_of_the_shipped_vocabulary_is_told_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> None:
        raise DatabaseError("not migrated")

    monkeypatch.setattr(keeping, "in_force", silent)
    monkeypatch.setattr(clock, "now", lambda: datetime(2025, 11, 10, tzinfo=UTC))
    assert not checks.check_vocabulary(None)
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 10, tzinfo=UTC))
    assert ids(checks.check_vocabulary(None)) == {"refillhub.W060"}
