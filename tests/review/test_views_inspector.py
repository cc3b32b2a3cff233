"""The inspector's page: who sees what of it, what it never shows, and the click that sends a dead message anew."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from audit.models import Entry
from integrations import vault
from review import outbox, replayable
from review.models import Dispatch, RefillRequest
from tests.review import rows
from tests.review import scene as make
from tests.review.rows import NOW


def address(row):
    return reverse("review:timeline", args=[row.id])


def again(row, dispatch):
    return reverse("review:timeline_again", args=[row.id, dispatch.id])


def sealed(scene):
    plain = b'{"conversation":"conv_1","text":"sent"}'
    return vault.seal_payload(plain=plain, practice_id=scene.practice.id, stage="dev", purpose=outbox.PURPOSE)


def dead_reply(scene, **values):
    """A refill, taken by the network, whose message to the patient was refused with words that name her."""
    row = make.waiting(scene, first="Zenobia", last="Quartermaine", state="sent", last_code="", **values)
    dispatch = Dispatch.objects.create(
        practice=scene.practice, request=row, kind="reply", purpose="sent", lane="klara", state="rejected",
        is_shadow=False, document_sealed=rows.kept(scene.practice), document_sha256="a" * 64, idempotency_key="k1",
        target="conv_1", due_at=NOW, queued_at=NOW - timedelta(seconds=30), settled_at=NOW, code="900",
        description_codes=["1000"], text="Patient Quartermaine not found",
    )  # fmt: skip
    return row, dispatch


@pytest.mark.parametrize("who", ["osei", "mia", "cora", "ada"])
def test_every_role_sees_the_life_of_a_request_by_initials_only(scene, who):
    row, _ = dead_reply(scene)
    page = scene.client(who).get(address(row))
    text = page.content.decode()
    assert page.status_code == 200
    assert "Z.Q." in text
    assert "Zenobia" not in text
    assert "A request was opened." in text
    assert "900 / 1000" in text
    assert page["Cache-Control"].count("no-store")


@pytest.mark.parametrize(("who", "sees"), [("osei", True), ("mia", True), ("cora", False), ("ada", False)])
def test_drug_and_words_as_received_are_for_those_who_treat(scene, who, sees):
    row, _ = dead_reply(scene)
    text = scene.client(who).get(address(row)).content.decode()
    assert ("Patient Quartermaine not found" in text) is sees
    assert ("Quartermaine" in text) is sees
    assert ("isinopril" in text) is sees
    assert ("text as received, 30 characters" in text) is not sees
    assert ("Open the card" in text) is sees
    assert ('<th scope="col">Value</th>' in text) is sees
    assert '<th scope="col">Limit</th>' in text
    assert ("Send this message anew" in text) is sees


def test_a_stranger_finds_neither_page_nor_click(scene):
    row, dispatch = dead_reply(scene)
    client = scene.client("mallory")
    assert client.get(address(row)).status_code == 404
    assert client.get(address(row) + "?as=text").status_code == 404
    assert client.post(again(row, dispatch)).status_code == 404
    assert Dispatch.objects.filter(predecessor=dispatch).count() == 0


@pytest.mark.parametrize("who", ["cora", "ada"])
def test_who_only_looks_cannot_send_anew(scene, who):
    row, dispatch = dead_reply(scene)
    assert scene.client(who).post(again(row, dispatch)).status_code == 404
    assert Dispatch.objects.filter(predecessor=dispatch).count() == 0


def test_the_text_holds_ids_only(scene):
    row, _ = dead_reply(scene)
    answer = scene.client("mia").get(address(row) + "?as=text")
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/plain")
    assert str(row.id) in text
    for name in ("Zenobia", "Quartermaine", "Z.Q.", "isinopril", "Mia", "Osei"):
        assert name not in text


def test_a_click_sends_it_anew_once_and_the_page_says_so(scene):
    row, dispatch = dead_reply(scene)
    Dispatch.objects.filter(pk=dispatch.pk).update(document_sealed=sealed(scene))
    client = scene.client("mia")
    first = client.post(again(row, dispatch), follow=True)
    assert "Queued anew" in first.content.decode()
    second = client.post(again(row, dispatch), follow=True)
    assert "It went anew already" in second.content.decode()
    made = Dispatch.objects.get(predecessor=dispatch)
    assert (made.state, made.kind) == ("queued", "reply")
    assert "Send this message anew" not in second.content.decode()
    entry = Entry.objects.get(event="dispatch.replayed")
    assert (entry.request_id, entry.actor_id) == (row.id, str(scene.mia.id))


def test_values_that_cannot_be_opened_are_said_and_nothing_is_made(scene):
    row, dispatch = dead_reply(scene)  # sealed for another purpose
    page = scene.client("mia").post(again(row, dispatch), follow=True).content.decode()
    assert "can no longer be opened" in page
    assert Dispatch.objects.filter(predecessor=dispatch).count() == 0


def test_a_dispatch_of_another_request_is_not_found(scene):
    row, _ = dead_reply(scene)
    other = make.waiting(scene)
    foreign = Dispatch.objects.filter(request=row).first()
    assert scene.client("mia").post(again(other, foreign)).status_code == 404
    assert scene.client("mia").post(
        reverse("review:timeline_again", args=[row.id, uuid.uuid4()])).status_code == 404


def test_sending_anew_is_posted_and_needs_the_token_of_the_page(scene):
    row, dispatch = dead_reply(scene)
    client = scene.client("mia")
    assert client.get(again(row, dispatch)).status_code == 405
    client.handler.enforce_csrf_checks = True
    assert client.post(again(row, dispatch)).status_code == 403


def test_an_unknown_outcome_is_amber_and_says_when_the_network_is_asked_next(scene):
    row, dispatch = dead_reply(scene)
    Dispatch.objects.filter(pk=dispatch.pk).update(
        kind="newrx", lane="routine", schedule="not_controlled", purpose="", state="unknown",
        next_check_at=NOW + timedelta(minutes=6))
    text = scene.client("mia").get(address(row)).content.decode()
    assert "It may have arrived" in text
    assert re.search(r"We ask the network at <time[^>]*>10:20:00.000 am", text)
    assert "It is not sent again." in text
    assert "Send this message anew" not in text


def test_a_duplicate_points_at_the_request_it_joined(scene):
    first, second = make.waiting(scene), make.waiting(scene)
    RefillRequest.objects.filter(pk=second.pk).update(state="duplicate", duplicate_of=first)
    client = scene.client("cora")
    assert address(first) in client.get(address(second)).content.decode()
    assert address(second) in client.get(address(first)).content.decode()


def test_card_and_list_lead_to_the_timeline(scene):
    row = make.waiting(scene)
    for who, name, args in (("osei", "card", [row.id]), ("mia", "item", [row.id]), ("mia", "requests", []),
                            ("cora", "requests", [])):
        assert address(row) in scene.client(who).get(reverse(f"review:{name}", args=args)).content.decode(), name


def test_nothing_on_the_page_breaks_the_policy_against_inline_style(scene):
    row, _ = dead_reply(scene)
    text = scene.client("mia").get(address(row)).content.decode()
    assert " style=" not in text
    assert "<style" not in text
    assert "<script>" not in text


def test_only_messages_that_go_to_no_pharmacy_have_the_button():
    assert not {"newrx", "cancelrx", "answer"} & set(map(str, replayable.REPLAYED_KINDS))
