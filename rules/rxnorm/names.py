"""The table of names: the release's ingredients, salts, combinations and brands, and what is carried over beside them.

Hand-kept tables (DEA, lay names, protocols) know ingredients by our spelling, so an ingredient that differs from it
in case alone keeps ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.intake import letters, tables
from rules.intake.tables import Tables
from rules.rxnorm.graph import Graph
from rules.rxnorm.reading import Concepts

NameRow = tuple[str, str, str, str, str]  # kind, name, RxCUI, ingredients, flags
Sets = Mapping[str, frozenset[tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Rows, sorted as the shipped table is; `dropped` are concepts without ingredients or of a name taken twice."""

    rows: tuple[NameRow, ...]
    dropped: int
    kept: int


def spelled(*, concepts: Concepts, shipped: Tables) -> dict[int, str]:
    """Ingredient names by RxCUI, in our spelling where only case differs."""
    ours = {row[0].casefold(): row[0] for row in tables.rows(text=shipped.dea)}
    ours |= {row[1].casefold(): row[1] for row in tables.rows(text=shipped.names) if row[0] == "IN"}
    plain = {code: concepts.names[code] for code, kind in concepts.kinds.items() if kind == "IN"}
    taken = set(plain.values())
    found: dict[int, str] = {}
    for code, name in plain.items():
        mine = ours.get(name.casefold(), name)
        found[code] = mine if mine == name or mine not in taken else name
        taken.add(found[code])
    return found


def table(*, graph: Graph, brands: Sets, shipped: Tables) -> Names:
    """Every name of the release, and of ours those nobody gave a code. `brands`: ingredient sets of a brand's products.

    An ingredient of ours that the release lacks stays known by name, without its code. So does a brand we never had a
    code for, as long as its ingredients are known; a brand whose code is gone is gone.
    """
    rows: dict[tuple[str, str], NameRow] = {}
    dropped = 0
    for row in _of_release(graph=graph, brands=brands):
        place = (row[0], row[1].casefold())
        # A salt of an ingredient nobody names stays, and is of unknown schedule; a brand or combination would mislead.
        if place in rows or not (row[3] or row[0] == "PIN"):
            dropped += 1
        else:
            rows[place] = row
    kept = 0
    ours = [tuple(row) for row in tables.rows(text=shipped.names)]
    for kind, name, rxcui, members, flags in sorted(ours, key=lambda row: row[0] != "IN"):
        place = (kind, name.casefold())
        is_kept = kind == "IN" or (kind == "BN" and not rxcui and _are_known(members, rows))
        if place not in rows and is_kept:
            rows[place] = (kind, name, "", members, flags)
            kept += 1
    ordered = sorted(rows.values(), key=lambda row: (row[0], row[1].casefold(), row[1]))
    return Names(rows=tuple(ordered), dropped=dropped, kept=kept)


def _are_known(members: str, rows: Mapping[tuple[str, str], NameRow]) -> bool:
    return all(("IN", one.casefold()) in rows for one in members.split("|"))


def _of_release(*, graph: Graph, brands: Sets) -> Iterable[NameRow]:
    """Every concept that is a name, by RxCUI; no ingredients where they are not surely known."""
    links = _tradenames(graph)
    for code, kind in sorted(graph.concepts.kinds.items()):
        name = graph.concepts.names[code]
        if kind == "IN":
            yield "IN", graph.names[code], str(code), graph.names[code], ""
        elif kind == "PIN":
            yield "PIN", name, str(code), "|".join(sorted(graph.of_salt(code))), ""
        elif kind == "MIN":
            made = graph.of_combination(code)
            yield "MIN", name, str(code), "|".join(sorted(made.ingredients)) if made.is_whole else "", ""
        elif kind == "BN":
            sets = brands.get(letters.key(text=name), frozenset())
            members = _of_brand(linked=links.get(code, frozenset()), sets=sets)
            yield "BN", name, str(code), "|".join(members), "multi" if len(sets) > 1 else ""


def _tradenames(graph: Graph) -> dict[int, frozenset[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for brand, plain in graph.turned("IN has_tradename BN").items():
        found[brand].update(graph.names[one] for one in plain)
    return {brand: frozenset(names) for brand, names in found.items()}


def _of_brand(*, linked: frozenset[str], sets: frozenset[tuple[str, ...]]) -> tuple[str, ...]:
    """One ingredient set of a brand; the vocabulary adds those of its products.

    Links name the ingredients of all the brand's products together, which need not be the set of any of them. They
    count where there is no product, or where they name an ingredient no live product has (an older formula).
    """
    if sets and linked <= {one for members in sets for one in members}:
        return min(sets)
    return tuple(sorted(linked))
