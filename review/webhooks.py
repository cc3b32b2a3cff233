"""Ways in for vendors: Klara's and DrChrono's webhooks. Verify, store, commit, answer; never work in the request.

The checks run in the order of the Klara contract, section 4. The sender gets a constant answer; the reason stays in the
audit trail. A database that does not answer is 503, so that the vendor's own retries carry us; never a false 202.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import wraps

from django.db import Error as DatabaseError
from django.db import close_old_connections, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from audit import log
from audit.events import Actor, ActorKind, Draft
from integrations import mirror, vault
from integrations.drchrono import reading
from integrations.drchrono import webhook as drchrono_webhook
from integrations.klara import events, profile, signing
from integrations.models import Connection, SecretKind, SecretState, Vendor
from refillhub.practices import clock
from review.group_commit import GroupCommit
from review.workflow import inbox, notices

KLARA = Actor(kind=ActorKind.vendor, id="klara")
DRCHRONO = Actor(kind=ActorKind.vendor, id="drchrono")
MAX_BODY = 256 * 1024
RETRY_AFTER_S = 60
# How long a process may use what it knows of a connection. Revoking a secret works at once all the same: the inbox asks
# again in the transaction that would store the event.
KNOWN_FOR = timedelta(seconds=30)
View = Callable[..., HttpResponse]


def _answer(status: int, word: str) -> HttpResponse:
    response = JsonResponse({"status": word}, status=status)
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _guarded(view: View) -> View:
    """Method, length and type before anything is read; a broken database is 503."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
        if request.method != "POST":
            response = _answer(405, "method_not_allowed")
            response["Allow"] = "POST"
            return response
        length = request.META.get("CONTENT_LENGTH", "")
        if not length.isdigit() or request.META.get("HTTP_TRANSFER_ENCODING"):
            return _answer(411, "length_required")
        if int(length) > MAX_BODY:
            return _answer(413, "too_large")
        if request.content_type != "application/json":
            return _answer(415, "unsupported_media_type")
        try:
            return view(request, token)
        except DatabaseError:
            close_old_connections()
            return _answer(503, "try_again")

    return guarded


class _Known:
    """What this process remembers of one endpoint for a few seconds."""

    __slots__ = ("connection", "had_others", "profile", "secrets", "until", "used")

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.secrets = vault.live(connection=connection, kind=SecretKind.webhook_secret, now=now, actor=KLARA)
        self.had_others = connection.secrets.filter(kind=SecretKind.webhook_secret, state=SecretState.revoked).exists()
        self.profile = profile.of(raw=connection.profile)
        self.until = now + KNOWN_FOR
        self.used: set[uuid.UUID] = set()

    def note_use(self, index: int, now: datetime) -> None:
        """The first hit promotes a pending secret; noted once for as long as this is remembered."""
        secret = self.secrets[index]
        if secret.secret_id not in self.used:
            vault.used(secret_id=secret.secret_id, now=now, actor=KLARA)
            self.used.add(secret.secret_id)


_known: dict[uuid.UUID, _Known] = {}


def forget() -> None:
    """Forget every endpoint this process knows (tests, rotation in this process)."""
    _known.clear()


def _endpoint(token: uuid.UUID, now: datetime) -> _Known | None:
    known = _known.get(token)
    if known is not None and known.until > now >= known.until - KNOWN_FOR:
        return known
    connection = Connection.objects.select_related("practice").filter(endpoint_token=token, vendor=Vendor.klara).first()
    if connection is None:
        _known.pop(token, None)
        return None
    _known[token] = _Known(connection, now)
    return _known[token]


@_guarded
def klara(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """One delivery of Klara. 202 after commit; 200 duplicate; 401, 404, 405, 411, 413, 415, 503 as the contract
    says.
    """
    now = clock.now()
    known = _endpoint(token, now)
    if known is None:
        return _answer(404, "not_found")
    practice = known.connection.practice
    body = request.body
    headers = [(name, value) for name, value in request.headers.items()]
    try:
        verified = signing.verify(
            headers=headers,
            body=body,
            secrets=[secret.value for secret in known.secrets],
            profile=known.profile,
            now=now,
            path=request.path,
        )
    except signing.Refused as refused:
        return _refuse(
            known=known, refused=refused, attempt=request.headers.get("X-Klara-Delivery-Attempt", ""), now=now
        )
    known.note_use(verified.secret_index, now)
    if not practice.may_take_in:
        _audit(known.connection, "webhook.rejected", "no_business_associate_agreement", now)
        return _answer(503, "try_again")
    try:
        event = events.parse(body=body, profile=known.profile, header_event_id=verified.event_id)
    except events.Unreadable as error:
        return _take(_unreadable(known, body, verified.event_id, error.reason), now)
    account = known.connection.account
    if account and event.practice_id and event.practice_id != account:
        with transaction.atomic():
            notices.alarm(practice=practice, kind="unmatched_practice", key=str(known.connection.id), now=now)
        return _take(_unreadable(known, body, event.id, "other_practice"), now)
    verified_by = known.secrets[verified.secret_index].secret_id
    arrival = inbox.arrival_of(event=event, connection=known.connection, body=body, verified_by=verified_by)
    return _take(arrival, now)


def _unreadable(known: _Known, body: bytes, event_id: str, reason: str) -> inbox.Arrival:
    return inbox.Arrival(
        practice=known.connection.practice,
        vendor=Vendor.klara,
        event_id=event_id or f"unreadable-{uuid.uuid4().hex}",
        body=body,
        is_quarantined=True,
        note=reason,
    )


def _write(group: Sequence[tuple[inbox.Arrival, datetime]]) -> list[inbox.Taken]:
    """One transaction for everything that came together; the moment is the latest of them."""
    now = max(moment for _, moment in group)
    return inbox.store_many(arrivals=[arrival for arrival, _ in group], now=now)


_door: GroupCommit[tuple[inbox.Arrival, datetime], inbox.Taken] = GroupCommit(_write)


def _take(arrival: inbox.Arrival, now: datetime) -> HttpResponse:
    taken = _door.submit((arrival, now))
    if taken == inbox.Taken.STORED:
        return _answer(202, "accepted")
    if taken == inbox.Taken.REVOKED:
        forget()
        with transaction.atomic():
            notices.alarm(practice=arrival.practice, kind="revoked_secret", key=str(arrival.verified_by), now=now)
        return _answer(401, "unauthorized")
    return _answer(200, "duplicate")


def _refuse(*, known: _Known, refused: signing.Refused, attempt: str, now: datetime) -> HttpResponse:
    """401 with a constant answer. A good signature on a stale retry hints that the account signs the event's time; one
    that fits no secret, where an older one was revoked, that somebody still uses that one (K09: its value is erased).
    """
    practice = known.connection.practice
    with transaction.atomic():
        if refused.reason == signing.Reason.no_match and known.had_others:
            notices.alarm(practice=practice, kind="revoked_secret", key=str(known.connection.id), now=now)
        if refused.signature_good and attempt.isdigit() and int(attempt) > 1:
            notices.alarm(practice=practice, kind="signs_event_time", key=str(known.connection.id), now=now)
        log.record(
            now=now,
            draft=Draft(
                practice_id=practice.id,
                event="webhook.rejected",
                actor=KLARA,
                trigger="webhook",
                outcome=str(refused.reason),
                data={"connection": str(known.connection.id)},
            ),
        )
    return _answer(401, "unauthorized")


def _audit(connection: Connection, event: str, reason: str, now: datetime) -> None:
    with transaction.atomic():
        log.record(
            now=now,
            draft=Draft(
                practice_id=connection.practice_id,
                event=event,
                actor=KLARA if connection.vendor == Vendor.klara else DRCHRONO,
                trigger="webhook",
                outcome=reason,
                data={"connection": str(connection.id)},
            ),
        )


@csrf_exempt
def drchrono(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """DrChrono's webhook: the handshake by GET, deliveries by POST; the pushed record goes to the mirror at once."""
    if request.method == "GET":
        return _handshake(request, token)
    return _drchrono_delivery(request, token)


def _handshake(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    now = clock.now()
    connection = _drchrono_connection(token)
    message = request.GET.get("msg", "")
    if connection is None or not message or len(message) > 512:
        return _answer(404, "not_found")
    secrets = vault.live(connection=connection, kind=SecretKind.webhook_secret, now=now, actor=DRCHRONO)
    if not secrets:
        return _answer(404, "not_found")
    return JsonResponse(drchrono_webhook.answer_handshake(message=message, secret=secrets[0].value))


def _drchrono_connection(token: uuid.UUID) -> Connection | None:
    return Connection.objects.select_related("practice").filter(endpoint_token=token, vendor=Vendor.drchrono).first()


@_guarded
def _drchrono_delivery(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    now = clock.now()
    connection = _drchrono_connection(token)
    if connection is None:
        return _answer(404, "not_found")
    secrets = vault.live(connection=connection, kind=SecretKind.webhook_secret, now=now, actor=DRCHRONO)
    try:
        verified = drchrono_webhook.verify(
            headers=[(name, value) for name, value in request.headers.items()],
            secrets=[secret.value for secret in secrets],
        )
        record = {} if verified.matter == drchrono_webhook.Matter.ping else drchrono_webhook.record(body=request.body)
    except drchrono_webhook.Refused as refused:
        _audit(connection, "webhook.rejected", str(refused.reason), now)
        return _answer(401, "unauthorized")
    if not connection.practice.may_take_in:
        return _answer(503, "try_again")
    vault.used(secret_id=secrets[verified.secret_index].secret_id, now=now, actor=DRCHRONO)
    mirror.note_push(connection=connection, now=now)
    try:
        _apply(connection=connection, matter=verified.matter, record=record, now=now)
    except reading.Unreadable:
        # A repeat cannot help; the polls read the record itself.
        _audit(connection, "webhook.quarantined", str(verified.matter), now)
    return _answer(202, "accepted")


def _apply(
    *, connection: Connection, matter: drchrono_webhook.Matter, record: Mapping[str, object], now: datetime
) -> None:
    if matter == drchrono_webhook.Matter.medication:
        mirror.apply_medication(connection=connection, raw=record, now=now)
    elif matter == drchrono_webhook.Matter.patient:
        mirror.apply_patient(connection=connection, raw=record, now=now)
    elif matter == drchrono_webhook.Matter.appointment:
        mirror.apply_appointment(connection=connection, found=reading.appointment(raw=record), now=now)
