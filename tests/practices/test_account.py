"""A person's own second factor is renewed only with a fresh code; the agreement is recorded by the administrator."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import Entry
from refillhub.practices import otp
from refillhub.practices.models import Practice, User
from tests.practices.test_door import code_of, events

Desk = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _stopped(now: datetime, set_clock: Callable[[datetime], None]) -> None:
    set_clock(now)


def fresh(user: User) -> str:
    return code_of(TOTPDevice.objects.get(user=user, confirmed=True))


def test_new_recovery_codes_are_shown_once_and_void_the_old(practice: Practice, mia: User, at_the_desk: Desk) -> None:
    old = otp.renew_recovery_codes(user=mia)
    client = at_the_desk(mia)
    answer = client.post("/account/recovery-codes/", {"codes-code": fresh(mia)})
    assert answer.status_code == 200
    kept = set(StaticToken.objects.filter(device__user=mia).values_list("token", flat=True))
    assert len(kept) == 10
    assert kept.isdisjoint(old)
    assert all(code in answer.text for code in kept)
    again = client.get("/account/").text
    assert "10 left" in again
    assert not [code for code in kept if code in again]
    assert events(practice)[-1] == "recovery_codes.renewed"


def test_a_wrong_or_used_code_renews_nothing(practice: Practice, mia: User, at_the_desk: Desk) -> None:
    old = otp.renew_recovery_codes(user=mia)
    client, code = at_the_desk(mia), fresh(mia)
    for posted in ("", "000000" if code != "000000" else "111111"):
        answer = client.post("/account/recovery-codes/", {"codes-code": posted})
        assert answer.status_code == 422
        assert "Error:" in answer.text
    assert set(StaticToken.objects.filter(device__user=mia).values_list("token", flat=True)) == set(old)
    assert events(practice)[-1] == "sign_in.failed"
    device = TOTPDevice.objects.get(user=mia)
    assert device.throttling_failure_count == 1


def test_one_code_does_not_count_for_two_changes(mia: User, at_the_desk: Desk) -> None:
    client, code = at_the_desk(mia), fresh(mia)
    assert client.post("/account/recovery-codes/", {"codes-code": code}).status_code == 200
    assert client.post("/account/device/", {"device-code": code}).status_code == 422
    assert otp.is_enrolled(user=mia)


def test_replacing_the_device_shuts_every_browser_out_until_another_is_set_up(
    practice: Practice, mia: User, osei: User, at_the_desk: Desk
) -> None:
    elsewhere, client = at_the_desk(mia), at_the_desk(mia)
    answer = client.post("/account/device/", {"device-code": fresh(mia)})
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/enrol/"
    assert not otp.is_enrolled(user=mia)
    assert otp.is_enrolled(user=osei)
    for browser in (client, elsewhere):
        assert browser.get("/account/")["Location"].startswith("/sign-in/code/")
    assert client.get("/sign-in/enrol/").status_code == 200
    assert events(practice)[-1] == "device.removed"


def test_a_lost_telephone_is_replaced_with_a_recovery_code(mia: User, at_the_desk: Desk) -> None:
    code = otp.renew_recovery_codes(user=mia)[0]
    assert at_the_desk(mia).post("/account/device/", {"device-code": code}).status_code == 302
    assert not otp.is_enrolled(user=mia)


def test_the_administrator_records_the_agreement(
    practice: Practice, ada: User, now: datetime, at_the_desk: Desk
) -> None:
    assert not practice.may_take_in
    signed = (now - timedelta(days=3)).date()
    answer = at_the_desk(ada).post(
        "/practice/agreement/", {"signed_on": signed.isoformat(), "signed_by": "Pat Moss"}, follow=True
    )
    assert "Recorded" in answer.text
    practice.refresh_from_db()
    assert (practice.baa_signed_on, practice.baa_signed_by) == (signed, "Pat Moss")
    assert events(practice)[-1] == "baa.recorded"


def test_an_agreement_of_tomorrow_or_of_nobody_is_refused(
    practice: Practice, ada: User, now: datetime, at_the_desk: Desk
) -> None:
    client, today = at_the_desk(ada), now.date()
    for signed_on, signed_by in ((today + timedelta(days=1), "Pat"), (today, " "), ("soon", "Pat")):
        answer = client.post("/practice/agreement/", {"signed_on": str(signed_on), "signed_by": signed_by})
        assert answer.status_code == 422
    practice.refresh_from_db()
    assert not practice.may_take_in


def test_others_and_strangers_record_no_agreement(
    practice: Practice, mia: User, osei: User, mallory: User, at_the_desk: Desk
) -> None:
    posted = {"signed_on": "2026-11-01", "signed_by": "Mallory"}
    for user in (mia, osei):
        assert at_the_desk(user).get("/practice/agreement/").status_code == 404
        assert at_the_desk(user).post("/practice/agreement/", posted).status_code == 404
    at_the_desk(mallory).post("/practice/agreement/", posted)
    practice.refresh_from_db()
    assert not practice.may_take_in
    assert not Entry.objects.of(practice_id=practice.id).filter(event="baa.recorded").exists()
