"""Why a person has to look at a thread: every reason, with its sentence and place.

Adds reasons only; nothing here can make a reading bolder.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rules.intake import cautions, classify, letters, phrases
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
    names: frozenset[int] = frozenset()
    thanked: tuple[tuple[int, int], ...] = ()


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
        if match and not (code is DoubtCode.all_medications and _names_them(view=view, words=match.group())):
            span = view.joined.span(start=match.start(), end=match.end())
            doubts.append(Doubt(code=code, sentence=sentence, span=span))
    doubts += _cautions(view=view, drug_spans=drug_spans)
    for match in _QUESTION.finditer(view.joined.text):
        if not _ASKED.search(match.group()):
            span = view.joined.span(start=match.start(), end=match.end())
            doubts.append(Doubt(code=DoubtCode.not_a_refill, sentence="A question that asks for no refill.", span=span))
            break
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


_QUESTION = re.compile(r"[^.!?\n]{3,}\?")
_ASKED = re.compile(
    r"\bre-?\s?fil\w*|\brenew\w*|\bcan\b|\bcould\b|\bmay i\b|\bwould\b|\bwill you\b|\bplease\b"
    r"|\bpued\w+|\bpodr\w+|\bme (?:la |lo |las |los )?(?:mand|envi|surt|resurt|hac|ayud|orden"
    r"|renu|pid|autori)\w*|\bmind\b|\bpossible\b|\bposible\b|\bhow are\b|\bcomo esta\w*|\bhow('s"
    r"| is) (?:it|every|the|your)|\bneed\b|\bsend\b|\bok\b|\bokay\b|\bresurt\w*|\brecet\w*"
)


def _cautions(*, view: View, drug_spans: Sequence[tuple[int, int]]) -> list[Doubt]:
    """What no courtesy excuses, over the whole text with drugs blotted out."""
    text = re.sub(
        "_+",
        lambda match: "_" + "\x00" * (len(match.group()) - 1),
        classify.mask(text=view.joined.text, spans=drug_spans),
    )
    packed, back = _packed(text)
    shown = [(code, sentence, match) for (code, sentence), match in cautions.CAUTIONS.shown(text=packed)]
    checks = [(DoubtCode.pharmacy_unclear, cautions.MOVED, "May say that the pharmacy has changed.")]
    if any(set(one.ingredients) & cautions.RESCUE for one in view.mentions):
        checks.append((DoubtCode.symptom, cautions.USED, "A rescue drug may have been used."))
    if len(view.mentions) > 1:
        checks.append((DoubtCode.conditional, cautions.APART, "Something is said of one of the drugs apart."))
        checks.append((DoubtCode.conditional, cautions.CORRECTED, "One drug may stand in the place of another."))
    for code, pattern, sentence in checks:
        match = pattern.search(packed)
        if match:
            shown.append((code, sentence, match))
    found = []
    for code, sentence, match in shown:
        span = view.joined.span(start=back[match.start()], end=back[max(match.end() - 1, match.start())] + 1)
        found.append(Doubt(code=code, sentence=sentence, span=span))
    return found


def _packed(text: str) -> tuple[str, list[int]]:
    """The text without filler characters, and the place of each character that is left."""
    back = [index for index, char in enumerate(text) if char != "\x00"]
    return "".join(text[index] for index in back), [*back, len(text)]


def _names_them(*, view: View, words: str) -> bool:
    """ "All of them" behind two names or more speaks of these, not of the whole list."""
    return len(view.mentions) > 1 and re.search(r"\b(?:them|em|these|those|stuff|ones|meds)$", words) is not None


def _shown(view: View) -> str:
    """The first words nobody explained, as written."""
    spans = [view.joined.span(start=view.words[one].start, end=view.words[one].end) for one in view.unread[:8]]
    return ", ".join(view.joined.words(span=span)[:40] for span in spans) + (" ..." if len(view.unread) > 8 else "")


_COUNTED = re.compile(
    r"\b(?:all|both|these|the|refill|renew|need|las|los|mis|my|say)?,? ?(one|two|three|four|five|six|2|3|4|5|6|dos"
    r"|tres|cuatro|cinco)"
    r" (?:of (?:my|mine|them)|refills?|meds?|medicines?|medications?|prescriptions?|rxs?|scripts?|drugs|items|recetas?"
    r"|medicinas?|medicamentos?|please|por favor)\b|\b(?:all|las|los) (two|three|four|five|six|dos|tres|cuatro|cinco"
    r"|2|3|4|5|6)\b"
    r"|\b(both|ambas|ambos|las dos|los dos)\b"
)
_COUNTS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5,
    "both": 2, "ambas": 2, "ambos": 2, "las dos": 2, "los dos": 2,
}  # fmt: skip


def counted_spans(*, text: str) -> list[tuple[int, int]]:
    """Where a number of medicines is told ("all three", "two refills"); `of_drugs` holds it against what was read."""
    return [match.span() for match in _COUNTED.finditer(text)]


def of_drugs(*, view: View, asked_refill: bool) -> list[Doubt]:
    """What the mentions themselves leave open, and a number of medicines that is not the number read."""
    doubts = [doubt for mention in view.mentions for doubt in mention.doubts]
    for match in _COUNTED.finditer(view.joined.text):
        said = next(group for group in match.groups() if group)
        count = int(said) if said.isdigit() else _COUNTS[said]
        is_of_refills = "refill" in match.group() and match.group()[-1] == "s"
        last = max((one.span for one in view.mentions), default=None)
        here = view.joined.span(start=match.start(), end=match.end())
        if is_of_refills and last is not None and here > last and count > 0:
            sentence = "A number of refills may be asked for."
            doubts.append(Doubt(code=DoubtCode.quantity_differs, sentence=sentence, span=here))
        elif count > 1 and count != len(view.mentions):
            sentence = f"{count} medicines are spoken of, {len(view.mentions)} were read."
            doubts.append(Doubt(code=DoubtCode.all_medications, sentence=sentence, span=here))
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
