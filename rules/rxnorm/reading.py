"""What each RRF file says, reduced to what a vocabulary needs: concepts, relations, NDC codes and DEA labels.

Keeps source RXNORM (and the DEA label of source MTHSPL), English, not suppressed. Raises rows.BadFile.
"""

from __future__ import annotations

import array
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rules.intake import normalise
from rules.rxnorm import packing, rows, schedules

# Raised with any change of what a reduction holds: what an older version reduced is then read anew.
REDUCTION = 1
KINDS = ("IN", "PIN", "MIN", "BN", "SCDC", "SCDF", "SCD", "SBD", "GPCK", "BPCK")
PRODUCTS = frozenset({"SCD", "SBD", "GPCK", "BPCK"})
# Each relation with its opposite; the file holds both directions.
OPPOSITES = {
    "ingredient_of": "has_ingredient",
    "ingredients_of": "has_ingredients",
    "precise_ingredient_of": "has_precise_ingredient",
    "constitutes": "consists_of",
    "tradename_of": "has_tradename",
    "contained_in": "contains",
    "part_of": "has_part",
    "has_form": "form_of",
    "inverse_isa": "isa",
}
RELATIONS = frozenset(OPPOSITES.values())
# Which relations between which kinds are kept. The kinds alone tell which of the two is the whole, so a row is
# understood whichever of its two concepts stands first.
LINKS = frozenset(
    {
        ("SCDC", "has_ingredient", "IN"),
        ("SCDC", "has_ingredient", "MIN"),
        ("SCDC", "has_precise_ingredient", "PIN"),
        ("SCDF", "has_ingredient", "IN"),
        ("SCD", "consists_of", "SCDC"),
        ("SCD", "isa", "SCDF"),
        ("SCD", "has_tradename", "SBD"),
        ("SBD", "has_ingredient", "BN"),
        ("IN", "has_tradename", "BN"),
        ("MIN", "has_part", "IN"),
        ("MIN", "has_part", "PIN"),
        ("PIN", "form_of", "IN"),
        ("GPCK", "contains", "SCD"),
        ("BPCK", "contains", "SCD"),
        ("BPCK", "contains", "SBD"),
    }
)
# Relations that say what something is made of: one that leads nowhere leaves its whole incomplete.
MADE_OF = frozenset({"has_ingredient", "consists_of", "has_part", "contains"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Concepts:
    """Kind and name by RxCUI; `others` are live concepts of further kinds, `hidden` those that are suppressed."""

    kinds: dict[int, str]
    names: dict[int, str]
    others: frozenset[int]
    hidden: frozenset[int]

    def pack(self) -> bytes:
        """As bytes; see `unpack_concepts`."""
        head = {"kinds": list(self.kinds.values()), "names": [self.names[one] for one in self.kinds]}
        arrays = {"codes": self.kinds, "others": sorted(self.others), "hidden": sorted(self.hidden)}
        return packing.pack(head=head, arrays={name: array.array("I", found) for name, found in arrays.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """Pairs (whole, part) by "KIND relation KIND", flat: a, b, a, b. `lacking`: wholes with a part that is not there.

    `read` relations were of use, `dangling` of them lead to codes RXNCONSO does not hold, first on `dangling_line`.
    """

    pairs: dict[str, array.array[int]]
    lacking: frozenset[int]
    read: int
    dangling: int
    dangling_line: int

    def pack(self) -> bytes:
        """As bytes; see `unpack_relations`."""
        head = {"read": self.read, "dangling": self.dangling, "dangling_line": self.dangling_line}
        return packing.pack(head=head, arrays={**self.pairs, "lacking": array.array("I", sorted(self.lacking))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """NDC (11 digits as a number) and RxCUI side by side; the strictest DEA label by RxCUI.

    `unreadable`: codes in no form with one reading; `astray`: of RxCUIs that are no product here.
    """

    ndc: array.array[int]
    targets: array.array[int]
    labels: dict[int, str]
    unreadable: int
    astray: int

    def pack(self) -> bytes:
        """As bytes; see `unpack_attributes`."""
        head = {"labels": list(self.labels.values()), "unreadable": self.unreadable, "astray": self.astray}
        arrays = {"ndc": self.ndc, "targets": self.targets, "labelled": array.array("I", self.labels)}
        return packing.pack(head=head, arrays=arrays)


def unpack_concepts(*, data: bytes) -> Concepts:
    """The reverse of `Concepts.pack`. Raises ValueError, KeyError."""
    head, arrays = packing.unpack(data=data)
    return Concepts(
        kinds=dict(zip(arrays["codes"], head["kinds"], strict=True)),
        names=dict(zip(arrays["codes"], head["names"], strict=True)),
        others=frozenset(arrays["others"]),
        hidden=frozenset(arrays["hidden"]),
    )


def unpack_relations(*, data: bytes) -> Relations:
    """The reverse of `Relations.pack`. Raises ValueError, KeyError."""
    head, arrays = packing.unpack(data=data)
    return Relations(lacking=frozenset(arrays.pop("lacking")), pairs=arrays, **head)


def unpack_attributes(*, data: bytes) -> Attributes:
    """The reverse of `Attributes.pack`. Raises ValueError, KeyError."""
    head, arrays = packing.unpack(data=data)
    labels = dict(zip(arrays["labelled"], head.pop("labels"), strict=True))
    return Attributes(ndc=arrays["ndc"], targets=arrays["targets"], labels=labels, **head)


def concepts(*, blocks: Iterable[bytes]) -> Concepts:
    """RXNCONSO: 0 RXCUI, 1 LAT, 11 SAB, 12 TTY, 14 STR, 16 SUPPRESS."""
    file = "RXNCONSO.RRF"
    kinds: dict[int, str] = {}
    names: dict[int, str] = {}
    others: set[int] = set()
    hidden: set[int] = set()
    rank = {kind: place for place, kind in enumerate(KINDS)}
    for line, cells in rows.rows(blocks=blocks, file=file, markers=("|RXNORM|",)):
        if cells[11] != "RXNORM":
            continue
        one, kind = rows.code(text=cells[0], file=file, line=line), cells[12]
        if cells[16] != "N" or cells[1] != "ENG":
            hidden.add(one)
        elif kind not in rank:
            others.add(one)
        elif one not in kinds or rank[kind] < rank[kinds[one]]:
            kinds[one], names[one] = kind, _one_line(cells[14], line)
    if not kinds:
        fault = "no drug of source RXNORM stands in it"
        raise rows.BadFile(file=file, fault=fault, mend="take a full release or the Current Prescribable Content")
    return Concepts(
        kinds=kinds, names=names, others=frozenset(others - kinds.keys()), hidden=frozenset(hidden - kinds.keys())
    )


def _one_line(name: str, line: int) -> str:
    """A name that fits a table of one line per row and one tab per column."""
    if not name.strip():
        raise rows.BadFile(file="RXNCONSO.RRF", line=line, fault="the name is empty")
    return name if len(name.splitlines()) == 1 and "\t" not in name else " ".join(name.split())


def relations(*, blocks: Iterable[bytes], known: Concepts) -> Relations:
    """RXNREL: 0 RXCUI1, 4 RXCUI2, 7 RELA, 10 SAB, 14 SUPPRESS. A row reads: the second concept RELA the first."""
    file = "RXNREL.RRF"
    pairs = {" ".join(link): array.array("I") for link in sorted(LINKS)}
    lacking: set[int] = set()
    read = dangling = first_dangling = 0
    kinds = known.kinds
    for line, cells in rows.rows(blocks=blocks, file=file, markers=("|RXNORM|",)):
        if cells[10] != "RXNORM" or cells[14] not in ("N", "") or not cells[0] or not cells[4]:
            continue  # relations between atoms carry no RxCUI
        relation, part, whole = cells[7], cells[0], cells[4]
        if relation in OPPOSITES:
            relation, part, whole = OPPOSITES[relation], whole, part
        if relation not in RELATIONS:
            continue
        above, below = rows.code(text=whole, file=file, line=line), rows.code(text=part, file=file, line=line)
        if above in kinds and below in kinds:
            for one, two in ((above, below), (below, above)):
                if (kinds[one], relation, kinds[two]) in LINKS:
                    pairs[f"{kinds[one]} {relation} {kinds[two]}"].extend((one, two))
                    read += 1
            continue
        if above in kinds and relation in MADE_OF and below not in known.others:
            lacking.add(above)
        missing = below if above in kinds else above
        if (above in kinds or below in kinds) and missing not in known.others and missing not in known.hidden:
            read, dangling, first_dangling = read + 1, dangling + 1, first_dangling or line
    return Relations(
        pairs=pairs, lacking=frozenset(lacking), read=read, dangling=dangling, dangling_line=first_dangling
    )


def attributes(*, blocks: Iterable[bytes], known: Concepts) -> Attributes:
    """RXNSAT: 0 RXCUI, 8 ATN, 9 SAB, 10 ATV, 11 SUPPRESS. NDC of source RXNORM, DCSA (DEA label) of source MTHSPL."""
    file = "RXNSAT.RRF"
    ndc, targets = array.array("Q"), array.array("I")
    labels: dict[int, str] = {}
    unreadable = astray = 0
    for line, cells in rows.rows(blocks=blocks, file=file, markers=("|NDC|RXNORM|", "|DCSA|MTHSPL|")):
        name, source = cells[8], cells[9]
        if name == "NDC" and source == "RXNORM" and cells[11] in ("N", ""):
            target = rows.code(text=cells[0], file=file, line=line)
            digits = eleven_digits(text=cells[10])
            if known.kinds.get(target) not in PRODUCTS:
                astray += 1
            elif not digits:
                unreadable += 1
            else:
                ndc.append(int(digits))
                targets.append(target)
        elif name == "DCSA" and source == "MTHSPL" and cells[0]:
            # Suppressed labels count too: a label can only make a product stricter.
            label = schedules.of_label(text=cells[10])
            if label:
                target = rows.code(text=cells[0], file=file, line=line)
                labels[target] = schedules.strictest(marks=(label, labels.get(target, "")))
    return Attributes(ndc=ndc, targets=targets, labels=labels, unreadable=unreadable, astray=astray)


def eleven_digits(*, text: str) -> str:
    """An NDC of RXNSAT as 11 digits, "" where it has no single reading; of 12 digits a leading 0 is dropped."""
    digits = text.strip()
    if len(digits) == 12 and digits.isascii() and digits.isdigit() and digits.startswith("0"):
        digits = digits[1:]
    return normalise.ndc11(text=digits)


def release_in_sources(*, text: str) -> date | None:
    """The date of the RXNORM line of RXNSAB ("RXNORM_20AA_251006F"), None where it names none."""
    found = re.findall(r"\|RXNORM_\w*?_(\d{2})(\d{2})(\d{2})[A-Z]?\|RXNORM\|", text)
    dates = {_date(2000 + int(year), int(month), int(day)) for year, month, day in found} - {None}
    return dates.pop() if len(dates) == 1 else None


def release_in_name(*, name: str) -> date | None:
    """The date in a name of NLM's ("RxNorm_full_prescribe_10062025.zip", "Readme_Full_10062025.txt"), else None."""
    found = re.search(r"(?i)(?:rxnorm|readme)\w*?_(\d{2})(\d{2})(\d{4})(?!\d)", name)
    return _date(int(found[3]), int(found[1]), int(found[2])) if found else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
