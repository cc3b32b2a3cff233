"""Why a person has to look at a thread: every reason, with its sentence and place.

Adds reasons only; nothing here can make a reading bolder.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rules.intake import classify, letters, phrases
from rules.intake.reading import (
    Author,
    Doubt,
    DoubtCode,
    Intent,
    IntentSeen,
    Mention,
    PharmacyMention,
    Source,
    Span,
    Thread,
)

TOPIC_DOUBTS = {
    Intent.emergency: (DoubtCode.emergency, "Words of an emergency."),
    Intent.symptom: (DoubtCode.symptom, "Words of a symptom or side effect."),
    Intent.pregnancy: (DoubtCode.pregnancy, "Words of pregnancy or nursing."),
    Intent.stop_or_not_needed: (DoubtCode.stop_or_not_needed, "May say stop, not needed or already has it."),
    Intent.dose_change: (DoubtCode.dose_change, "May ask for or report a change of dose."),
    Intent.new_drug: (DoubtCode.new_drug, "May ask for something new."),
    Intent.lost_or_early: (DoubtCode.lost_or_early, "Lost, stolen, travel or early."),
    Intent.refill_status: (DoubtCode.refill_status, "May ask about an earlier request."),
    Intent.cancel: (DoubtCode.cancelled, "May take back a request."),
}


@dataclass(frozen=True, slots=True)
class Joined:
    """The messages of a burst as one folded text, with the way back to message and character."""

    text: str
    starts: tuple[int, ...]
    folded: tuple[letters.Folded, ...]
    originals: tuple[str, ...]
    was_cut: bool

    def span(self, *, start: int, end: int) -> Span:
        """The original span; one that runs over two messages ends with the first."""
        index = bisect_right(self.starts, start) - 1
        part = self.folded[index]
        low = start - self.starts[index]
        high = min(end - self.starts[index], len(part.text))
        return Span(index, *part.original(start=low, end=high))

    def written(self, *, words: Sequence[letters.Token]) -> list[str]:
        """Each word in its original characters."""
        return [self.words(span=self.span(start=word.start, end=word.end)) for word in words]

    def words(self, *, span: Span) -> str:
        """The original characters of a span."""
        return self.originals[span.message][span.start : span.end]


@dataclass(frozen=True, slots=True)
class View:
    """All that was seen, for the verdict."""

    thread: Thread
    joined: Joined
    words: tuple[letters.Token, ...]
    intents: tuple[IntentSeen, ...]
    mentions: tuple[Mention, ...]
    shops: tuple[PharmacyMention, ...]
    unread: tuple[int, ...]
    known: frozenset[int]
    was_cut: bool


def tag_agrees(*, view: View, topics: set[Intent]) -> bool | None:
    tags = {*view.thread.tags, *(tag for message in view.thread.messages for tag in message.tags)}
    tagged = {Intent(tag) for tag in ("refill", "pharmacy_change") if tag in tags}
    if not tagged or not view.words:
        return None
    return topics <= tagged if topics else None


def of_sender(*, view: View) -> list[Doubt]:
    """What the sender, the channel and the letters say before any word is read."""
    doubts: list[Doubt] = []
    for index, message in enumerate(view.thread.messages):
        here = Span(index, 0, len(message.text))
        if message.author is not Author.patient:
            doubts.append(Doubt(code=DoubtCode.author_not_patient, sentence="Not written by the patient.", span=here))
        if message.source is Source.voicemail_transcript:
            doubts.append(Doubt(code=DoubtCode.voicemail, sentence="A transcript of a voicemail.", span=here))
        elif message.source is Source.unknown:
            doubts.append(Doubt(code=DoubtCode.source_unknown, sentence="Unknown how this came.", span=here))
        if message.source is Source.attachment_only or message.has_attachment:
            doubts.append(Doubt(code=DoubtCode.attachment, sentence="An attachment nobody has read.", span=here))
        if view.joined.folded[index].odd:
            doubts.append(Doubt(code=DoubtCode.odd_characters, sentence="Hidden or look-alike characters.", span=here))
        if view.joined.folded[index].foreign:
            doubts.append(Doubt(code=DoubtCode.language, sentence="An alphabet that is not read here.", span=here))
        for symbol, at in view.joined.folded[index].symbols:
            doubts.append(
                Doubt(
                    code=DoubtCode.unread_words,
                    sentence=f"A picture is not read: {symbol}",
                    span=Span(index, at, at + 1),
                )
            )
            break
    if not view.words:
        doubts.append(Doubt(code=DoubtCode.no_text, sentence="There are no words to read."))
    if view.joined.was_cut or view.was_cut:
        doubts.append(Doubt(code=DoubtCode.too_long, sentence="Longer than is read."))
    return doubts


def of_topics(*, view: View, topics: set[Intent]) -> list[Doubt]:
    doubts: list[Doubt] = []
    for intent, (code, sentence) in TOPIC_DOUBTS.items():
        if intent in topics:
            span = next((one.span for one in view.intents if one.intent is intent), None)
            doubts.append(Doubt(code=code, sentence=sentence, span=span))
    if len(topics) > 1:
        named = ", ".join(sorted(one.value.replace("_", " ") for one in topics))
        doubts.append(Doubt(code=DoubtCode.several_topics, sentence=f"More than one topic: {named}."))
    elif topics and topics <= {Intent.lab, Intent.appointment, Intent.billing, Intent.other, Intent.pharmacy_change}:
        doubts.append(Doubt(code=DoubtCode.not_a_refill, sentence="Asks for something else than a refill."))
    if tag_agrees(view=view, topics=topics) is False:
        doubts.append(Doubt(code=DoubtCode.tag_disagrees, sentence="The tag says something else than the words."))
    places = {(one.name, one.place) for one in view.shops}
    if len(places) > 1:
        doubts.append(Doubt(code=DoubtCode.pharmacy_unclear, sentence="More than one pharmacy is named."))
    return doubts


def of_words(*, view: View, harmless: Sequence[tuple[int, int]], drug_spans: Sequence[tuple[int, int]]) -> list[Doubt]:
    """Fixed warnings, negation and condition outside harmless phrases, and the words nobody explained."""
    doubts: list[Doubt] = []
    taken_back = [match.span() for match in re.finditer(r"\bnever ?mind\b", view.joined.text)]
    rest = classify.mask(text=view.joined.text, spans=[*harmless, *drug_spans, *taken_back])
    checks = [
        *phrases.DOUBTS,
        (DoubtCode.negation, phrases.NEGATION, "Holds a negation."),
        (DoubtCode.conditional, phrases.CONDITION, "Holds a condition or an alternative."),
    ]
    for code, pattern, sentence in checks:
        match = pattern.search(view.joined.text if code is DoubtCode.all_medications else rest)
        if match:
            span = view.joined.span(start=match.start(), end=match.end())
            doubts.append(Doubt(code=code, sentence=sentence, span=span))
    if view.unread:
        word = view.words[view.unread[0]]
        span = view.joined.span(start=word.start, end=word.end)
        share = len(view.unread) / len(view.words)
        if share > 0.5 and len(view.words) >= 4:
            doubts.append(Doubt(code=DoubtCode.language, sentence="Most words are not understood.", span=span))
        doubts.append(
            Doubt(
                code=DoubtCode.unread_words,
                span=span,
                sentence=f"{len(view.unread)} word(s) not understood: {_shown(view)}",
            )
        )
    return doubts


def _shown(view: View) -> str:
    """The first words nobody explained, as written."""
    spans = [view.joined.span(start=view.words[one].start, end=view.words[one].end) for one in view.unread[:8]]
    return ", ".join(view.joined.words(span=span)[:40] for span in spans) + (" ..." if len(view.unread) > 8 else "")


def of_drugs(*, view: View, asked_refill: bool) -> list[Doubt]:
    doubts = [doubt for mention in view.mentions for doubt in mention.doubts]
    if asked_refill and not view.mentions:
        doubts.append(Doubt(code=DoubtCode.no_drug_named, sentence="No drug is named."))
    twice = [
        entry
        for entry, count in Counter(one.resolves_to for one in view.mentions if one.resolves_to).items()
        if count > 1
    ]
    if twice:
        doubts.append(Doubt(code=DoubtCode.two_entries_fit, sentence="One entry is named twice in different ways."))
    return doubts
