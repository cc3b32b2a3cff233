"""The JSON-lines interface that labelled sets are run against."""

from __future__ import annotations

import json

import pytest

from rules.intake import lexicon, lines

LEXICON = lexicon.load()


def answered(**fields: object) -> dict[str, object]:
    line = {
        "id": "t1",
        "messages": ["please refill lisinopril 10 mg"],
        "channel": "sms",
        "author": "patient",
        "tags": ["refill"],
        "med_list": [{"name": "Lisinopril 10 mg oral tablet", "rxnorm": "314076", "status": "active"}],
    }
    return json.loads(lines.answer(line=json.dumps({**line, **fields}), lexicon=LEXICON))  # type: ignore[no-any-return]


def test_a_plain_thread_is_answered_with_the_entrys_name_and_code() -> None:
    found = answered()
    assert found["plain_refill"] is True
    assert found["must_reach_human"] is False
    assert found["drugs"] == [
        {
            "mention": "lisinopril 10 mg",
            "ingredient": "lisinopril",
            "rxnorm": "314076",
            "resolves_to": "Lisinopril 10 mg oral tablet",
            "score": 100,
        }
    ]


@pytest.mark.parametrize(
    "fields", [{"channel": "voicemail"}, {"author": "proxy"}, {"channel": "fax"}, {"messages": []}]
)
def test_a_doubtful_channel_or_author_reaches_a_human(fields: dict[str, object]) -> None:
    found = answered(**fields)
    assert found["must_reach_human"] is True
    assert found["reasons"]


def test_an_entry_without_an_active_status_is_not_active() -> None:
    assert answered(med_list=[{"name": "Lisinopril 10 mg oral tablet", "status": ""}])["must_reach_human"] is True


@pytest.mark.parametrize(
    "line", ["", "[]", "{", '{"messages": "text"}', '{"messages": [1]}', '{"messages": [], "tags": [1]}']
)
def test_a_line_that_is_no_thread_is_refused_with_a_reason(line: str) -> None:
    with pytest.raises(lines.BadLine):
        lines.answer(line=line, lexicon=LEXICON)
