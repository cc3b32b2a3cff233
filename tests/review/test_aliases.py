"""A patient's own name may tell which drug is meant and nothing else: whatever was read without it must still stand."""

import pytest

from review import aliases
from rules.intake import reading as r

DRUG = r.Mention(span=r.Span(0, 7, 17), words="lisinopril", resolves_to="1", kind="ingredient")
HINT = r.Mention(span=r.Span(0, 7, 17), words="heart pill", resolves_to="1", kind="hint")
OWN = r.Mention(span=r.Span(0, 4, 17), words="my heart pill", resolves_to="2", kind="list_alias")


def seen(*intents, mentions=(), doubts=(), **flags):
    return r.Reading(
        primary=r.Intent.refill,
        intents=tuple(r.IntentSeen(intent=one, span=r.Span(0, 0, 1), words="x") for one in intents),
        mentions=mentions,
        doubts=tuple(r.Doubt(code=one, sentence="") for one in doubts),
        **flags,
    )


@pytest.mark.parametrize(
    "before",
    [seen(r.Intent.refill, r.Intent.symptom), seen(r.Intent.stop_or_not_needed), seen(is_emergency=True),
     seen(has_symptom=True), seen(doubts=[r.DoubtCode.negation]), seen(doubts=[r.DoubtCode.strength_differs]),
     seen(doubts=[r.DoubtCode.for_someone_else]), seen(mentions=(DRUG,))],
)  # fmt: skip
def test_what_would_be_lost_with_the_name_bars_it(before):
    assert not aliases.hides_nothing(before=before, after=seen(r.Intent.refill, mentions=(OWN,)))
    assert aliases.hides_nothing(before=before, after=before)


@pytest.mark.parametrize(
    "before",
    [seen(r.Intent.refill, r.Intent.thanks), seen(doubts=[r.DoubtCode.unread_words, r.DoubtCode.no_drug_named]),
     seen(doubts=[r.DoubtCode.hint_not_unique]), seen(mentions=(HINT,)), seen()],
)  # fmt: skip
def test_what_knowing_the_entry_settles_does_not(before):
    assert aliases.hides_nothing(before=before, after=seen(r.Intent.refill, mentions=(OWN,)))
