"""Read a thread: words in, Reading out. Pure, total (any text), and careful: every word must be explained.

A plain refill is what is left when nothing is doubtful: one topic, every drug resolved, no word unread. It never
decides and never raises on text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rules.intake import (
    classify,
    danger,
    doubts,
    everyday,
    letters,
    matching,
    mending,
    mentions,
    naming,
    people,
    pharmacies,
    plain_words,
    purposes,
    verdict,
    weighing,
)
from rules.intake.lexicon import Lexicon
from rules.intake.reading import (
    Intent,
    IntentSeen,
    Mention,
    PharmacyMention,
    Reading,
    Span,
    Thread,
)

MAX_READ = 12_000  # folded characters; what is longer is read up to here and reaches a person


@dataclass(frozen=True, slots=True)
class Looked:
    """What stands in a thread, before anything is made of it."""

    joined: doubts.Joined
    words: tuple[letters.Token, ...]
    harmless: list[tuple[int, int]]
    shops: Sequence[pharmacies.Found]
    places: list[tuple[int, int]]
    names: set[int]
    explained: set[int]
    finds: mentions.Finds
    drug_mentions: tuple[Mention, ...]
    drug_spans: list[tuple[int, int]]
    told: list[tuple[int, int]]

    def tokens(self) -> list[tuple[str, int]]:
        """The words as they are weighed."""
        return weighing.masked(
            words=self.words,
            starts=self.joined.starts,
            drugs=self.drug_spans,
            names=self.names,
            shops=self.places,
            manners=danger.manners(text=self.joined.text.replace("\n", " ")),
        )


def look(*, thread: Thread, lexicon: Lexicon) -> Looked:
    """Fold all messages to one text; find fixed phrases, pharmacies, people and drugs."""
    joined = _join(thread=thread, lexicon=lexicon)
    words = letters.tokens(text=joined.text)
    entries = matching.entries_of(medications=thread.medications, lexicon=lexicon)
    flat = joined.text.replace("\n", " ")
    bare_purposes = purposes.spans(text=flat)
    harmless = [*classify.harmless_spans(text=flat), *bare_purposes, *doubts.counted_spans(text=flat)]
    drug_words = {one.text for one in words if one.text in lexicon.names}
    written = joined.written(words=words)
    shops = pharmacies.find(text=joined.text, known_drugs=drug_words, capitals=_capitals(words=words, written=written))
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
        aliases=naming.aliases_of(thread=thread, lexicon=lexicon),
        entry_sets=active_sets,
        lexicon=lexicon,
    )
    drug_mentions = naming.mentions_of(joined=joined, words=words, finds=finds, entries=entries, lexicon=lexicon)
    # A misspelt name may be an everyday word that tells a topic ("increase"): it is never blotted out.
    guessed = {index for one in finds.found if one.named.distance for index in range(one.first, one.last)}
    drug_spans = [(words[index].start, words[index].end) for index in finds.covered - guessed]
    called = people.full_names(words=words, original=written, names=names)
    places = [(shop.start, shop.end) for shop in shops]
    told = [*called, *bare_purposes, *(match.span() for match in pharmacies.TOWNS.finditer(flat))]
    return Looked(joined, words, harmless, shops, places, names, explained, finds, drug_mentions, drug_spans, told)


def read(*, thread: Thread, lexicon: Lexicon) -> Reading:
    """Understand a thread (oldest message first) against the patient's list.

    1. fold all messages to one text; 2. fixed phrases, pharmacies, drugs; 3. topics; 4. doubts; 5. the verdict.
    """
    here = look(thread=thread, lexicon=lexicon)
    joined, words, harmless, names = here.joined, here.words, here.harmless, here.names
    finds, drug_mentions, drug_spans = here.finds, here.drug_mentions, here.drug_spans
    shops, places, explained, told = here.shops, here.places, here.explained, here.told
    seen = classify.topics(text=joined.text, drugs=drug_spans, fixed=[*harmless, *places], names=told)
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
    if not any(one.intent is Intent.emergency for one in intents):
        intents += _weighed(here=here)
    shop_mentions = _shops(joined=joined, shops=shops, thread=thread)
    view = doubts.View(
        thread,
        joined,
        words,
        intents,
        drug_mentions,
        shop_mentions,
        tuple(unread),
        frozenset(known),
        finds.was_cut,
        frozenset(names),
        _thanked(seen=seen, flat=joined.text.replace("\n", " ")),
    )
    found = verdict.verdict_of(view=view, harmless=harmless, drug_spans=drug_spans)
    return replace(found, release=lexicon.release)


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


def _is_harmless_word(word: str) -> bool:
    lists = everyday.load()
    return word in plain_words.ALL or word in lists.benign or word in lists.neutral


def _thanked(*, seen: Sequence[classify.Seen], flat: str) -> tuple[tuple[int, int], ...]:
    """Where thanks are said, with what belongs to them ("thanks for your help")."""
    found = [(one.start, one.end) for one in seen if one.intent is Intent.thanks]
    return (*found, *(match.span() for match in classify.THANKING.finditer(flat)))


def _capitals(*, words: Sequence[letters.Token], written: Sequence[str]) -> frozenset[int]:
    """Where words begin that are written with a capital, in a message that is not all capitals."""
    found = {word.start for word, text in zip(words, written, strict=True) if text[:1].isupper()}
    shouted = sum(1 for text in written if text.isupper() and len(text) > 2)
    return frozenset(found) if shouted * 3 <= len(words) else frozenset()


def _intents(*, joined: doubts.Joined, seen: Sequence[classify.Seen]) -> tuple[IntentSeen, ...]:
    result = []
    for one in seen:
        span = joined.span(start=one.start, end=one.end)
        result.append(IntentSeen(intent=one.intent, span=span, words=joined.words(span=span), weight=one.weight))
    return tuple(result)


def _weighed(*, here: Looked) -> tuple[IntentSeen, ...]:
    """An emergency that no pattern tells, but the words together weigh like one."""
    found = weighing.weigh(tokens=here.tokens())
    if not found.is_enough or found.heaviest is None:
        return ()
    word = here.words[found.heaviest]
    span = here.joined.span(start=word.start, end=word.end)
    return (IntentSeen(intent=Intent.emergency, span=span, words=here.joined.words(span=span), weight=80),)


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
