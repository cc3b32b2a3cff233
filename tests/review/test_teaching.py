"""The export: cases the reader can be measured with, and nothing in them that tells whose message it was."""

import io
import json
import re
import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from refillhub.practices.models import Provider
from review import workflow
from review.models import ReadingCorrection
from review.workflow import Correction
from rules.intake import lexicon, lines
from tests.review import rows, taught
from tests.review.rows import NOW
from tests.review.taught import LISINOPRIL, METOPROLOL_S, METOPROLOL_T

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.clinic()


def corrected(practice, text, entries, *, now=NOW, **said):
    request = taught.item(practice, text, entries)
    user = Provider.objects.get(practice=practice, last_name="Osei").user
    workflow.correct_reading(
        request_id=request.id, user=user, version=request.version, now=now, correction=Correction(**said))  # fmt: skip
    return request


def exported(tmp_path, **options):
    said = io.StringIO()
    call_command("export_reading_corrections", output=tmp_path / "out.jsonl", stdout=said, **options)
    return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]


def test_the_drugs_words_alone_are_a_bare_ask_under_the_tag_of_a_refill(practice, tmp_path):
    entries = taught.listed(practice, METOPROLOL_S, METOPROLOL_T, LISINOPRIL)
    corrected(practice, "Ana Reyes, please refill my metoprolol", entries, entry=entries[1].external_id, mention=0)
    (case,) = exported(tmp_path)
    right = {"name": "metoprolol tartrate 25 MG Oral Tablet", "rxnorm": "866924", "status": "active"}
    assert {**case, "id": ""} == {
        "id": "", "month": "2026-11", "messages": ["metoprolol"], "channel": "sms", "author": "patient",
        "tags": ["refill"], "med_list": [right], "release": "2025-10-06",
        "expect": {"intent": "refill", "drugs": [{"mention": "metoprolol", "resolves_to": right["name"]}]}}  # fmt: skip


def test_a_rewritten_text_is_the_case_where_there_is_one(practice, tmp_path):
    entries = taught.listed(practice, METOPROLOL_S)
    corrected(practice, "I quit the heart helper", entries, entry=entries[0].external_id, words="heart helper",
              intent="stop_or_not_needed", rewritten="No longer on the heart helper, do not renew")  # fmt: skip
    (case,) = exported(tmp_path)
    assert case["messages"] == ["No longer on the heart helper, do not renew"]
    assert (case["tags"], case["expect"]["intent"]) == ([], "stop_or_not_needed")
    (drug,) = case["expect"]["drugs"]
    assert drug["mention"] == "heart helper"
    assert drug["resolves_to"] == case["med_list"][0]["name"]


def test_the_entry_it_was_read_as_stands_on_the_list_beside_the_right_one(practice, tmp_path):
    entries = taught.listed(practice, LISINOPRIL, METOPROLOL_T)
    corrected(practice, "refill my lisinopril", entries, entry=entries[1].external_id, mention=0)
    (case,) = exported(tmp_path)
    assert [one["rxnorm"] for one in case["med_list"]] == ["314076", "866924"]
    assert case["expect"]["drugs"][0]["resolves_to"].startswith("metoprolol tartrate")


def test_none_of_the_list_resolves_to_nothing(practice, tmp_path):
    entries = taught.listed(practice, LISINOPRIL)
    corrected(practice, "refill my lisinopril", entries, entry="none", mention=0)
    (case,) = exported(tmp_path)
    assert case["expect"]["drugs"] == [{"mention": "lisinopril", "resolves_to": None}]


def test_every_case_is_a_thread_the_reader_takes(practice, tmp_path):
    entries = taught.listed(practice, LISINOPRIL, METOPROLOL_T)
    corrected(practice, "refill my lisinopril", entries, entry=entries[1].external_id, mention=0)
    corrected(practice, "the heart helper please", entries, intent="lab", words="heart helper")
    for case in exported(tmp_path):
        answer = json.loads(lines.answer(line=json.dumps(case), lexicon=lexicon.load()))
        assert answer["id"] == case["id"]


def test_a_correction_without_words_is_no_case(practice, tmp_path):
    entries = taught.listed(practice, LISINOPRIL)
    corrected(practice, "hello there you", entries, intent="thanks")
    assert exported(tmp_path) == []


def test_nothing_in_the_file_tells_whose_it_was(practice, tmp_path):
    entries = taught.listed(practice, METOPROLOL_S, METOPROLOL_T)
    request = corrected(practice, "Ana Reyes here, 6152210147, born 03/04/1968, refill my metoprolol", entries,
                        entry=entries[1].external_id, mention=0, rewritten="More of that metoprolol")  # fmt: skip
    (case,) = exported(tmp_path)
    text = (tmp_path / "out.jsonl").read_text()
    made = ReadingCorrection.objects.get()
    for secret in ("Ana", "Reyes", "6152210147", "1968", request.patient_external_id, request.sender_id,
                   str(request.id), str(made.id), made.id.hex, str(practice.id), practice.slug, practice.name, "Osei",
                   *(row.external_id for row in entries)):  # fmt: skip
        assert secret not in text, secret
    assert re.findall(r"\d{4}-\d{2}-\d{2}", text.replace("2025-10-06", "")) == []
    assert uuid.UUID(case["id"]).version == 4
    assert exported(tmp_path)[0]["id"] != case["id"]


def test_a_practice_and_a_day_narrow_it_and_each_export_is_on_record(practice, tmp_path):
    other = rows.clinic(name="Elsewhere", slug="elsewhere")
    for where in (practice, other):
        entries = taught.listed(where, LISINOPRIL)
        corrected(where, "refill my lisinopril", entries, entry="none", mention=0, now=NOW - timedelta(days=40))
        corrected(where, "refill my lisinopril", entries, entry="none", mention=0)
    assert len(exported(tmp_path)) == 4
    assert len(exported(tmp_path, practice="elsewhere")) == 2
    assert len(exported(tmp_path, practice=str(practice.id), since=NOW - timedelta(days=1))) == 1
    counts = [
        (entry.practice_id, json.loads(entry.body)["data"])
        for entry in Entry.objects.filter(event="reading.exported").order_by("practice_id", "number")
    ]
    wanted = {practice.id: [2, 1], other.id: [2, 2]}
    for practice_id, cases in wanted.items():
        assert [data for at, data in counts if at == practice_id] == [
            {"cases": count, "format": "jsonl"} for count in cases]  # fmt: skip


def test_a_practice_that_is_not_there_is_an_error_and_writes_nothing(tmp_path):
    with pytest.raises(CommandError):
        exported(tmp_path, practice="nowhere")
    with pytest.raises(CommandError):
        exported(tmp_path, practice=str(uuid.uuid4()))
    assert not (tmp_path / "out.jsonl").exists()
    assert not Entry.objects.filter(event="reading.exported").exists()


def test_a_day_on_the_command_line_is_understood(practice, tmp_path):
    entries = taught.listed(practice, LISINOPRIL)
    corrected(practice, "refill my lisinopril", entries, entry="none", mention=0)
    target = str(tmp_path / "out.jsonl")
    call_command("export_reading_corrections", f"--output={target}", "--since=2026-11-17", stdout=io.StringIO())
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 1
    call_command("export_reading_corrections", f"--output={target}", "--since=2026-11-18", stdout=io.StringIO())
    assert (tmp_path / "out.jsonl").read_text() == ""
