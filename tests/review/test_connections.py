"""The administrator's connections: OAuth against the pretended DrChrono, secrets by fingerprint, the Klara trial."""

import importlib
import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from integrations import vault
from integrations.models import Connection, Secret, SecretKind
from integrations.sandbox.wire import Request
from refillhub.practices.models import Membership, Role

ADDRESS = "https://drchrono.test"


def desk(user):
    scene, people = (importlib.import_module(name) for name in ("tests.review.scene", "tests.practices.people"))
    return people.at_the_desk(scene.with_device(user))


@pytest.fixture
def pat(clinic):
    return desk(clinic.house.pat)


def events(clinic):
    return list(
        Entry.objects.of(practice_id=clinic.house.practice.id).order_by("number").values_list("event", flat=True)
    )


def page(client, connection):
    return client.get(reverse("review:connection", args=[connection.pk]))


def act(client, name, connection, *more, **fields):
    return client.post(reverse(f"review:{name}", args=[connection.pk, *more]), fields, follow=True)


def approve_at_vendor(clinic, address, **answer):
    """The person presses the button on the vendor's page; where the browser is sent next."""
    parts = urlsplit(address)
    request = Request(
        method="POST", path=parts.path, query=parts.query,
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=urlencode({"allow": "yes", **answer}).encode(), base_url=ADDRESS,
    )  # fmt: skip
    sent = clinic.chart.handle(request)
    assert sent.status == 302, sent.body
    back = urlsplit(dict(sent.headers)["Location"])
    return f"{back.path}?{back.query}"


def leave_for_vendor(client, connection):
    answer = client.get(reverse("review:connection_authorize", args=[connection.pk]))
    assert answer.status_code == 302
    return answer["Location"]


# --- who may look ----------------------------------------------------------------------------------------------------


def test_an_administrator_sees_the_three_vendors_and_each_connection(clinic, pat):
    overview = pat.get(reverse("review:connections"))
    assert overview.status_code == 200
    for name in ("DrChrono", "Klara", "Surescripts"):
        assert name in overview.text
    for row in Connection.objects.filter(practice=clinic.house.practice):
        assert page(pat, row).status_code == 200, row


@pytest.mark.parametrize("who", ["mia", "cora", "osei", "mallory"])
def test_everyone_else_finds_no_connection_and_changes_none(clinic, who):
    house = clinic.house
    if who == "mallory":
        user = clinic.mallorys.pat
        Membership.objects.create(practice=clinic.mallorys.practice, user=user, role=Role.prescriber)
    else:
        user = house.osei.user if who == "osei" else getattr(house, who)
    client = desk(user)
    if who != "mallory":
        assert client.get(reverse("review:connections")).status_code == 404
        assert client.get(reverse("review:drchrono_callback")).status_code == 404
        assert client.post(reverse("review:connection_set_up", args=["klara"])).status_code == 404
    before = len(events(clinic))
    secret = house.klara.secrets.get(kind=SecretKind.webhook_secret)
    for row in (house.klara, house.drchrono, house.surescripts):
        assert page(client, row).status_code == 404
        assert client.get(reverse("review:connection_authorize", args=[row.pk])).status_code == 404
        assert client.get(reverse("review:connection_profile", args=[row.pk])).status_code == 404
        for name in ("account", "secret", "pause", "resume", "test", "profile", "disconnect"):
            answer = act(client, f"connection_{name}", row, kind="webhook_secret", value="x", account="y")
            assert answer.status_code == 404, name
    for name in ("connection_secret_revoke", "connection_secret_activate"):
        assert act(client, name, house.klara, secret.pk).status_code == 404
    secret.refresh_from_db()
    assert secret.state == "active"
    assert len(events(clinic)) == before


def test_a_secret_is_reached_only_through_its_own_connection(clinic, pat):
    theirs = clinic.mallorys.klara.secrets.get(kind=SecretKind.webhook_secret)
    assert act(pat, "connection_secret_revoke", clinic.house.klara, theirs.pk).status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == "active"


def test_no_secret_stands_in_any_page(clinic, pat):
    actor = importlib.import_module("tests.stage").SYSTEM
    rows = Secret.objects.filter(connection__practice=clinic.house.practice)
    values = [vault.display(secret=row, now=clinic.now, actor=actor) for row in rows]
    assert len(values) >= 6
    pages = [pat.get(reverse("review:connections")).text]
    pages += [page(pat, row).text for row in Connection.objects.filter(practice=clinic.house.practice)]
    for text in pages:
        assert not [value for value in values if value in text]
    shown = page(pat, clinic.house.klara).text
    assert clinic.house.klara.secrets.get(kind=SecretKind.webhook_secret).fingerprint in shown
    assert f"{settings.PUBLIC_URL}{clinic.house.hook}" in shown


# --- DrChrono --------------------------------------------------------------------------------------------------------


def test_connecting_goes_to_the_vendor_and_back_and_keeps_tokens_and_set_up(clinic, pat):
    row = clinic.house.drchrono
    assert act(pat, "connection_disconnect", row).status_code == 200
    row.refresh_from_db()
    assert (row.status, row.token_expires_at) == ("new", None)
    back = approve_at_vendor(clinic, leave_for_vendor(pat, row))
    answer = pat.get(back, follow=True)
    assert "Connected to DrChrono." in answer.text
    assert answer.redirect_chain[-1][0] == reverse("review:connection", args=[row.pk])
    row.refresh_from_db()
    assert row.status == "active"
    assert row.token_expires_at > clinic.now
    assert set(row.facts) >= {"task_status_open", "task_category"}
    assert {"connection.revoked", "connection.authorized"} <= set(events(clinic))
    assert "The test passed" in act(pat, "connection_test", row).text


def test_the_way_out_names_our_redirect_address_and_no_secret(clinic, pat):
    there = leave_for_vendor(pat, clinic.house.drchrono)
    asked = parse_qs(urlsplit(there).query)
    assert asked["redirect_uri"] == [f"{settings.PUBLIC_URL}/connections/drchrono/callback/"]
    assert "client_secret" not in there


def test_a_foreign_old_or_missing_state_is_refused_and_no_code_is_spent(clinic, pat):
    row = clinic.house.drchrono
    back = approve_at_vendor(clinic, leave_for_vendor(pat, row))
    tokens = set(row.secrets.values_list("fingerprint", flat=True))
    code = parse_qs(urlsplit(back).query)["code"][0]
    callback = reverse("review:drchrono_callback")
    for query in ({"code": code}, {"code": code, "state": "x"}, {"code": code, "state": back.split("state=")[1] + "x"}):
        answer = pat.get(callback, query)
        assert answer.status_code == 400
        assert "belongs to no question of yours" in answer.text
    colleague = importlib.import_module("tests.review.rows").make_user(clinic.house.practice, "administrator", "Quin")
    assert desk(colleague).get(back).status_code == 400  # another person's
    assert desk(clinic.mallorys.pat).get(back).status_code == 400  # and another practice's
    clinic.clock.advance(seconds=901)
    assert desk(clinic.house.pat).get(back).status_code == 400  # too late
    assert set(row.secrets.values_list("fingerprint", flat=True)) == tokens
    assert "connection.authorized" not in events(clinic)


def test_declining_or_a_dead_code_changes_nothing_and_says_so(clinic, pat):
    row = clinic.house.drchrono
    back = approve_at_vendor(clinic, leave_for_vendor(pat, row), cancel="1")
    assert "Nothing was changed" in pat.get(back, follow=True).text
    state = parse_qs(urlsplit(leave_for_vendor(pat, row)).query)["state"][0]
    answer = pat.get(reverse("review:drchrono_callback"), {"code": "made-up", "state": state}, follow=True)
    assert "DrChrono refused the authorization: invalid_grant" in answer.text
    row.refresh_from_db()
    assert row.status == "active"  # the former authorization still stands


def test_the_client_id_stays_while_an_authorization_hangs_on_it(clinic, pat):
    row = clinic.house.drchrono
    former = row.client_id
    assert "Disconnect first" in act(pat, "connection_account", row, client_id="other", account="").text
    row.refresh_from_db()
    assert row.client_id == former


def test_a_failing_vendor_is_told_with_its_code_and_what_to_do(clinic, pat):
    row = clinic.house.klara
    Connection.objects.filter(pk=row.pk).update(base_url="http://127.0.0.1:9")
    answer = act(pat, "connection_test", row)
    assert "The test failed after" in answer.text
    assert "connection.tested" in events(clinic)


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_a_further_secret_is_pending_until_it_is_put_into_use(clinic, pat):
    row = clinic.house.klara
    value = "whsec_bmV3LXNlY3JldC1mb3ItdGhlLXRlc3RzLTAxMjM0NTY3ODk="
    answer = act(pat, "connection_secret", row, kind="webhook_secret", value=value)
    assert "pending" in answer.text
    assert value not in answer.text
    made = row.secrets.get(state="pending")
    assert made.fingerprint == vault.fingerprint(value=value)
    act(pat, "connection_secret_activate", row, made.pk)
    states = dict(row.secrets.filter(kind="webhook_secret").values_list("fingerprint", "state"))
    assert states == {made.fingerprint: "active", vault.fingerprint(value=clinic.house.secret): "retiring"}
    assert {"secret.added", "secret.activated", "secret.retired"} <= set(events(clinic))


def test_the_first_secret_of_a_kind_is_in_use_at_once_and_revoking_is_at_once(clinic, pat):
    row = clinic.house.klara
    act(pat, "connection_secret", row, kind="client_secret", value="  first-client-secret \n")
    made = row.secrets.get(kind="client_secret")
    assert (made.state, made.fingerprint) == ("active", vault.fingerprint(value="first-client-secret"))
    act(pat, "connection_secret_revoke", row, made.pk)
    made.refresh_from_db()
    assert (made.state, bytes(made.sealed)) == ("revoked", b"")


@pytest.mark.parametrize("value", ["whsec_***not-base64***", "", "x" * 20_001])
def test_a_value_that_cannot_be_a_secret_is_refused_and_not_shown_again(clinic, pat, value):
    row = clinic.house.klara
    answer = pat.post(reverse("review:connection_secret", args=[row.pk]), {"kind": "webhook_secret", "value": value})
    assert answer.status_code == 422
    assert "Error:" in answer.text
    assert not value or value not in answer.text
    assert row.secrets.filter(kind="webhook_secret").count() == 1


def test_a_vendor_takes_only_its_own_kinds_and_tokens_are_not_touched_by_hand(clinic, pat):
    row = clinic.house.drchrono
    posted = pat.post(reverse("review:connection_secret", args=[row.pk]), {"kind": "access_token", "value": "abc"})
    assert posted.status_code == 422
    token = row.secrets.get(kind="access_token")
    assert act(pat, "connection_secret_revoke", row, token.pk).status_code == 404


def test_a_certificate_pasted_with_an_error_is_not_shown_again(clinic, pat):
    row = clinic.house.surescripts
    text = "-----BEGIN PRIVATE KEY----- abc"
    answer = pat.post(reverse("review:connection_secret", args=[row.pk]), {"kind": "nonsense", "value": text})
    assert answer.status_code == 422
    assert text not in answer.text


def test_a_certificate_is_looked_through_and_what_fails_is_named(clinic, pat):
    row = clinic.house.surescripts
    chain = importlib.import_module("tests.integrations.test_certificates")
    where = reverse("review:connection_secret", args=[row.pk])
    broken = chain.OURS.pem + chain.STRANGER.pem + chain.OURS.key_pem()
    answer = pat.post(where, {"kind": "certificate", "value": broken})
    assert answer.status_code == 422
    assert "CN=Lakeside" in answer.text
    assert "Another Authority" in answer.text
    assert "PRIVATE KEY" not in answer.text
    assert row.secrets.filter(kind="certificate").count() == 1
    assert pat.post(where, {"kind": "certificate", "value": chain.GOOD}).status_code == 302
    stored = row.secrets.get(kind="certificate", state="pending")
    assert stored.expires_at == chain.OURS.certificate.not_valid_after_utc


# --- pause, stage, SPIs ----------------------------------------------------------------------------------------------


def test_pausing_and_resuming_are_recorded_once_each(clinic, pat):
    row = clinic.house.klara
    for name, state in (("pause", "paused"), ("pause", "paused"), ("resume", "active"), ("resume", "active")):
        act(pat, f"connection_{name}", row)
        row.refresh_from_db()
        assert row.status == state
    assert events(clinic).count("connection.changed") == 2


def test_a_connection_without_what_it_needs_is_not_switched_on(clinic, pat):
    row = clinic.house.klara
    Connection.objects.filter(pk=row.pk).update(status="new")
    row.secrets.filter(kind="api_key").update(state="revoked")
    assert "Add the API key first." in act(pat, "connection_resume", row).text
    row.refresh_from_db()
    assert row.status == "new"


def test_a_dead_authorization_is_not_resumed_but_connected_again(clinic, pat):
    row = clinic.house.drchrono
    Connection.objects.filter(pk=row.pk).update(status="needs_authorisation")
    assert "Connect again" in act(pat, "connection_resume", row).text
    assert "Needs authorization" in page(pat, row).text


def test_another_stage_is_shown_but_offers_nothing(clinic, pat):
    row = clinic.house.drchrono
    Connection.objects.filter(pk=row.pk).update(stage="staging")
    text = page(pat, row).text
    assert "belongs to another stage" in text
    assert "Test again" not in text
    assert "Store</button>" not in text
    assert act(pat, "connection_test", row).status_code == 404
    assert pat.get(reverse("review:connection_authorize", args=[row.pk])).status_code == 404


def test_setting_up_makes_one_connection_and_only_of_known_vendors(clinic, pat):
    Connection.objects.filter(pk=clinic.house.surescripts.pk).update(stage="staging")
    for _ in range(2):
        assert pat.post(reverse("review:connection_set_up", args=["surescripts"])).status_code == 302
    made = Connection.objects.get(practice=clinic.house.practice, vendor="surescripts", stage="dev")
    assert made.status == "new"
    assert pat.post(reverse("review:connection_set_up", args=["faxco"])).status_code == 404


def test_the_network_shows_the_number_of_each_prescriber_at_each_location(clinic, pat):
    text = page(pat, clinic.house.surescripts).text
    for provider in (clinic.house.osei, clinic.house.lind):
        assert provider.spis.get().spi in text
    assert act(pat, "connection_test", clinic.house.surescripts).status_code == 404


# --- how Klara talks -------------------------------------------------------------------------------------------------

BODY = b'{"id":"evt_1","type":"webhook.test","data":{}}'


def trial_form(clinic, **more):
    headers = "\n".join(f"{name}: {value}" for name, value in clinic.signed(BODY, "evt_1").items())
    return {"profile": "klara-assumed-v1", "changes": '{"auth": {"mode": "api_key"}}', "headers": headers,
            "body": BODY.decode(), **more}  # fmt: skip


def test_a_profile_is_kept_after_its_trial_passed(clinic, pat):
    row = clinic.house.klara
    answer = pat.post(reverse("review:connection_profile", args=[row.pk]), trial_form(clinic), follow=True)
    assert "The trial passed" in answer.text
    row.refresh_from_db()
    assert row.profile == {"profile": "klara-assumed-v1", "auth": {"mode": "api_key"}}
    assert "connection.changed" in events(clinic)


@pytest.mark.parametrize(
    "wrong",
    [
        {"profile": "body-hex-v1"},
        {"body": '{"id":"evt_1","type":"webhook.test","data":{"x":1}}'},
        {"changes": "not json"},
        {"changes": '{"base_url": "https://elsewhere.test"}'},
        {"changes": '{"signature": {"canonical": "{id}"}}'},
        {"changes": '{"limits": {"calls_per_s": "many"}}'},
        {"headers": "no colon here"},
    ],
)
def test_a_profile_that_fails_its_trial_is_not_kept_and_the_request_is_not_shown_again(clinic, pat, wrong):
    row = clinic.house.klara
    before = json.dumps(row.profile)
    posted = trial_form(clinic, **wrong)
    answer = pat.post(reverse("review:connection_profile", args=[row.pk]), posted)
    assert answer.status_code == 422
    assert posted["body"] not in answer.text
    assert "evt_1" not in answer.text
    row.refresh_from_db()
    assert json.dumps(row.profile) == before
    assert "connection.changed" not in events(clinic)


def test_only_klara_has_a_profile(clinic, pat):
    assert pat.get(reverse("review:connection_profile", args=[clinic.house.drchrono.pk])).status_code == 404


def test_a_get_changes_nothing(clinic, pat):
    before = len(events(clinic))
    for name in ("pause", "resume", "test", "disconnect", "account", "secret"):
        assert pat.get(reverse(f"review:connection_{name}", args=[clinic.house.klara.pk])).status_code == 405
    assert len(events(clinic)) == before


def test_a_form_of_another_site_is_refused(clinic):
    scene = importlib.import_module("tests.review.scene")
    client = Client(enforce_csrf_checks=True)
    client.cookies = desk(scene.with_device(clinic.house.pat)).cookies
    assert client.post(reverse("review:connection_pause", args=[clinic.house.klara.pk])).status_code == 403


def test_the_pages_ask_the_database_little(clinic, pat, django_assert_max_num_queries):
    pat.get(reverse("review:connections"))  # the first look of a minute also notes the time in the session
    with django_assert_max_num_queries(8):
        pat.get(reverse("review:connections"))
    for row in (clinic.house.klara, clinic.house.drchrono, clinic.house.surescripts):
        with django_assert_max_num_queries(12):
            page(pat, row)
