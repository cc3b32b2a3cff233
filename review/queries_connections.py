"""What the connections pages show: state in words, secrets by fingerprint, the mirror's age, SPIs. Never a value.

Reads only our own rows; nothing here waits for a vendor or opens a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.urls import reverse

from integrations import vault
from integrations.klara import profile as profiles
from integrations.models import (
    Connection,
    ConnectionStatus,
    MirrorMedication,
    MirrorPatient,
    RefusedAddress,
    Secret,
    SecretState,
    SweepState,
    Vendor,
)
from refillhub.practices.models import Location, Practice, Provider, Spi
from review import connecting

DO_NEXT = {  # the code of an error to what a person does about it; the runbook has the longer words
    "needs_authorisation": "Connect again; work waits meanwhile and nothing is lost.",
    "NeedsAuthorisation": "Connect again; work waits meanwhile and nothing is lost.",
    "invalid_grant": "Connect again: the vendor no longer knows the authorization.",
    "invalid_client": "Compare client id and client secret with the vendor's page, then connect again.",
    "fresh_token_refused": "Connect again; if it returns, ask the vendor whether the account is suspended.",
    "refused": "Connect again.",
    "no_webhook_secret": "Add the webhook secret.",
    "NoSecret": "Add the missing secret.",
    "WrongStage": "This secret belongs to another stage; use the installation of that stage.",
    "RefusedAddress": "The address is missing or not allowed for this stage: see the installation's settings.",
    "InvalidProfile": "Choose the way of signing again and try it on a real request.",
    "bad_secret": "The webhook secret does not fit the way of signing: copy it again, or choose another way.",
    "http_401": "The vendor refused the credentials: add the right secret.",
    "http_403": "The vendor refused the right to this: look at the account's permissions there.",
    "http_404": "The vendor does not know this account or address.",
    "http_429": "Too many calls; they are spread out by themselves. Look again in a minute.",
    "throttled": "Too many calls; they are spread out by themselves. Look again in a minute.",
    "test_elsewhere": "The network tests itself with messages of its own.",
}
_NO_ANSWER = "The vendor did not answer well. Calls are repeated by themselves; if it lasts, telephone the vendor."
TONES = {
    ConnectionStatus.active: "pass",
    ConnectionStatus.new: "",
    ConnectionStatus.needs_authorisation: "stop",
    ConnectionStatus.paused: "warn",
}


@dataclass(frozen=True, slots=True)
class SecretLine:
    """One secret, as a person may know it."""

    secret: Secret
    due_on: datetime | None
    is_due: bool
    is_over: bool
    ends_soon: datetime | None


@dataclass(frozen=True, slots=True)
class SpiLine:
    """A prescriber's numbers, one cell for each location; empty where there is none."""

    provider: Provider
    cells: tuple[Spi | None, ...]


@dataclass(frozen=True, slots=True)
class MirrorShown:
    """How much of the chart is mirrored and how old it is."""

    patients: int
    medications: int
    sweeps: tuple[SweepState, ...]


@dataclass(frozen=True, slots=True)
class VendorCard:
    """One vendor on the overview; `connection` is None until it is set up."""

    vendor: Vendor
    connection: Connection | None
    tone: str = ""
    state: str = ""
    code: str = ""
    hint: str = ""
    due: Sequence[vault.Due] = ()


def connection_for(*, practice: Practice, connection_id: UUID) -> Connection:
    """The connection of this practice. Raises Http404 for any other."""
    row = Connection.objects.filter(practice=practice, pk=connection_id).first()
    if row is None:
        raise Http404
    row.practice = practice
    return row


def secret_for(*, connection: Connection, secret_id: UUID) -> Secret:
    """A secret of this connection that a person may revoke. Raises Http404 for any other."""
    row = connection.secrets.filter(pk=secret_id, kind__in=connecting.KINDS[connection.vendor]).first()
    if row is None:
        raise Http404
    return row


def cards(*, practice: Practice, now: datetime) -> list[VendorCard]:
    """The three vendors in this installation's stage."""
    rows = {row.vendor: row for row in Connection.objects.filter(practice=practice, stage=settings.STAGE)}
    due = vault.due(practice_id=practice.id, now=now)
    return [_card(vendor, rows.get(vendor), due) for vendor in Vendor]


def other_stages(*, practice: Practice) -> list[Connection]:
    """Connections this installation may neither open nor use."""
    return list(Connection.objects.filter(practice=practice).exclude(stage=settings.STAGE).order_by("vendor", "stage"))


def hint(*, code: str) -> str:
    """What to do about an error code."""
    return DO_NEXT.get(code, _NO_ANSWER) if code else ""


def state_words(*, connection: Connection) -> str:
    """The state as people say it."""
    if connection.status == ConnectionStatus.new and connection.vendor != Vendor.drchrono:
        return "Not yet switched on"
    return ConnectionStatus(connection.status).label


def standing_error(*, connection: Connection) -> str:
    """The last error's code, while nothing has succeeded since."""
    code, at, good = connection.last_error_code, connection.last_error_at, connection.last_ok_at
    return code if code and (at is None or good is None or at > good) else ""


def address_of(*, connection: Connection) -> str:
    """Where calls go, or why they may not."""
    try:
        return connection.address
    except RefusedAddress as error:
        return f"Refused: {error}"


def webhook_address(*, connection: Connection) -> str:
    """Where the vendor delivers to; empty for the network, which is asked."""
    if connection.vendor == Vendor.surescripts:
        return ""
    path = reverse(f"review:{connection.vendor}_webhook", args=[connection.endpoint_token])
    return f"{settings.PUBLIC_URL}{path}"


def redirect_address() -> str:
    """Where DrChrono sends a person back to; it must be entered there exactly."""
    return f"{settings.PUBLIC_URL}{reverse('review:drchrono_callback')}"


def secrets(*, connection: Connection, now: datetime) -> list[SecretLine]:
    """Live secrets first, then the five revoked last. Tokens are listed with them: they are secrets too."""
    live = connection.secrets.live().order_by("kind", "state", "-created_at")
    gone = connection.secrets.filter(state=SecretState.revoked).order_by("-created_at")[:5]
    return [_line(secret, now) for secret in (*live.defer("sealed"), *gone.defer("sealed"))]


def mirror(*, practice: Practice) -> MirrorShown:
    """Three counts and the sweeps' last ends."""
    return MirrorShown(
        patients=MirrorPatient.objects.filter(practice=practice).count(),
        medications=MirrorMedication.objects.filter(practice=practice, gone_at__isnull=True).count(),
        sweeps=tuple(SweepState.objects.filter(practice=practice).order_by("kind")),
    )


def spis(*, practice: Practice) -> tuple[list[Location], list[SpiLine]]:
    """Every active prescriber at every location."""
    places = list(Location.objects.filter(practice=practice).order_by("name"))
    held = {(spi.provider_id, spi.location_id): spi for spi in Spi.objects.filter(practice=practice)}
    people = Provider.objects.active().filter(practice=practice).order_by("last_name", "first_name")
    return places, [SpiLine(one, tuple(held.get((one.pk, place.pk)) for place in places)) for one in people]


def profile_name(*, connection: Connection) -> str:
    """The Klara profile's name, marked when it was changed."""
    changed = set(connection.profile) - {"profile", "base_url"}
    return str(connection.profile.get("profile", profiles.DEFAULT)) + (", with changes" if changed else "")


def _card(vendor: Vendor, connection: Connection | None, due: Sequence[vault.Due]) -> VendorCard:
    if connection is None:
        return VendorCard(vendor, None, "", "Not set up")
    code = standing_error(connection=connection)
    status = ConnectionStatus(connection.status)
    own = [one for one in due if one.connection_id == connection.pk]
    tone, state = TONES[status], state_words(connection=connection)
    if status is ConnectionStatus.active and (code or own):
        tone, state = "warn", f"{state}, needs a look"
    if status is ConnectionStatus.needs_authorisation:
        code = code or "needs_authorisation"
    return VendorCard(vendor, connection, tone, state, code, hint(code=code), own)


def _line(secret: Secret, now: datetime) -> SecretLine:
    due_on = vault.ends_on(secret=secret) if secret.state == SecretState.active else None
    return SecretLine(
        secret=secret,
        due_on=due_on,
        is_due=due_on is not None and now >= due_on - vault.REMIND_BEFORE,
        is_over=due_on is not None and now >= due_on,
        ends_soon=secret.retires_at if secret.state == SecretState.retiring else None,
    )
