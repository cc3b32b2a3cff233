"""Names that stand together: "losartan-hctz" is one combination, "Zestril (lisinopril)" one drug, "albuterol inhaler"
a drug with its form. Everything else stays as many drugs as were named.
"""

from __future__ import annotations

import re

from rules.intake import dose_forms, letters, matching
from rules.intake.lexicon import Ingredients, Lexicon, Name, NameKind
from rules.intake.pieces import LINKS, Found, Piece


def joined(
    *,
    text: str,
    words: tuple[letters.Token, ...],
    found: list[Found],
    entry_sets: frozenset[Ingredients],
    lexicon: Lexicon,
) -> list[Found]:
    """Join names that stand together: "losartan-hctz" is one combination, "Zestril (lisinopril)" one drug."""
    result: list[Found] = []
    for one in found:
        last = result[-1] if result else None
        if last is not None and _is_its_device(left=last, right=one, words=words):
            last.pieces.append(Piece("shape", one.first, one.last, text=_form_of(one)))
            continue
        if last is not None and _is_its_device(left=one, right=last, words=words, is_before=True):
            one.pieces.append(Piece("shape", last.first, last.last, text=_form_of(last)))
            result[-1] = one
            continue
        if last is None or last.pieces or last.alias_of or one.alias_of or last.last != one.first:
            result.append(one)
            continue
        gap = text[words[last.last - 1].end : words[one.first].start]
        left, right = last.named.name, one.named.name
        is_same = bool(set(left.ingredient_sets) & set(right.ingredient_sets)) and left.kind is not NameKind.hint
        if is_same and right.kind is not NameKind.hint and re.fullmatch(r"[\s(/,\[-]*", gap):
            better = right if right.kind is NameKind.salt or len(right.ingredient_sets) == 1 else left
            rivals = last.named.near_rivals + one.named.near_rivals
            distance = max(last.named.distance, one.named.distance)
            named = matching.Named(name=better, key=one.named.key, distance=distance, near_rivals=rivals)
            result[-1] = Found(last.first, one.last, named, pieces=one.pieces)
        elif union := _union(left=left, right=right, gap=gap, entry_sets=entry_sets, lexicon=lexicon):
            name = Name(f"{left.text} / {right.text}", NameKind.combination, (union,))
            named = matching.Named(
                name=name,
                key=f"{last.named.key} {one.named.key}",
                distance=max(last.named.distance, one.named.distance),
                near_rivals=last.named.near_rivals + one.named.near_rivals,
            )
            result[-1] = Found(last.first, one.last, named, pieces=one.pieces)
        else:
            result.append(one)
    return result


def _is_its_device(*, left: Found, right: Found, words: tuple[letters.Token, ...], is_before: bool = False) -> bool:
    """ "albuterol inhaler", "eye drops latanoprost": a lay name (`right`) that only says the form of the drug beside"
    " it."""
    if right.named.name.kind is not NameKind.hint or left.alias_of or left.named.name.kind is NameKind.hint:
        return False
    end = max([left.last, *(piece.last for piece in left.pieces)])
    low, high = (right.last, left.first) if is_before else (end, right.first)
    if not _form_of(right) or not 0 <= high - low <= 2:
        return False
    members = {part for choice in right.named.name.ingredient_sets for part in choice}
    is_linked = all(words[index].text in LINKS | {"en", "rescue", "de"} for index in range(low, high))
    return is_linked and any(set(choice) & members for choice in left.named.name.ingredient_sets)


def _form_of(found: Found) -> str:
    """The form a lay name tells with one of its words, or ""."""
    shapes = (dose_forms.SHAPE.get(word, "inhaler" if word == "puffer" else "") for word in found.named.key.split())
    return next((shape for shape in shapes if shape and shape not in ("tablet", "capsule")), "")


def _union(*, left: Name, right: Name, gap: str, entry_sets: frozenset[Ingredients], lexicon: Lexicon) -> Ingredients:
    """The combination two names that stand together mean, or () when they are two drugs of a list."""
    if NameKind.hint in (left.kind, right.kind) or not re.fullmatch(r"\s*[-/+&]\s*|\s+", gap):
        return ()
    if len(left.ingredient_sets) != 1 or len(right.ingredient_sets) != 1:
        return ()
    one, two = left.ingredient_sets[0], right.ingredient_sets[0]
    union = tuple(sorted({*one, *two}))
    if union in entry_sets:
        return union
    are_listed_apart = one in entry_sets and two in entry_sets
    is_known = union in lexicon.combinations
    return union if is_known and not are_listed_apart else ()
