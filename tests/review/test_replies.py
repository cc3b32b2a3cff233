"""Patient texts: every purpose in both languages, no drug unless the practice says so, no placeholder left over."""

import pytest

from refillhub.practices.models import Practice
from review import replies
from review.models import ReplyPurpose

PURPOSES = [one for one in ReplyPurpose if one is not ReplyPurpose.NOTHING]
WORDS = {
    "drug_name": "omeprazole 20 MG",
    "pharmacy_name": "Oak Street Pharmacy",
    "opening": "Tuesday 7:00 am",
    "note": "See you.",
}


def practice(**values):
    return Practice(name="Lakeside", booking_url="https://book.example.org/l", **values)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("language", ["eng", "spa", "es", "fra", ""])
def test_every_purpose_has_words_without_leftovers(purpose, language):
    text = replies.text(purpose=purpose, practice=practice(), language=language, **WORDS)
    assert text
    assert "$" not in text
    assert "  " not in text
    assert "None" not in text


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("language", ["eng", "spa"])
def test_the_drug_is_named_only_where_the_practice_says_so(purpose, language):
    quiet = replies.text(purpose=purpose, practice=practice(), language=language, **WORDS)
    assert "omeprazole" not in quiet


def test_where_the_practice_names_drugs_the_sent_text_does():
    loud = replies.text(purpose=ReplyPurpose.SENT, practice=practice(names_drugs_in_replies=True), **WORDS)
    assert "omeprazole 20 MG" in loud


def test_sent_and_received_are_two_different_truths():
    sent = replies.text(purpose=ReplyPurpose.SENT, practice=practice(), **WORDS)
    received = replies.text(purpose=ReplyPurpose.RECEIVED, practice=practice(), **WORDS)
    assert "sent to Oak Street Pharmacy" in sent
    assert "received" not in sent
    assert "Oak Street Pharmacy has received" in received


def test_the_emergency_text_is_the_practices_own_else_911_988_and_poison_control():
    own = replies.text(purpose=ReplyPurpose.EMERGENCY, practice=practice(emergency_text="Call us."))
    assert own == "Call us."
    given = replies.text(purpose=ReplyPurpose.EMERGENCY, practice=practice())
    assert all(number in given for number in ("911", "988", "1-800-222-1222"))


def test_words_of_a_person_are_never_read_as_a_template():
    text = replies.text(purpose=ReplyPurpose.ANSWER, practice=practice(), note="It costs $5, $pharmacy says")
    assert text == "It costs $5, $pharmacy says"


def test_a_purpose_without_words_is_an_error_not_an_empty_message():
    with pytest.raises(KeyError):
        replies.text(purpose=ReplyPurpose.NOTHING, practice=practice())
