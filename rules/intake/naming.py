"""Which list entry each drug found is, as the Mention a person sees: aliases first, then the match, then what differs.

Adds a doubt wherever what is written beside the name is not what the entry says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rules.intake import doubts, letters, matching, mentions, pieces
from rules.intake.lexicon import Lexicon, NameKind
from rules.intake.reading import Doubt, DoubtCode, Mention, Thread

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


def aliases_of(*, thread: Thread, lexicon: Lexicon) -> dict[str, str]:
    """Extra names of exactly one active entry; a name shared by two entries, or a known drug name, is none."""
    owners: dict[str, set[str]] = {}
    for item in thread.medications:
        for extra in (*item.extra_names, *item.proposed_names):
            key = letters.key(text=extra)
            known = lexicon.names.get(key)
            if key and item.is_active and (known is None or known.kind is NameKind.hint):
                owners.setdefault(key, set()).add(item.entry_id)
    return {key: next(iter(ids)) for key, ids in owners.items() if len(ids) == 1}


def mentions_of(
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
        elif result and _is_said_again(first=result[-1], second=mention, entries=entries, joined=joined):
            result[-1] = mention  # "my inhaler, the Ventolin"
        elif again is None or mention.doubts or (mention.strength and mention.strength != again.strength):
            result.append(mention)
    return tuple(result)


def _is_said_again(
    *, first: Mention, second: Mention, entries: Sequence[matching.Entry], joined: doubts.Joined
) -> bool:
    """Whether a lay name that fits several entries is told at once by the name behind it, not joined by "and"."""
    if first.kind != NameKind.hint or DoubtCode.hint_not_unique not in {one.code for one in first.doubts}:
        return False
    if second.resolves_to is None or second.kind == NameKind.hint:
        return False
    if first.span.message == second.span.message:
        between = joined.originals[first.span.message][first.span.end : second.span.start].lower()
    else:
        between = joined.originals[second.span.message][: second.span.start].lower()
    is_apposed = len(between) <= 24 and not re.search(r"[&+]|\b(?:and|y|plus|also|tambien|or|o)\b", between)
    own = next(entry for entry in entries if entry.item.entry_id == second.resolves_to)
    return is_apposed and own.item.name in {rival.name for rival in first.rivals}


def _match_of_alias(*, entry: matching.Entry, key: str, stated: matching.Stated) -> matching.Match:
    """The entry an alias belongs to; one that no prescriber has confirmed is a doubt (row F056, learning loop)."""
    is_confirmed = key in {letters.key(text=one) for one in entry.item.extra_names}
    match = matching.of_alias(entry=entry, stated=stated, score=90 if is_confirmed else 60)
    return match if is_confirmed else replace(match, doubts=(DoubtCode.alias_unconfirmed, *match.doubts))


def _mention(
    *, joined: doubts.Joined, words: Sequence[letters.Token], found: pieces.Found, match: matching.Match
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
