"""The verdict on what was seen: one plain refill, plain thanks, a plain "never mind", or a person.

Everything that is not exactly one of the three is a person's; every doubt closes the way to a plain refill.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rules.intake import doubts, letters, plain_words
from rules.intake.reading import Doubt, DoubtCode, Intent, Reading

PLAIN_CONFIDENCE = 70
BARE_ASK = re.compile(
    r"\b(?:please|por favor|favor|left|out|low|gone|empty|thanks|thank|gracias|quedan?|acab\w+|termin\w+|rf|again|de"
    r" nuevo"
    r"|le encargo|me urge|time for)\b"
)
URGENCY = (
    Intent.emergency,
    Intent.pregnancy,
    Intent.symptom,
    Intent.cancel,
    Intent.stop_or_not_needed,
    Intent.dose_change,
    Intent.new_drug,
    Intent.lost_or_early,
    Intent.pharmacy_change,
    Intent.refill_status,
    Intent.lab,
    Intent.appointment,
    Intent.billing,
    Intent.other,
    Intent.refill,
    Intent.thanks,
)


def verdict_of(
    *, view: doubts.View, harmless: Sequence[tuple[int, int]], drug_spans: Sequence[tuple[int, int]]
) -> Reading:
    topics = {one.intent for one in view.intents} - {Intent.thanks}
    if not topics - {Intent.refill} and Intent.refill not in topics and _is_bare_drug_ask(view=view):
        topics.add(Intent.refill)
    primary = next((one for one in URGENCY if one in topics), None) or _rest(view=view)
    reasons = [*doubts.of_sender(view=view), *doubts.of_topics(view=view, topics=topics)]
    reasons += doubts.of_words(view=view, harmless=harmless, drug_spans=drug_spans)
    asked_refill = Intent.refill in topics
    reasons += doubts.of_drugs(view=view, asked_refill=asked_refill)
    confidence = _confidence(view=view, reasons=reasons)
    if confidence < PLAIN_CONFIDENCE and not reasons:
        reasons.append(Doubt(code=DoubtCode.low_confidence, sentence="Not sure enough of what is asked."))
    is_plain_refill = topics == {Intent.refill} and bool(view.mentions) and not reasons
    blocking = {one.code for one in reasons} - {DoubtCode.cancelled, DoubtCode.no_drug_named, DoubtCode.not_a_refill}
    is_thanks = (
        not topics and primary is Intent.thanks and not blocking and not view.mentions and _only_thanks(view=view)
    )
    is_cancel = _is_cancel(view=view, topics=topics, blocking=blocking)
    is_shop_change = topics == {Intent.pharmacy_change} and len(view.shops) == 1 and not blocking and not view.mentions
    if is_cancel:
        reasons = [one for one in reasons if one.code is DoubtCode.cancelled]
    if not (is_plain_refill or is_thanks or is_cancel) and not reasons:
        reasons.append(Doubt(code=DoubtCode.not_a_refill, sentence="Not a plain ask for a refill."))
    return Reading(
        primary=Intent.cancel if is_cancel else primary,
        intents=view.intents,
        mentions=view.mentions,
        pharmacies=view.shops,
        doubts=tuple(reasons),
        confidence=confidence,
        language=_language(view=view),
        is_plain_refill=is_plain_refill,
        is_plain_thanks=is_thanks,
        is_plain_pharmacy_change=is_shop_change,
        is_cancel=is_cancel,
        is_emergency=Intent.emergency in topics,
        has_symptom=bool(topics & {Intent.symptom, Intent.emergency, Intent.pregnancy}),
        tag_agrees=doubts.tag_agrees(view=view, topics=topics),
        must_reach_person=not (is_plain_refill or is_thanks or is_cancel),
    )


def _is_bare_drug_ask(*, view: doubts.View) -> bool:
    """ "lisinopril 10 mg please": every word is explained and nothing is said but drugs, courtesy, a pharmacy and the
    end of a supply, so these or the conversation's tag stand for the verb. A statement
    ("sertraline is great") is none."""
    if not view.mentions or view.unread or STATED.search(view.joined.text):
        return False
    if any(word.text in STATING for index, word in enumerate(view.words) if index not in view.known):
        return False
    return "refill" in view.thread.tags or bool(view.shops) or bool(BARE_ASK.search(view.joined.text))


STATED = re.compile(
    r"\b(?:all gone|finished|i'?m on|i am on|on my list|my list|my meds are|love|loving|works?"
    r"|working|helps?|great|wonderful)\b"
)
STATING = frozenset(
    "is are was were am has have had does do did list love loving like likes take takes taking"
    " through es son esta estan tengo"
    " tiene tomo".split()
)


def _rest(*, view: doubts.View) -> Intent:
    if any(one.intent is Intent.thanks for one in view.intents) and not view.mentions:
        return Intent.thanks
    return Intent.unclear


def _confidence(*, view: doubts.View, reasons: Sequence[Doubt]) -> int:
    """0-100: the weakest link of asking words and drug scores; any doubt caps it at 60, danger is certain enough."""
    weights = (
        [one.weight for one in view.intents if one.intent is not Intent.thanks]
        or [one.weight for one in view.intents if not view.mentions]
        or [80 if view.mentions and _is_bare_drug_ask(view=view) else 60 if view.words else 0]
    )
    scores = [one.score for one in view.mentions] or [100]
    base = min(max(weights), *scores)
    return min(base, max(10, 60 - 5 * len(reasons))) if reasons else base


def _only_thanks(*, view: doubts.View) -> bool:
    """Whether nothing stands beside the thanks that asks, tells or plans anything."""
    return all(
        word.text in THANKS_WORDS or index in view.names or _is_thanked(word=word, view=view)
        for index, word in enumerate(view.words)
    )


def _is_thanked(*, word: letters.Token, view: doubts.View) -> bool:
    return any(start <= word.start and word.end <= end for start, end in view.thanked)


THANKS_WORDS = frozenset(
    "thanks thank you u so much very a lot again all guys everyone doctor dr doc nurse team ok"
    " okay great perfect wonderful"
    " awesome good got it yay appreciated appreciate kindly bless god best the most help your for"
    " my day have nice blessed"
    " weekend week evening morning afternoon night and to too gracias muchas mil muy amable dios"
    " bendiga los las le lo la que"
    " tenga buen buena dia tarde noche usted ustedes doctora hi hello hey hola bye y por su ayuda"
    " todo igualmente happy holidays"
    " merry christmas thanksgiving easter new year yes sounds lovely will do excellent amazing cool".split()
)


def _is_cancel(*, view: doubts.View, topics: set[Intent], blocking: set[DoubtCode]) -> bool:
    """The newest message takes back, and says nothing else that matters; nothing worrying stands before it."""
    allowed = {Intent.cancel, Intent.refill, Intent.stop_or_not_needed, Intent.refill_status}
    newest = len(view.thread.messages) - 1
    if Intent.cancel not in topics or not topics <= allowed:
        return False
    here = [one for one in view.intents if one.span.message == newest]
    if not any(one.intent is Intent.cancel for one in here):
        return False
    if newest == 0 and any(one.words.lower().startswith(("cancel", "please cancel")) for one in here):
        return False  # nothing of this burst is taken back: it may be an earlier request, or an appointment
    if any(one.span.message == newest for one in view.mentions) or view.joined.folded[newest].symbols:
        return False
    outer = {
        DoubtCode.author_not_patient,
        DoubtCode.voicemail,
        DoubtCode.attachment,
        DoubtCode.odd_characters,
        DoubtCode.language,
        DoubtCode.too_long,
        DoubtCode.source_unknown,
        DoubtCode.for_someone_else,
        DoubtCode.instruction_text,
        DoubtCode.conditional,
    }
    if blocking & outer:
        return False
    begin = view.joined.starts[newest]
    ok = plain_words.TAKING_BACK
    spans = [(one.span.start, one.span.end) for one in here if one.intent is Intent.cancel]
    text = letters.fold(text=view.joined.originals[newest]).text
    rest = [
        word.text
        for word in letters.tokens(text=text)
        if not any(start <= word.start and word.end <= end for start, end in spans)
    ]
    return begin >= 0 and len(rest) <= 12 and all(word in ok for word in rest)


def _language(*, view: doubts.View) -> str:
    if any(part.foreign for part in view.joined.folded):
        return "other"
    spanish = sum(1 for word in view.words if word.text in plain_words.SPANISH and word.text not in plain_words.ENGLISH)
    english = sum(1 for word in view.words if word.text in plain_words.ENGLISH and word.text not in plain_words.SPANISH)
    if spanish > english:
        return "es"
    return "en" if english or len(view.unread) * 2 <= len(view.words) else "other"
