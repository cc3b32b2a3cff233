"""What is made of what: the relations of a release as look-ups, and the ingredients that follow from them.

A drug whose parts are not all known is given an ingredient nobody knows, so that its schedule is unknown everywhere
and its ingredient set equals no other.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.rxnorm.reading import Concepts, Relations


@dataclass(frozen=True, slots=True)
class Made:
    """Of what something is made; `is_whole`: every part is known. `salts` are the names of precise ingredients."""

    ingredients: frozenset[str]
    is_whole: bool
    salts: frozenset[str] = frozenset()

    def named(self, *, code: int) -> tuple[str, ...]:
        """Ingredient names as a table holds them; none at all where nothing is known."""
        if self.is_whole or not self.ingredients:
            return tuple(sorted(self.ingredients))
        return tuple(sorted({*self.ingredients, f"unknown ingredient of {code}"}))


class Graph:
    """Look-ups by RxCUI over the pairs of a release; `names` are ingredient names as our tables spell them."""

    def __init__(self, *, concepts: Concepts, relations: Relations, names: Mapping[int, str]) -> None:
        self.concepts, self.lacking, self.names = concepts, relations.lacking, names
        self._below: dict[str, dict[int, list[int]]] = {}
        for link, flat in relations.pairs.items():
            found: defaultdict[int, list[int]] = defaultdict(list)
            for whole, part in zip(flat[::2], flat[1::2], strict=True):
                if part not in found[whole]:  # the file holds each relation in both directions
                    found[whole].append(part)
            self._below[link] = dict(found)

    def below(self, link: str, code: int) -> list[int]:
        """The parts of `code` by one link, as "SCD consists_of SCDC"."""
        return self._below.get(link, {}).get(code, [])

    def turned(self, link: str) -> dict[int, list[int]]:
        """Wholes by part."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for whole, parts in self._below.get(link, {}).items():
            for part in parts:
                found[part].append(whole)
        return dict(found)

    def of_salt(self, code: int) -> frozenset[str]:
        """The ingredient of a precise ingredient."""
        return frozenset(self.names[one] for one in self.below("PIN form_of IN", code))

    def of_combination(self, code: int) -> Made:
        """The parts of a MIN: ingredients, or salts that stand for theirs."""
        plain, salts = self.below("MIN has_part IN", code), self.below("MIN has_part PIN", code)
        found = frozenset(self.names[one] for one in plain).union(*(self.of_salt(one) for one in salts))
        said = self.concepts.names[code].count(" / ") + 1
        is_whole = code not in self.lacking and len(plain) + len(salts) >= said and all(map(self.of_salt, salts))
        return Made(found, is_whole and bool(found))

    def of_component(self, code: int) -> Made:
        """An SCDC, or an SCDF: one ingredient as a rule, and its salt."""
        kind = self.concepts.kinds[code]
        salts = self.below("SCDC has_precise_ingredient PIN", code)
        found = frozenset(self.names[one] for one in self.below(f"{kind} has_ingredient IN", code))
        is_whole = code not in self.lacking
        for one in () if found else self.below("SCDC has_ingredient MIN", code):
            made = self.of_combination(one)
            found, is_whole = found | made.ingredients, is_whole and made.is_whole
        if not found:
            found = frozenset[str]().union(*(self.of_salt(one) for one in salts))
        names = frozenset(self.concepts.names[one] for one in salts)
        return Made(found, is_whole and bool(found), names)

    def of_drug(self, code: int) -> Made:
        """An SCD by its components and, beside them, its form: either way may vouch that nothing is missing.

        RxNorm names a clinical drug by its components with " / " between them: fewer components than the name says
        means that a relation is missing, and the missing one may be the controlled one.
        """
        said = self.concepts.names[code].count(" / ") + 1
        parts = [self.of_component(one) for one in self.below("SCD consists_of SCDC", code)]
        forms = [self.of_component(one) for one in self.below("SCD isa SCDF", code)]
        by_form = _joined(forms)
        by_parts = code not in self.lacking and len(parts) >= said and all(one.is_whole for one in parts)
        vouched = by_parts or (bool(forms) and all(one.is_whole for one in forms) and len(by_form.ingredients) >= said)
        made = _joined([*parts, *forms])
        return Made(made.ingredients, vouched and bool(made.ingredients), made.salts)

    def of_pack(self, *, code: int, contents: Mapping[int, Made]) -> Made:
        """A pack by its contents, which its name must not outnumber."""
        made = _joined(contents.values())
        is_whole = code not in self.lacking and all(one.is_whole for one in contents.values())
        is_whole = is_whole and len(contents) >= len(_said_in_pack(self.concepts.names[code]))
        return Made(made.ingredients, is_whole and bool(made.ingredients), made.salts)


def _joined(several: Iterable[Made]) -> Made:
    found = list(several)
    return Made(
        frozenset[str]().union(*(one.ingredients for one in found)),
        all(one.is_whole for one in found),
        frozenset[str]().union(*(one.salts for one in found)),
    )


def _said_in_pack(name: str) -> set[str]:
    """The different drugs a pack's name lists: "{21 (a 1 MG Tablet) / 1 (5 ML) (b Gel) } Pack [Brand]"."""
    body = name[name.find("{") + 1 : name.rfind("}")]
    depth, groups, start = 0, [""], 0
    for place, char in enumerate(body):
        if char == "(":
            depth += 1
            start = place if depth == 1 else start
        elif char == ")":
            depth -= 1
            if depth == 0:
                groups[-1] = body[start + 1 : place]
        elif depth == 0 and body.startswith(" / ", place):
            groups.append("")
    # The same drug may stand twice in different amounts, and branded beside plain.
    return {re.sub(r" \[[^\]]*\]$", "", one.strip()) for one in groups}
