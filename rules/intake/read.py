"""Read a thread: words in, Reading out. Pure, total (any text), and careful: every word must be explained.

A plain refill is what is left when nothing is doubtful: one topic, every drug resolved, no word unread. It never
decides and never raises on text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rules.intake import (
    classify,
    doubts,
    everyday,
    letters,
    matching,
    mending,
    mentions,
    people,
    pharmacies,
    plain_words,
)
from rules.intake.lexicon import Lexicon, NameKind
from rules.intake.reading import (
    Doubt,
    DoubtCode,
    Intent,
    IntentSeen,
    Mention,
    PharmacyMention,
    Reading,
    Span,
    Thread,
)

MAX_READ = 12_000  # folded characters; what is longer is read up to here and reaches a person
PLAIN_CONFIDENCE = 70
BARE_ASK = re.compile(
    r"\b(?:please|por favor|favor|left|out|low|gone|empty|thanks|thank|gracias|quedan?|acab\w+|termin\w+|rf|again|de"
    r" nuevo"
    r"|le encargo|me urge|time for)\b"
)
SENTENCES = {
    DoubtCode.not_on_list: "This drug is not on the active list.",
    DoubtCode.entry_not_active: "This drug is on the list but not active.",
    DoubtCode.two_entries_fit: "More than one entry of the list fits.",
    DoubtCode.sound_alike: "Another known drug has nearly the same name.",
    DoubtCode.combination: "The list has this ingredient only as part of a combination, or apart from it.",
    DoubtCode.hint_not_unique: "A lay name; not exactly one active entry belongs to it.",
    DoubtCode.alias_unconfirmed: "An alias of this list entry that no prescriber has confirmed.",
    DoubtCode.strength_differs: "The strength written is not the entry's, or cannot be compared.",
    DoubtCode.form_differs: "The form, salt or release written is not the entry's, or cannot be compared.",
}
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


def read(*, thread: Thread, lexicon: Lexicon) -> Reading:
    """Understand a thread (oldest message first) against the patient's list.

    1. fold all messages to one text; 2. fixed phrases, pharmacies, drugs; 3. topics; 4. doubts; 5. the verdict.
    """
    joined = _join(thread=thread, lexicon=lexicon)
    words = letters.tokens(text=joined.text)
    entries = matching.entries_of(medications=thread.medications, lexicon=lexicon)
    harmless = classify.harmless_spans(text=joined.text.replace("\n", " "))
    drug_words = {one.text for one in words if one.text in lexicon.names}
    shops = pharmacies.find(text=joined.text, known_drugs=drug_words)
    written = joined.written(words=words)
    names = people.name_tokens(
        text=joined.text,
        words=words,
        original=written,
        known_names=thread.known_names,
        figures=_tokens_in(words=words, spans=harmless),
        lexicon=lexicon,
    )
    explained = _tokens_in(words=words, spans=[*harmless, *((shop.start, shop.end) for shop in shops)]) | names
    active_sets = frozenset(one for entry in entries if entry.item.is_active for one in entry.choices)
    finds = mentions.find(
        text=joined.text,
        words=words,
        harmless=explained,
        aliases=_aliases(thread=thread, lexicon=lexicon),
        entry_sets=active_sets,
        lexicon=lexicon,
    )
    drug_mentions = _mentions(joined=joined, words=words, finds=finds, entries=entries, lexicon=lexicon)
    # A misspelt name may be an everyday word that tells a topic ("increase"): it is never blotted out.
    guessed = {index for one in finds.found if one.named.distance for index in range(one.first, one.last)}
    drug_spans = [(words[index].start, words[index].end) for index in finds.covered - guessed]
    called = people.full_names(words=words, original=written, names=names)
    places = [(shop.start, shop.end) for shop in shops]
    seen = classify.topics(text=joined.text, drugs=drug_spans, fixed=[*harmless, *places], names=called)
    known = explained | finds.covered
    mended = classify.mended(text=joined.text, words=words, known=known)
    mended_danger = bool(mended) and [
        one for one in classify.topics(text=mended, drugs=(), fixed=()) if one.intent in classify.READ_IN_PHRASES
    ]
    shown = (Intent.refill, Intent.thanks, Intent.pharmacy_change, Intent.cancel)
    asks = _tokens_in(words=words, spans=[(one.start, one.end) for one in seen if one.intent in shown])
    unread = [
        index
        for index, word in enumerate(words)
        if index not in known and index not in asks and not _is_harmless_word(word.text)
    ]
    intents = _intents(joined=joined, seen=seen)
    drug_mentions = tuple(one for one in drug_mentions if not _is_topic_word(mention=one, intents=intents))
    if mended_danger:
        intents += tuple(
            IntentSeen(intent=one, span=Span(0, 0, 0), words="(misspelt)", weight=70)
            for one in dict.fromkeys(each.intent for each in mended_danger)
        )
    shop_mentions = _shops(joined=joined, shops=shops, thread=thread)
    view = doubts.View(
        thread, joined, words, intents, drug_mentions, shop_mentions, tuple(unread), frozenset(known), finds.was_cut
    )
    verdict = _verdict(view=view, harmless=harmless, drug_spans=drug_spans)
    return replace(verdict, release=lexicon.release)


def _join(*, thread: Thread, lexicon: Lexicon) -> doubts.Joined:
    folded = tuple(
        mending.mended(folded=letters.fold(text=message.text), lexicon=lexicon) for message in thread.messages
    )
    starts, length, kept = [], 0, []
    for part in folded:
        starts.append(length)
        kept.append(part.text)
        length += len(part.text) + 1
    text = "\n".join(kept)
    return doubts.Joined(
        text[:MAX_READ],
        tuple(starts) or (0,),
        folded or (letters.fold(text=""),),
        tuple(message.text for message in thread.messages) or ("",),
        len(text) > MAX_READ,
    )


def _tokens_in(*, words: Sequence[letters.Token], spans: Iterable[tuple[int, int]]) -> set[int]:
    found: set[int] = set()
    starts = [word.start for word in words]
    for start, end in spans:
        index = bisect_left(starts, start)
        while index < len(words) and words[index].end <= end:
            found.add(index)
            index += 1
    return found


def _aliases(*, thread: Thread, lexicon: Lexicon) -> dict[str, str]:
    """Extra names of exactly one active entry; a name shared by two entries, or a known drug name, is none."""
    owners: dict[str, set[str]] = {}
    for item in thread.medications:
        for extra in (*item.extra_names, *item.proposed_names):
            key = letters.key(text=extra)
            known = lexicon.names.get(key)
            if key and item.is_active and (known is None or known.kind is NameKind.hint):
                owners.setdefault(key, set()).add(item.entry_id)
    return {key: next(iter(ids)) for key, ids in owners.items() if len(ids) == 1}


def _mentions(
    *,
    joined: doubts.Joined,
    words: Sequence[letters.Token],
    finds: mentions.Finds,
    entries: Sequence[matching.Entry],
    lexicon: Lexicon,
) -> tuple[Mention, ...]:
    result: list[Mention] = []
    by_id = {entry.item.entry_id: entry for entry in entries}
    for found in finds.found:
        if found.alias_of:
            match = _match_of_alias(entry=by_id[found.alias_of], key=found.named.key, stated=found.stated())
        else:
            match = matching.resolve(named=found.named, stated=found.stated(), entries=entries, lexicon=lexicon)
        mention = _mention(joined=joined, words=words, found=found, match=match)
        again = next((one for one in result if one.resolves_to and one.resolves_to == mention.resolves_to), None)
        if again is not None and again.kind == NameKind.hint and not mention.doubts:
            result[result.index(again)] = mention  # "my thyroid med, the levothyroxine": the name says it better
        elif again is None or mention.doubts or (mention.strength and mention.strength != again.strength):
            result.append(mention)
    return tuple(result)


def _match_of_alias(*, entry: matching.Entry, key: str, stated: matching.Stated) -> matching.Match:
    """The entry an alias belongs to; one that no prescriber has confirmed is a doubt (row F056, learning loop)."""
    is_confirmed = key in {letters.key(text=one) for one in entry.item.extra_names}
    match = matching.of_alias(entry=entry, stated=stated, score=90 if is_confirmed else 60)
    return match if is_confirmed else replace(match, doubts=(DoubtCode.alias_unconfirmed, *match.doubts))


def _mention(
    *, joined: doubts.Joined, words: Sequence[letters.Token], found: mentions.Found, match: matching.Match
) -> Mention:
    first = min([found.first, *(piece.first for piece in found.pieces if piece.first == found.first - 1)])
    last = max([found.last, *(piece.last for piece in found.pieces if piece.last <= found.last + 4)])
    span = joined.span(start=words[found.first].start, end=words[found.last - 1].end)
    wide = joined.span(start=words[first].start, end=words[last - 1].end)
    stated, name = found.stated(), found.named.name
    quantity, days = found.number_of("quantity"), found.number_of("days")
    directions = found.text_of("directions")
    codes = list(match.doubts)
    quantity_differs = False
    if match.entry is not None:
        item = match.entry.item
        dispensed = item.quantity.strip().removesuffix(".0").removesuffix(".00")
        quantity_differs = quantity is not None and dispensed != str(quantity)
        if days is not None:
            a_day = mentions.rate_of(directions=item.directions)
            quantity_differs = quantity_differs or a_day is None or dispensed != str(days * a_day)
        if quantity_differs:
            codes.append(DoubtCode.quantity_differs)
        rate = mentions.rate_of(directions=directions) if directions else None
        if directions and (rate is None or rate != mentions.rate_of(directions=item.directions)):
            codes.append(DoubtCode.directions_in_message)
    bare = " ".join(f"{float(one):.6g}" for one in stated.bare)
    strength = " ".join(part for part in (" / ".join(one.text() for one in stated.amounts), bare) if part)
    sets = name.ingredient_sets
    return Mention(
        span=span if wide.message != span.message else wide,
        words=joined.words(span=span if wide.message != span.message else wide),
        read_as=match.entry.item.name if found.alias_of and match.entry else name.text,
        ingredients=sets[0] if len(sets) == 1 else (),
        strength=strength,
        form=" ".join(part for part in (stated.shape, stated.release) if part),
        quantity=quantity,
        days=days,
        directions=directions,
        resolves_to=match.entry.item.entry_id if match.entry else None,
        score=match.score,
        kind="misspelling" if found.named.distance else "list_alias" if found.alias_of else name.kind.value,
        rivals=match.rivals,
        strength_differs=match.strength_differs,
        form_differs=match.form_differs,
        quantity_differs=quantity_differs,
        doubts=tuple(Doubt(code=code, sentence=_sentence(code), span=span) for code in codes),
    )


def _sentence(code: DoubtCode) -> str:
    return SENTENCES.get(code) or {
        DoubtCode.quantity_differs: "A quantity or days supply is written that is not the entry's.",
        DoubtCode.directions_in_message: "Directions are written that are not the entry's, or cannot be compared.",
    }.get(code, "Needs a look.")


def _is_harmless_word(word: str) -> bool:
    return word in plain_words.ALL or word in everyday.load().benign


def _intents(*, joined: doubts.Joined, seen: Sequence[classify.Seen]) -> tuple[IntentSeen, ...]:
    result = []
    for one in seen:
        span = joined.span(start=one.start, end=one.end)
        result.append(IntentSeen(intent=one.intent, span=span, words=joined.words(span=span), weight=one.weight))
    return tuple(result)


def _is_topic_word(*, mention: Mention, intents: Sequence[IntentSeen]) -> bool:
    """A guessed name that resolved to nothing and lies in the words of another topic is no drug ("increase")."""
    return (
        mention.kind == "misspelling"
        and mention.resolves_to is None
        and any(
            one.intent not in (Intent.refill, Intent.thanks)
            and one.span.message == mention.span.message
            and one.span.start < mention.span.end
            and mention.span.start < one.span.end
            for one in intents
        )
    )


def _shops(*, joined: doubts.Joined, shops: Sequence[pharmacies.Found], thread: Thread) -> tuple[PharmacyMention, ...]:
    spans = [joined.span(start=shop.start, end=shop.end) for shop in shops]
    return pharmacies.mentions_of(
        found=shops, known=thread.known_pharmacies, spans=[(span, joined.words(span=span)) for span in spans]
    )


def _verdict(
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
    is_thanks = not topics and primary is Intent.thanks and not blocking and not view.mentions
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
    """ "lisinopril 10 mg please": every word is explained and nothing else is said, so courtesy, a pharmacy, the end of
    a supply or the conversation's tag stands for the verb."""
    if not view.mentions or view.unread:
        return False
    return "refill" in view.thread.tags or bool(view.shops) or bool(BARE_ASK.search(view.joined.text))


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


def _is_cancel(*, view: doubts.View, topics: set[Intent], blocking: set[DoubtCode]) -> bool:
    """The newest message takes back, and says nothing else that matters; nothing worrying stands before it."""
    allowed = {Intent.cancel, Intent.refill, Intent.stop_or_not_needed, Intent.refill_status}
    newest = len(view.thread.messages) - 1
    if Intent.cancel not in topics or not topics <= allowed:
        return False
    here = [one for one in view.intents if one.span.message == newest]
    if not any(one.intent is Intent.cancel for one in here):
        return False
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
    ok = plain_words.ALL | plain_words.TAKING_BACK
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
