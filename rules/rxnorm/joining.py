"""One release joined: concepts, relations and attributes to the tables of a vocabulary, and what had to be left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.intake import letters, tables
from rules.intake.tables import Tables
from rules.rxnorm import names, ndc, schedules
from rules.rxnorm.graph import Graph, Made
from rules.rxnorm.reading import PRODUCTS, Attributes, Concepts, Relations

NAMES_HEAD = ("kind", "name", "rxcui", "ingredients", "flags")
PRODUCTS_HEAD = ("rxcui", "tty", "name", "ingredients", "generic", "dea")
ProductRow = tuple[str, str, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The tables, and the RxCUIs of products that need a look.

    `bare`: no ingredient is known; `partial`: not all are, so their schedule is unknown; `homeless`: branded drugs
    without a clinical drug or a brand, left out; `labelled`: controlled by their label alone, our table knows none of
    their ingredients. `left_out` counts names, NDCs of two drugs, NDCs of no product, and NDCs in no readable form.
    """

    tables: Tables
    bare: tuple[int, ...]
    partial: tuple[int, ...]
    homeless: tuple[int, ...]
    labelled: tuple[int, ...]
    left_out: Mapping[str, int]


def join(*, concepts: Concepts, relations: Relations, attributes: Attributes, release: str, shipped: Tables) -> Joined:
    """The vocabulary of one release (ISO date). Hand-kept tables are those of `shipped`, whatever the release says."""
    graph = Graph(concepts=concepts, relations=relations, names=names.spelled(concepts=concepts, shipped=shipped))
    shelf = _Shelf(graph=graph, labels=attributes.labels, table=_marks(shipped))
    rows = shelf.rows()
    named = names.table(graph=graph, brands=shelf.brand_sets(), shipped=shipped)
    packed, twice, astray = _ndc(attributes=attributes, known={int(row[0]) for row in rows})
    return Joined(
        tables=Tables(
            release=release,
            names=_text(NAMES_HEAD, named.rows),
            products=_text(PRODUCTS_HEAD, rows),
            ndc=packed,
            dea=shipped.dea,
            lay_names=shipped.lay_names,
            look_alikes=shipped.look_alikes,
        ),
        bare=tuple(code for code, made in shelf.made.items() if not made.ingredients),
        partial=tuple(code for code, made in shelf.made.items() if made.ingredients and not made.is_whole),
        homeless=tuple(shelf.homeless),
        labelled=tuple(shelf.labelled),
        left_out={
            "names": named.dropped,
            "ndc_of_two_drugs": twice,
            "ndc_of_no_product": astray + attributes.astray,
            "ndc_unreadable": attributes.unreadable,
        },
    )


class _Shelf:
    """The products of a release while they are put together."""

    def __init__(self, *, graph: Graph, labels: Mapping[int, str], table: Mapping[str, str]) -> None:
        self.graph, self.labels, self.table = graph, labels, table
        self.by_kind: dict[str, list[int]] = {kind: [] for kind in PRODUCTS}
        for code, kind in graph.concepts.kinds.items():
            if kind in PRODUCTS:
                self.by_kind[kind].append(code)
        self.made: dict[int, Made] = {}
        self.marks: dict[int, str] = {}
        self.generic: dict[int, int] = {}
        self.brands: dict[int, str] = {}
        self.homeless: list[int] = []
        self.labelled: list[int] = []

    def rows(self) -> list[ProductRow]:
        """Every product by RxCUI: clinical drugs first, as branded drugs and packs are made of them."""
        self._place_branded()
        rows = [self._drug(code) for code in self.by_kind["SCD"]]
        rows += [self._branded(code) for code in self.generic]
        rows += [self._pack(code, kind) for kind in ("GPCK", "BPCK") for code in self.by_kind[kind]]
        return sorted(rows, key=lambda row: int(row[0]))

    def brand_sets(self) -> dict[str, frozenset[tuple[str, ...]]]:
        """The ingredient sets of each brand's products, by the brand's key."""
        found: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        for code, brand in self.brands.items():
            generic = self.generic[code]
            found[letters.key(text=brand)].add(self.made[generic].named(code=generic))
        return {key: frozenset(sets - {()}) for key, sets in found.items()}

    def _place_branded(self) -> None:
        """The clinical drug and the brand of each branded drug. Its name is the drug's with "[Brand]" behind it."""
        drugs = self.graph.turned("SCD has_tradename SBD")
        texts = self.graph.concepts.names
        for code in self.by_kind["SBD"]:
            plain, _, bracket = texts[code].rpartition(" [")
            above = drugs.get(code, [])
            exact = [one for one in above if texts[one] == plain]
            linked = self.graph.below("SBD has_ingredient BN", code)
            brand = texts[linked[0]] if len(linked) == 1 else bracket.removesuffix("]")
            home = exact or above
            if len(home) != 1 or not brand:
                self.homeless.append(code)
                continue
            self.generic[code], self.brands[code] = home[0], brand

    def _drug(self, code: int) -> ProductRow:
        made = self.made[code] = self.graph.of_drug(code)
        name = self.graph.concepts.names[code]
        ours = schedules.of_product(name=name, ingredients=made.ingredients, table=self.table)
        ours = schedules.strictest(marks=(ours, *(self.table.get(salt, "") for salt in made.salts)))
        # A label of a branded drug speaks for what is in it: a missing mark is the dangerous error.
        branded = [self.labels.get(one, "") for one in self.graph.below("SCD has_tradename SBD", code)]
        mark = self.marks[code] = schedules.strictest(marks=(ours, self.labels.get(code, ""), *branded))
        if mark and not ours:
            self.labelled.append(code)
        return str(code), "SCD", name, "|".join(made.named(code=code)), "", mark

    def _branded(self, code: int) -> ProductRow:
        generic = self.generic[code]
        mark = self.marks[code] = schedules.strictest(marks=(self.marks[generic], self.labels.get(code, "")))
        return str(code), "SBD", self.brands[code], "", str(generic), mark

    def _pack(self, code: int, kind: str) -> ProductRow:
        plain = self.graph.below(f"{kind} contains SCD", code)
        branded = self.graph.below(f"{kind} contains SBD", code)
        inside = {self.generic[one] for one in branded if one in self.generic} | set(plain)
        made = self.graph.of_pack(code=code, contents={one: self.made[one] for one in inside})
        if any(one not in self.generic for one in branded):
            made = Made(made.ingredients, False, made.salts)
        self.made[code] = made
        found = (self.marks[one] for one in (*inside, *(one for one in branded if one in self.marks)))
        mark = self.marks[code] = schedules.strictest(marks=(*found, self.labels.get(code, "")))
        contents = "|".join(str(one) for one in sorted(inside))
        return str(code), kind, self.graph.concepts.names[code], "|".join(made.named(code=code)), contents, mark


def _marks(shipped: Tables) -> dict[str, str]:
    return {name: mark for name, mark, _ in tables.rows(text=shipped.dea)}


def _text(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(["\t".join(head), *("\t".join(row) for row in rows)]) + "\n"


def _ndc(*, attributes: Attributes, known: set[int]) -> tuple[bytes, int, int]:
    """The packed table, how many codes name two drugs (left out: nobody knows which), how many name no product."""
    found: dict[int, int] = {}
    twice: set[int] = set()
    astray = 0
    for code, target in zip(attributes.ndc, attributes.targets, strict=True):
        if target not in known:
            astray += 1
        elif found.setdefault(code, target) != target:
            twice.add(code)
    for code in twice:
        del found[code]
    return ndc.pack(codes=found), len(twice), astray
