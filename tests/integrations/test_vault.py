"""The vault: sealed at rest, opened only in its own place, every opening on record."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.db import transaction

from audit.events import Actor, ActorKind
from audit.models import Entry
from integrations import models, vault
from integrations.models import SecretKind, SecretState
from refillhub.practices import sealing
from refillhub.practices.models import Practice

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)
JOB = Actor(ActorKind.system, "test")
MIA = Actor(ActorKind.person, "5d3f0d3c-0000-4000-8000-000000000001")


def practice(slug="elm"):
    return Practice.objects.create(name=slug, slug=slug, stage="dev")


def connection(owner=None, **more):
    given = {"vendor": "klara", "stage": "dev", "base_url": "http://127.0.0.1:9/v1"} | more
    return models.Connection.objects.create(practice=owner or practice(), **given)


@pytest.fixture(autouse=True)
def _fresh():
    vault.forget()


def events(name):
    return list(Entry.objects.filter(event=name))


def test_a_stored_secret_is_not_in_the_row_and_comes_back_whole():
    line = connection()
    secret = vault.store(connection=line, kind=SecretKind.api_key, value="canary-api-key", now=NOW, actor=MIA)
    with database.cursor() as cursor:
        cursor.execute("SELECT sealed, fingerprint FROM integrations_secret")
        sealed, fingerprint = cursor.fetchone()
    assert b"canary" not in bytes(sealed)
    assert len(fingerprint) == 8
    assert vault.read(connection=line, kind=SecretKind.api_key, now=NOW, actor=JOB) == "canary-api-key"
    assert secret.state == SecretState.active


def test_each_unsealing_is_audited_and_the_process_remembers_for_five_minutes():
    line = connection()
    vault.store(connection=line, kind=SecretKind.api_key, value="v", now=NOW, actor=MIA)
    for seconds in (0, 1, 299):
        vault.read(connection=line, kind=SecretKind.api_key, now=NOW + timedelta(seconds=seconds), actor=JOB)
    assert len(events("secret.read")) == 1
    vault.read(connection=line, kind=SecretKind.api_key, now=NOW + timedelta(seconds=300), actor=JOB)
    assert len(events("secret.read")) == 2


def test_the_audit_entry_names_the_secret_and_never_its_value():
    line = connection()
    vault.store(connection=line, kind=SecretKind.api_key, value="canary-value", now=NOW, actor=MIA)
    vault.read(connection=line, kind=SecretKind.api_key, now=NOW, actor=JOB)
    for entry in Entry.objects.all():
        assert "canary-value" not in str(entry.__dict__)


@pytest.mark.django_db(transaction=True)
def test_reading_inside_a_transaction_is_an_error():
    line = connection()
    vault.store(connection=line, kind=SecretKind.api_key, value="v", now=NOW, actor=MIA)
    with pytest.raises(RuntimeError), transaction.atomic():
        vault.read(connection=line, kind=SecretKind.api_key, now=NOW, actor=JOB)


def test_a_sealed_value_copied_to_another_practice_row_or_stage_does_not_open():
    mine, other = connection(), connection(practice("oak"))
    good = vault.store(connection=mine, kind=SecretKind.api_key, value="v", now=NOW, actor=MIA)
    theirs = vault.store(connection=other, kind=SecretKind.api_key, value="w", now=NOW, actor=MIA)
    models.Secret.objects.filter(pk=theirs.pk).update(sealed=bytes(good.sealed))
    with pytest.raises(sealing.SealBroken):
        vault.read(connection=other, kind=SecretKind.api_key, now=NOW, actor=JOB)
    models.Connection.objects.filter(pk=mine.pk).update(stage="staging")
    settings_stage = settings.STAGE
    try:
        settings.STAGE = "staging"
        with pytest.raises(sealing.SealBroken):
            vault.read(
                connection=models.Connection.objects.get(pk=mine.pk), kind=SecretKind.api_key, now=NOW, actor=JOB
            )
    finally:
        settings.STAGE = settings_stage


def test_a_dev_installation_never_opens_a_production_secret():
    line = connection(stage="production", base_url="https://klara.practice.org/v1")
    vault.store(connection=line, kind=SecretKind.api_key, value="v", now=NOW, actor=MIA)
    with pytest.raises(vault.WrongStage):
        vault.read(connection=line, kind=SecretKind.api_key, now=NOW, actor=JOB)
    assert not events("secret.read")


def test_displaying_is_audited_every_time():
    line = connection()
    secret = vault.store(connection=line, kind=SecretKind.webhook_secret, value="shown", now=NOW, actor=MIA)
    for _ in range(2):
        assert vault.display(secret=secret, now=NOW, actor=MIA) == "shown"
    assert len(events("secret.displayed")) == 2


def test_rotation_accepts_both_promotes_on_first_hit_and_revokes_once_unused():
    line = connection()
    kind = SecretKind.webhook_secret
    old = vault.store(connection=line, kind=kind, value="old", now=NOW, actor=MIA)
    new = vault.add_pending(connection=line, kind=kind, value="new", now=NOW, actor=MIA)
    accepted = vault.live(connection=line, kind=kind, now=NOW, actor=JOB)
    assert [each.value for each in accepted] == ["old", "new"]

    vault.used(secret_id=new.pk, now=NOW + timedelta(hours=1), actor=JOB)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state) == (SecretState.retiring, SecretState.active)
    assert len(vault.live(connection=line, kind=kind, now=NOW, actor=JOB)) == 2

    vault.used(secret_id=old.pk, now=NOW + timedelta(days=7), actor=JOB)
    after = NOW + timedelta(days=8)
    assert vault.retire_due(now=after, actor=JOB) == [old.pk]  # still in use: an alarm, not a revocation
    assert vault.retire_due(now=after + timedelta(days=2), actor=JOB) == []
    assert [each.value for each in vault.live(connection=line, kind=kind, now=after, actor=JOB)] == ["new"]


def test_an_emergency_revocation_counts_at_once_even_for_a_remembered_value():
    line = connection()
    secret = vault.store(connection=line, kind=SecretKind.webhook_secret, value="leaked", now=NOW, actor=MIA)
    assert vault.live(connection=line, kind=SecretKind.webhook_secret, now=NOW, actor=JOB)
    vault.revoke(secret_id=secret.pk, now=NOW, actor=MIA)
    assert vault.live(connection=line, kind=SecretKind.webhook_secret, now=NOW, actor=JOB) == []
    secret.refresh_from_db()
    assert bytes(secret.sealed) == b""


@pytest.mark.parametrize("add", [vault.add_pending, vault.store])
def test_a_fifth_live_secret_is_refused(add):
    line = connection()
    for number in range(4):
        add(connection=line, kind=SecretKind.webhook_secret, value=str(number), now=NOW, actor=MIA)
    with pytest.raises(vault.TooManyLive):
        add(connection=line, kind=SecretKind.webhook_secret, value="5", now=NOW, actor=MIA)
    assert len(vault.live(connection=line, kind=SecretKind.webhook_secret, now=NOW, actor=JOB)) == 4


def test_what_is_due_is_listed_fifteen_days_ahead():
    line = connection()
    vault.store(connection=line, kind=SecretKind.webhook_secret, value="v", now=NOW, actor=MIA)
    assert vault.due(practice_id=line.practice_id, now=NOW + timedelta(days=74)) == []
    near = vault.due(practice_id=line.practice_id, now=NOW + timedelta(days=75))
    assert [item.overdue for item in near] == [False]
    assert vault.due(practice_id=line.practice_id, now=NOW + timedelta(days=90))[0].overdue


def test_nothing_unsealed_shows_in_a_repr():
    line = connection()
    vault.store(connection=line, kind=SecretKind.webhook_secret, value="canary-repr", now=NOW, actor=MIA)
    found = vault.live(connection=line, kind=SecretKind.webhook_secret, now=NOW, actor=JOB)
    assert "canary-repr" not in repr(found) + repr(vault._cache)


def test_payloads_open_only_for_their_practice_and_purpose():
    owner = practice()
    sealed = vault.seal_payload(plain=b"hello", practice_id=owner.pk, stage="dev", purpose="event:1")
    assert vault.open_payload(sealed=sealed, practice_id=owner.pk, stage="dev", purpose="event:1") == b"hello"
    with pytest.raises(sealing.SealBroken):
        vault.open_payload(sealed=sealed, practice_id=owner.pk, stage="dev", purpose="event:2")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8123",
        "https://localhost/v1",
        "https://klara-sandbox.invalid/v1",
        "https://sandbox.vendor.com",
        "https://[::1]/",
    ],
)
def test_a_production_connection_refuses_sandbox_and_loopback_addresses(address):
    line = models.Connection(practice=practice(), vendor="klara", stage="production", base_url=address)
    with pytest.raises(models.RefusedAddress):
        _ = line.address
    with pytest.raises(ValidationError):
        line.full_clean()


def test_a_production_connection_needs_https():
    line = models.Connection(practice=practice(), vendor="klara", stage="production", base_url="http://api.klara.com")
    with pytest.raises(ValidationError):
        line.full_clean()
