"""Telling a practice's own receiver: signed so that it can verify, what each answer means, rotation without a gap."""

import importlib
import io
from datetime import timedelta

import pytest
import requests
from requests import adapters

from audit.models import Entry
from integrations import http, receivers
from integrations.klara import profile, signing
from integrations.outcome import OutcomeKind
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
URL = "https://pager.test/hooks"


def load(name):
    return importlib.import_module(name)


class Other(adapters.BaseAdapter):
    """The receiver: keeps what came, answers as it is told."""

    def __init__(self):
        super().__init__()
        self.status, self.error, self.got = 200, None, []

    def send(self, request, **_more):
        self.got.append(request)
        if self.error:
            raise self.error
        answer = requests.Response()
        answer.status_code, answer.raw, answer.request, answer.url = self.status, io.BytesIO(b""), request, request.url

        return answer

    def close(self):
        """Nothing to close."""


@pytest.fixture
def other():
    adapter = Other()
    http.mount("https://pager.test", adapter)
    yield adapter
    http.unmount("https://pager.test")


@pytest.fixture
def practice():
    return load("tests.review.rows").make_practice()


def registered(practice, **more):
    wish = {"url": URL, "wants_pages": True, "wants_changes": True, **more}
    return receivers.register(practice=practice, now=NOW, actor=load("review.ledger").SYSTEM, **wish)


def tell(row, **more):
    row = receivers.of(practice_id=row.practice_id)
    return receivers.tell(receiver=row, event_id="evt_1", kind="page", data={"request": "r"}, now=NOW, **more)


def verified(request, secret, now=NOW):
    return signing.verify(
        body=request.body, headers=list(request.headers.items()), secrets=[secret],
        profile=profile.builtin(name=receivers.SCHEME), now=now, path="/hooks",
    )  # fmt: skip


def test_the_receiver_can_verify_it(other, practice):
    row, secret = registered(practice)
    assert tell(row).kind is OutcomeKind.DELIVERED
    (request,) = other.got
    assert verified(request, secret).event_id == "evt_1"
    assert request.headers["webhook-id"] == "evt_1"
    with pytest.raises(signing.Refused):
        verified(request, "whsec_" + "QUJD" * 10)
    assert secret.encode() not in request.body
    assert secret not in str(Entry.objects.values_list("body", flat=True))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, "delivered"), (204, "delivered"), (302, "rejected"), (400, "rejected"), (401, "rejected"), (410, "rejected"),
     (429, "not_sent"), (500, "not_sent"), (503, "not_sent")],
)  # fmt: skip
def test_what_an_answer_means(other, practice, status, kind):
    row, _ = registered(practice)
    other.status = status
    assert tell(row).kind == kind
    row.refresh_from_db()
    assert bool(row.last_ok_at) is (kind == "delivered")


def test_a_broken_connection_is_not_sent_or_unknown_and_never_an_error(other, practice):
    row, _ = registered(practice)
    other.error = requests.exceptions.ReadTimeout()
    assert tell(row).kind is OutcomeKind.UNKNOWN
    other.error = requests.exceptions.ConnectTimeout()
    assert tell(row).kind is OutcomeKind.NOT_SENT


def test_while_one_secret_replaces_another_both_verify_and_then_only_the_new_one(other, practice):
    row, old = registered(practice)
    new = receivers.rotate(receiver=row, now=NOW, actor=load("review.ledger").SYSTEM)
    tell(row)
    assert verified(other.got[-1], old)
    assert verified(other.got[-1], new)
    fresh = receivers.of(practice_id=practice.id)
    later = NOW + timedelta(hours=25)
    receivers.tell(receiver=fresh, event_id="evt_2", kind="page", data={}, now=later)
    assert verified(other.got[-1], new, now=later)
    with pytest.raises(signing.Refused):
        verified(other.got[-1], old, now=later)


@pytest.mark.parametrize("url", ["http://pager.test/", "ftp://x", "pager.test", "https://me:secret@pager.test/", ""])
def test_an_address_that_cannot_be_is_refused_by_name(practice, url):
    with pytest.raises(receivers.BadAddress, match="https"):
        registered(practice, url=url)


def test_setting_another_ends_the_first(practice):
    first, _ = registered(practice)
    second, _ = registered(practice, url="https://pager.test/other")
    assert receivers.of(practice_id=practice.id) == second
    receivers.stop(receiver=second, now=NOW, actor=load("review.ledger").SYSTEM)
    assert receivers.of(practice_id=practice.id) is None
    first.refresh_from_db()
    assert not first.is_active
