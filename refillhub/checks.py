"""What `manage.py check --deploy` refuses: anything that must never stand beside real patients.

Debugging, secrets that are missing or known, a shifted clock, pretended vendors beside a production practice, an
audit table without its triggers. Plain `check` warns of an old drug vocabulary. Reads settings and database; changes
nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connection

from integrations import models
from integrations.models import Connection
from refillhub.practices import clock
from refillhub.practices.models import Practice
from rules import vocabulary
from rules.intake import tables
from rules.releases import keeping

VENDOR_SETTINGS = ("DRCHRONO_BASE_URL", "KLARA_BASE_URL", "SURESCRIPTS_BASE_URL")
AUDIT_TRIGGERS = {
    "audit_entry_append_only",
    "audit_entry_no_truncate",
    "audit_head_kept",
    "audit_head_no_truncate",
    "audit_head_forward_only",
}
KNOWN_MARK = "debug-only"


@register(Tags.security, deploy=True)
def check_debugging(app_configs: Sequence[Any] | None, **_later: Any) -> list[CheckMessage]:
    """Refuse DEBUG, plain http and readable logs."""
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(Error("DEBUG is on.", hint="Set DEBUG=0.", id="refillhub.E001"))
    if settings.PLAIN_HTTP:
        found.append(
            Error(
                "PLAIN_HTTP is on: sessions travel unprotected.",
                hint="Set PLAIN_HTTP=0 and put TLS in front.",
                id="refillhub.E002",
            )
        )
    if settings.DEMO:
        found.append(Error("DEMO is on.", hint="Unset DEMO.", id="refillhub.E003"))
    return found


@register(Tags.security, deploy=True)
def check_secrets(app_configs: Sequence[Any] | None, **_later: Any) -> list[CheckMessage]:
    """Refuse missing secrets and those that stand in the source."""
    found: list[CheckMessage] = []
    if not settings.SECRET_KEY or settings.SECRET_KEY.startswith(KNOWN_MARK):
        found.append(Error("SECRET_KEY is the one of the source.", id="refillhub.E010"))
    keys = settings.SEALING_KEYS
    if not keys or any(key.startswith(KNOWN_MARK.encode()) for _, key in keys):
        found.append(Error("SEALING_KEYS is missing or the one of the source.", id="refillhub.E011"))
    if not settings.EXPORT_SIGNING_KEY or settings.EXPORT_SIGNING_KEY.startswith("ZGVidWctb25seS"):
        found.append(Error("EXPORT_SIGNING_KEY is missing or the one of the source.", id="refillhub.E012"))
    return found


@register(Tags.security, deploy=True)
def check_clock(app_configs: Sequence[Any] | None, **_later: Any) -> list[CheckMessage]:
    """Refuse a shifted clock, whatever the vendors are."""
    if settings.CLOCK_OFFSET_SECONDS:
        return [Error("CLOCK_OFFSET_SECONDS is not 0.", hint="Only the demo may shift its clock.", id="refillhub.E020")]
    return []


@register(Tags.security)
def check_shifted_clock_stays_home(app_configs: Sequence[Any] | None, **_later: Any) -> list[CheckMessage]:
    """Refuse, at every start and not only before deployment, a shifted clock beside a vendor out in the world."""
    if not settings.CLOCK_OFFSET_SECONDS:
        return []
    abroad = [name for name in VENDOR_SETTINGS if not clock.is_loopback(getattr(settings, name))]
    return [Error(f"CLOCK_OFFSET_SECONDS is set and {name} is not loopback.", id="refillhub.E021") for name in abroad]


@register(Tags.security)
def check_signing_stays_home(app_configs: Sequence[Any] | None, **_later: Any) -> list[CheckMessage]:
    """Refuse, at every start, signing controlled prescriptions here beside a vendor out in the world (1311.100)."""
    if not settings.EPCS_NATIVE_SIGNING:
        return []
    rows: list[Connection] = []
    found: list[CheckMessage] = []
    try:
        rows = list(Connection.objects.exclude(base_url=""))
    except DatabaseError:
        again = "They are looked at again before each signing."
        found.append(Warning("Connections could not be read.", hint=again, id="refillhub.W071"))
    found += [
        Error(
            f"EPCS_NATIVE_SIGNING is on and {name} is not a stand-in.",
            hint="Only certified software signs for real: unset it and leave controlled drugs to the chart's task.",
            id="refillhub.E070",
        )
        for name in models.abroad(rows)
    ]
    return found


@register(Tags.security, deploy=True)
def check_vendors(app_configs: Sequence[Any] | None, **_later: Any) -> list[CheckMessage]:
    """Refuse pretended vendors while a production practice exists, and plain http to a real one."""
    try:
        return list(_vendor_findings())
    except DatabaseError as error:
        return [_unreadable(error)]


def _vendor_findings() -> Iterator[CheckMessage]:
    addresses = [(name, getattr(settings, name)) for name in VENDOR_SETTINGS]
    addresses += [
        (f"connection {row.pk} ({row.vendor})", row.base_url)
        for row in Connection.objects.exclude(base_url="").order_by("pk")
    ]
    for name, address in addresses:
        parts = urlsplit(address)
        if not clock.is_loopback(address) and parts.scheme != "https":
            yield Error(f"{name} calls a vendor without TLS.", hint="Use https.", id="refillhub.E030")
    has_production = (
        settings.STAGE == "production"
        or Practice.objects.filter(stage=Practice.Stage.production).exists()
        or Connection.objects.filter(stage="production").exists()
    )
    if not has_production:
        return
    for name, address in addresses:
        if clock.is_loopback(address):
            yield Error(f"{name} is a loopback address beside a production practice.", id="refillhub.E031")
        elif (urlsplit(address).hostname or "").endswith(".invalid"):
            # The vendor has no public address: each connection must carry the one its contract names.
            yield Warning(f"{name} is a placeholder; give each connection its own address.", id="refillhub.W032")


@register(Tags.security, deploy=True)
def check_audit_triggers(app_configs: Sequence[Any] | None, **_later: Any) -> list[CheckMessage]:
    """Refuse an audit table that could be rewritten."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')")
            present = {name for (name,) in cursor.fetchall()}
    except DatabaseError as error:
        return [_unreadable(error)]
    return [
        Error(f"The audit trigger {name} is missing or disabled.", hint="Run manage.py migrate.", id="refillhub.E040")
        for name in sorted(AUDIT_TRIGGERS - present)
    ]


@register("vocabulary")
def check_vocabulary(app_configs: Sequence[Any] | None, **_later: Any) -> list[CheckMessage]:
    """Warn of a drug vocabulary past its age; one query, none in the demo, whose patients are pretended."""
    if settings.DEMO:
        return []
    shipped = date.fromisoformat(tables.shipped().release)
    try:
        row = keeping.in_force()
    except DatabaseError:  # not migrated, or not there: then the shipped one is in force
        row = None
    release = row.released_on if row is not None else shipped
    found: list[CheckMessage] = []
    past = vocabulary.days_past(release=release, today=clock.now().date())
    if past:
        found.append(
            Warning(
                f"The drug vocabulary is RxNorm of {release}, {past} days older than it should be.",
                hint="Fetch the latest release from NLM and run manage.py load_rxnorm PATH (docs/vocabulary.md).",
                id="refillhub.W060",
            )
        )
    if row is not None and release < shipped:
        found.append(
            Warning(
                f"The drug vocabulary in force ({release}) is older than the one this version ships ({shipped}).",
                hint="Load a newer release: manage.py load_rxnorm PATH.",
                id="refillhub.W061",
            )
        )
    return found


def _unreadable(error: DatabaseError) -> CheckMessage:
    return Error(
        f"The database could not be asked ({type(error).__name__}).",
        hint="Check DATABASE_URL and run manage.py migrate.",
        id="refillhub.E050",
    )
