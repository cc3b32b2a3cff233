"""The card as it explains a reading, and the posts that correct one: for each role, by form, without scripts."""

import html
import re
import uuid

import pytest
from django.urls import reverse

from audit.models import Entry
from review import understanding
from review.models import EntryAlias, Kind, ReadingCorrection, RefillRequest
from tests.review import scene as make
from tests.review import taught
from tests.review.scene import fields
from tests.review.taught import LISINOPRIL, METOPROLOL_S, METOPROLOL_T

ASK = "Hi, please refill my metoprolol. Also the Heart helper"


def to(name, row, *more):
    return reverse(f"review:{name}", args=[row.id, *more])


def text_of(page):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode())))


@pytest.fixture
def two(scene):
    entries = taught.listed(scene.practice, METOPROLOL_S, METOPROLOL_T)
    return taught.item(scene.practice, ASK, entries), entries


def propose(scene, words="Heart helper"):
    entries = taught.listed(scene.practice, METOPROLOL_S, LISINOPRIL)
    row = taught.item(scene.practice, f"Please refill the {words}", entries)
    said = fields(row, entry=entries[0].external_id, words=words, is_alias="1")
    assert scene.client("mia").post(to("correct", row), said).status_code == 302
    row.refresh_from_db()
    return row, EntryAlias.objects.get()


# --- what the card explains -----------------------------------------------------------------------------------------


def test_a_message_shows_both_entries_that_fit_with_strength_and_form_and_a_button_each(scene, two):
    row, entries = two
    words = text_of(scene.client("osei").get(to("card", row)))
    for part in ("“metoprolol” read as metoprolol", "Exact name, score 100 of 100", "Which of these is meant?",
                 "metoprolol succinate", "50 mg", "metoprolol tartrate", "25 mg",
                 "More than one entry of the list fits.", "read with vocabulary 2025-10-06"):  # fmt: skip
        assert part in words, part
    page = scene.client("osei").get(to("card", row)).content.decode()
    for entry in entries:
        assert f'name="entry" value="{entry.external_id}"' in page
    assert page.count("This one<") == 2


def test_a_look_alike_is_named_as_no_entry_of_the_list(scene):
    entries = taught.listed(scene.practice, LISINOPRIL)
    row = taught.item(scene.practice, "refill my hydroxizine", entries)
    _, reading = taught.read_thread("refill my hydroxizine", entries)
    words = text_of(scene.client("osei").get(to("card", row)))
    assert "Misspelling, score" in words
    if reading.mentions[0].rivals:
        assert "looks or sounds alike" in words


def test_all_mentions_of_the_burst_are_shown_and_which_one_is_this_request(scene):
    entries = taught.listed(scene.practice, LISINOPRIL, METOPROLOL_T)
    row = taught.refill(scene.practice, "refill lisinopril and metoprolol", entries, entry=1, own=1)
    page = scene.client("osei").get(to("card", row)).content.decode()
    assert page.count('<li class="own">') == 1
    words = text_of(scene.client("osei").get(to("card", row)))
    assert "“lisinopril” read as lisinopril" in words
    assert "“metoprolol” read as metoprolol" in words
    assert "score 100 of 100; this request" in words
    assert "On the list: lisinopril 10 mg tablet" in words.replace("\u00a0", " ")


def test_the_words_of_a_doubt_are_marked_apart_and_said_to_screen_readers(scene, two):
    page = scene.client("osei").get(to("card", two[0])).content.decode()
    (mark,) = re.findall(r'<mark class="seen doubt opens"[^>]*>(?:(?!</mark>).)*>metoprolol</mark>', page)
    assert "#i-ask" in mark
    assert '<span class="vh">[doubt: More than one entry of the list fits] </span>' in mark
    assert '<span class="vh">[drug: metoprolol] </span>' in mark
    assert "dotted" in text_of(scene.client("osei").get(to("card", two[0])))


def test_what_is_about_the_whole_message_marks_no_words(scene):
    row = make.waiting(scene, text="please refill it")
    kept = understanding.open_kept(sealed=row.reading_sealed, practice=scene.practice)
    kept["doubts"] = [{"code": "voicemail", "sentence": "A transcript of a voicemail.", "span": [0, 0, 16]}]
    RefillRequest.objects.filter(pk=row.pk).update(
        reading_sealed=understanding.seal(kept=kept, practice=scene.practice)
    )
    page = scene.client("osei").get(to("card", row))
    assert "A transcript of a voicemail." in text_of(page)
    quote = page.content.decode().split("<blockquote>")[1].split("</blockquote>")[0]
    assert "doubt" not in quote


def test_a_reading_kept_before_all_this_still_shows(scene):
    row = make.waiting(scene)
    kept = understanding.open_kept(sealed=row.reading_sealed, practice=scene.practice)
    for name in ("mentions", "release"):
        del kept[name]
    kept["doubts"] = [{"code": "negation", "sentence": "Holds a negation."}]
    RefillRequest.objects.filter(pk=row.pk).update(
        reading_sealed=understanding.seal(kept=kept, practice=scene.practice)
    )
    for who, name in (("osei", "card"), ("mia", "item")):
        page = scene.client(who).get(to(name, row))
        assert "Holds a negation." in text_of(page)
        assert "Correct reading" in text_of(page)
        assert "read with vocabulary" not in text_of(page)


def test_evil_words_become_no_markup_anywhere_on_the_card(scene):
    evil = 'refill <img src=x onerror=alert(1)> metoprolol "><script>alert(1)</script>'
    entries = taught.listed(scene.practice, METOPROLOL_S, METOPROLOL_T, {"name": "<b>evil</b>", "rxcui": ""})
    row = taught.item(scene.practice, evil, entries)
    page = scene.client("osei").get(to("card", row)).content.decode()
    for bad in ("<script>alert", "<img src=x", "<b>evil</b>"):
        assert bad not in page, bad


def test_without_a_chart_the_card_says_that_no_other_drug_can_be_chosen(scene):
    row = taught.item(scene.practice, "refill the thing", [], patient="", who={"source": "klara"})
    page = scene.client("mia").get(to("item", row))
    assert "No chart was read for this message" in text_of(page)
    assert 'name="is_alias"' not in page.content.decode()
    assert 'value="none"' in page.content.decode()


# --- correcting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "place", "name"), [("osei", "queue", "card"), ("mia", "desk", "item")])
def test_prescriber_and_assistant_choose_the_right_entry_and_come_back_to_the_card(scene, two, who, place, name):
    row, (_, right) = two
    client = scene.client(who)
    said = fields(row, entry=right.external_id, mention="0", intent="refill") | {"place": place}
    answer = client.post(to("correct", row), said)
    assert (answer.status_code, answer["Location"]) == (302, to(name, row))
    row.refresh_from_db()
    assert (row.kind, row.entry_external_id, row.state) == (Kind.REFILL, right.external_id, "in_review")
    words = text_of(client.get(answer["Location"]))
    assert "now a refill of the entry you chose" in words
    assert "Corrected by" in words
    assert "A person corrected how it was read" in words


@pytest.mark.parametrize("who", ["cora", "ada", "mallory"])
def test_nobody_else_corrects_confirms_or_ends(scene, who):
    row, alias = propose(scene)
    client, before = scene.client(who), row.version
    assert client.post(to("correct", row), fields(row, intent="lab")).status_code == 404
    for name in ("alias_confirm", "alias_end"):
        assert client.post(to(name, row, alias.id), fields(row)).status_code == 404
    row.refresh_from_db()
    alias.refresh_from_db()
    assert (row.version, alias.confirmed_at, alias.ended_at) == (before, None, None)


def test_the_same_form_twice_is_one_correction_and_says_the_same(scene, two):
    row, (_, right) = two
    client, said = scene.client("osei"), fields(row, entry=right.external_id)
    first, second = client.post(to("correct", row), said), client.post(to("correct", row), said)
    assert first["Location"] == second["Location"]
    assert ReadingCorrection.objects.count() == 1


def test_an_old_page_is_told_so(scene, two):
    row, (left, right) = two
    old = fields(row, entry=left.external_id)
    scene.client("osei").post(to("correct", row), fields(row, entry=right.external_id))
    page = scene.client("mia").post(to("correct", row), old)
    assert page.status_code == 409
    assert ReadingCorrection.objects.count() == 1


def test_a_refusal_stands_at_its_field_with_what_was_typed(scene, two):
    row, (_, right) = two
    said = fields(row, entry=right.external_id, words="lisinopril", rewritten="More of that metoprolol", intent="lab")
    page = scene.client("osei").post(to("correct", row), said)
    body, words = page.content.decode(), text_of(page)
    assert page.status_code == 422
    assert "Error: Queue" in body
    assert "These words do not stand in the message" in words
    assert 'href="#id_words"' in body
    assert 'aria-describedby="id_words_hint id_words_wrong" aria-invalid="true"' in body
    assert 'value="lisinopril"' in body
    assert "More of that metoprolol</textarea>" in body
    assert '<option value="lab" selected>' in body
    assert re.search(r'data-key="l" name="act" open>', body)
    assert not ReadingCorrection.objects.exists()


def test_the_field_for_a_rewritten_message_is_empty_and_refuses_the_patients_own_words(scene, two):
    row, _ = two
    body = scene.client("osei").get(to("card", row)).content.decode()
    assert re.search(r'name="rewritten"[^>]*></textarea>', body)
    page = scene.client("osei").post(to("correct", row), fields(row, intent="lab", rewritten=ASK))
    assert page.status_code == 422
    assert "the patient's own words" in text_of(page)


def test_a_locked_item_and_a_decided_one_offer_and_take_no_correction(scene, two):
    row, (_, right) = two
    client = scene.client("osei")
    RefillRequest.objects.filter(pk=row.pk).update(is_locked=True)
    assert "Correct reading" not in text_of(client.get(to("card", row)))
    assert client.post(to("correct", row), fields(row, entry=right.external_id)).status_code == 409
    RefillRequest.objects.filter(pk=row.pk).update(is_locked=False, state="answered")
    assert "Correct reading" not in text_of(client.get(to("card", row)))
    assert client.post(to("correct", row), fields(row, entry=right.external_id)).status_code == 409
    assert not ReadingCorrection.objects.exists()


def test_a_corrected_item_is_never_all_met_and_asks_once_more(scene):
    entries = taught.listed(scene.practice, LISINOPRIL)
    row = taught.refill(scene.practice, "refill my lisinopril", entries)
    client = scene.client("osei")
    client.post(to("correct", row), fields(row, intent="stop_or_not_needed"))
    row.refresh_from_db()
    assert "a person corrected how it was read" in text_of(client.get(to("card", row)))
    assert client.post(to("approve", row), fields(row)).status_code == 422


def test_none_of_the_list_takes_the_wrong_drugs_criteria_off_the_card(scene):
    entries = taught.listed(scene.practice, LISINOPRIL)
    row = taught.refill(scene.practice, "refill my lisinopril", entries)
    client = scene.client("osei")
    assert 'class="crit"' in client.get(to("card", row)).content.decode()
    client.post(to("correct", row), fields(row, entry="none"))
    page = client.get(to("card", row))
    assert 'class="crit"' not in page.content.decode()
    assert "Message for a person" in text_of(page)
    assert "is none of the patient’s list" in text_of(page)


def test_danger_keeps_its_place_and_the_person_is_told_so(scene):
    entries = taught.listed(scene.practice, METOPROLOL_S, METOPROLOL_T)
    row = taught.item(scene.practice, "refill metoprolol it gives me a rash", entries)
    client = scene.client("osei")
    answer = client.post(to("correct", row), fields(row, entry=entries[0].external_id, intent="refill"), follow=True)
    assert "stays a message for a person" in text_of(answer)
    row.refresh_from_db()
    assert (row.kind, row.is_urgent) == (Kind.MESSAGE, True)


def test_no_address_title_receipt_or_audit_tells_the_drug_or_the_words(scene, two):
    row, (_, right) = two
    client = scene.client("osei")
    client.post(to("correct", row), fields(row, entry=right.external_id, mention="0"))
    page = client.get(to("card", row)).content.decode()
    links = " ".join(re.findall(r'(?:href|action)="([^"]*)"', page))
    assert "metoprolol" not in links.lower()
    assert right.external_id not in links
    for body in Entry.objects.filter(event="reading.corrected").values_list("body", flat=True):
        assert "metoprolol" not in body.lower()


# --- own names ------------------------------------------------------------------------------------------------------


def test_an_assistant_proposes_and_only_a_prescriber_is_offered_to_confirm(scene):
    row, alias = propose(scene)
    mias, oseis = (scene.client(who).get(to(name, row)) for who, name in (("mia", "item"), ("osei", "card")))
    for page in (mias, oseis):
        assert "“heart helper”" in text_of(page)
        assert "Proposed by Mia" in text_of(page)
        assert to("alias_end", row, alias.id) in page.content.decode()
    assert to("alias_confirm", row, alias.id) not in mias.content.decode()
    assert to("alias_confirm", row, alias.id) in oseis.content.decode()
    assert scene.client("mia").post(to("alias_confirm", row, alias.id), fields(row)).status_code == 404
    answer = scene.client("osei").post(to("alias_confirm", row, alias.id), fields(row), follow=True)
    assert "Confirmed by Dr. Osei" in text_of(answer)
    alias.refresh_from_db()
    assert alias.confirmed_by == scene.osei.user


def test_a_name_is_ended_on_the_card(scene):
    row, alias = propose(scene)
    answer = scene.client("mia").post(to("alias_end", row, alias.id), fields(row) | {"place": "desk"}, follow=True)
    assert "Ended: the name counts no longer." in text_of(answer)
    assert "“heart helper”" not in text_of(answer).split("Ended:")[1].split("Correct reading")[0].split("own names")[-1]
    assert scene.client("mia").get(to("item", row)).content.decode().count("own-names") == 0


def test_a_name_whose_entry_changed_is_shown_as_dead_and_not_offered(scene):
    row, alias = propose(scene)
    entry = row.practice and alias.entry_external_id
    type(taught.listed(scene.practice, LISINOPRIL)[0]).objects.filter(external_id=entry).update(rxcui="1")
    page = scene.client("osei").get(to("card", row))
    assert "Counts no longer: the entry is now another drug" in text_of(page)
    assert to("alias_confirm", row, alias.id) not in page.content.decode()
    answer = scene.client("osei").post(to("alias_confirm", row, alias.id), fields(row))
    assert answer.status_code == 422


def test_a_name_is_found_by_its_own_patients_card_only(scene):
    _, alias = propose(scene)
    other = make.waiting(scene)
    page = scene.client("osei").get(to("card", other))
    assert "heart helper" not in text_of(page)
    assert scene.client("osei").post(to("alias_confirm", other, alias.id), fields(other)).status_code == 422
    unknown = scene.client("osei").post(to("alias_end", other, uuid.uuid4()), fields(other))
    assert unknown.status_code == 422


@pytest.mark.parametrize("count", [0, 12])
def test_the_card_asks_no_more_for_many_names_and_entries(scene, count, django_assert_max_num_queries):
    entries = taught.listed(scene.practice, METOPROLOL_S, *[LISINOPRIL] * count)
    rows = [taught.item(scene.practice, f"refill the heart helper {'x' * n}", entries) for n in range(count + 1)]
    words = ["heart helper", "purple one", "big white pill"]
    for row, word in zip(rows[:count], words, strict=False):
        sealed = taught.kept(scene.practice, f"refill {word}", entries)
        RefillRequest.objects.filter(pk=row.pk).update(reading_sealed=sealed)
        scene.client("mia").post(
            to("correct", row), fields(row, entry=entries[0].external_id, words=word, is_alias="1"))  # fmt: skip
    RefillRequest.objects.update(queue="prescriber", assignee=None)
    client = scene.client("osei")
    client.get(reverse("review:queue"))
    with django_assert_max_num_queries(16 if count else 15):  # the names cost one, where there are any
        client.get(to("card", rows[-1]))


def test_after_a_choice_the_card_says_which_entry_and_what_the_patient_wrote(scene, two):
    row, (_, right) = two
    client = scene.client("osei")
    client.post(to("correct", row), fields(row, entry=right.external_id, mention="0"))
    page = client.get(to("card", row))
    assert "Which of these is meant?" not in text_of(page)
    assert page.content.decode().count("This one<") == 1
    same = text_of(page).split("Same drug everywhere?")[1]
    assert re.search(r"Drug +metoprolol +metoprolol tartrate", same), same[:200]
