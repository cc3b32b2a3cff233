"""A pretended RxNorm release: small but faithful RRF files, made of a vocabulary's own tables, with NLM's noise.

Every relation stands in both directions, as in the real files. Ingredients the tables know without a code get one here,
as they have one at NLM.
"""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rules.intake import tables
from rules.intake.tables import Tables
from rules.rxnorm import ndc

OPPOSITE = {
    "has_ingredient": "ingredient_of",
    "consists_of": "constitutes",
    "has_tradename": "tradename_of",
    "contains": "contained_in",
    "has_part": "part_of",
    "form_of": "has_form",
    "isa": "inverse_isa",
}
NEW_CODES = 80_000_000  # codes of our own begin here; RxNorm is far from it


@dataclass
class Files:
    """Lines by file, without their ends; a test spoils them before they are written."""

    conso: list[str] = field(default_factory=list)
    rel: list[str] = field(default_factory=list)
    sat: list[str] = field(default_factory=list)
    sab: list[str] = field(default_factory=list)
    codes: dict[tuple[str, str], str] = field(default_factory=dict)
    """RxCUI by kind and name."""

    def concept(self, kind: str, name: str, code: str = "") -> str:
        """A concept, once; its code."""
        if (kind, name) not in self.codes:
            code = code or str(NEW_CODES + len(self.codes))
            self.codes[kind, name] = code
            self.conso.append(conso(code=code, kind=kind, name=name))
        return self.codes[kind, name]

    def relate(self, whole: str, relation: str, part: str) -> None:
        """Both directions: the second concept of a row has the relation to the first."""
        number = len(self.rel)
        for first, second, said in ((part, whole, relation), (whole, part, OPPOSITE[relation])):
            self.rel.append(f"{first}||CUI|RO|{second}||CUI|{said}|{number}||RXNORM|RXNORM|||N|4096|")

    def attribute(self, code: str, name: str, value: str, *, source: str = "RXNORM", suppress: str = "N") -> None:
        """A line of RXNSAT."""
        self.sat.append(f"{code}|||1|AUI|{code}|AT{len(self.sat)}||{name}|{source}|{value}|{suppress}|4096|")

    def blocks(self, name: str) -> Iterator[bytes]:
        """A file as bytes, in small blocks, so that lines lie across them."""
        data = self.bytes_of(name)
        return (data[at : at + 997] for at in range(0, len(data), 997))

    def bytes_of(self, name: str) -> bytes:
        lines = {"RXNCONSO.RRF": self.conso, "RXNREL.RRF": self.rel, "RXNSAT.RRF": self.sat, "RXNSAB.RRF": self.sab}
        return "".join(f"{line}\n" for line in lines[name]).encode()

    def write(self, folder: Path) -> Path:
        """Into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self._names():
            (folder / name).write_bytes(self.bytes_of(name))
        return folder

    def write_zip(self, path: Path, *, inside: str = "rrf/") -> Path:
        """Into a zip, with files nobody needs beside them."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("scripts/mysql/populate_mysql_rxn.sh", "exit 1\n")
            archive.writestr("../outside.txt", "must not be unpacked\n")
            for name in self._names():
                archive.writestr(inside + name, self.bytes_of(name))
        return path

    def _names(self) -> list[str]:
        return ["RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF", *(["RXNSAB.RRF"] if self.sab else [])]


def conso(
    *, code: str, kind: str, name: str, source: str = "RXNORM", suppress: str = "N", language: str = "ENG"
) -> str:
    """A line of RXNCONSO."""
    return f"{code}|{language}||||||{code}1|{code}1|{code}||{source}|{kind}|{code}|{name}||{suppress}|4096|"


def sources(*, mark: str) -> list[str]:
    """RXNSAB of a full release; `mark` as "20AA_261005F"."""
    return [
        f"C1|C1140284|{name}_{mark}|{name}|{name} Vocabulary|{name}|{mark}||||||||0|1|1||IN,SCD|NDC|ENG|UTF-8|Y|Y|||"
        for name in ("RXNORM", "MTHSPL")
    ]


def of_tables(*, source: Tables, products: set[str] | None = None) -> Files:
    """The release that would give `source`; only `products` and what they need, where given."""
    made = Files()
    rows = [row for row in tables.rows(text=source.products) if products is None or row[0] in products]
    names = _needed(source=source, rows=rows, is_slice=products is not None)
    for kind, name, code, _, _ in names:
        if code:
            made.concept(kind, name, code)
    for kind, name, _, members, _ in names:
        _name(made, kind, name, [one for one in members.split("|") if one])
    by_code = {row[0]: row for row in rows}
    for code, tty, name, members, _, _ in rows:
        if tty == "SCD":
            made.concept("SCD", name, code)
            _drug(made, code, name, [one for one in members.split("|") if one])
    for code, tty, name, _, generic, _ in rows:
        if tty == "SBD":
            made.concept("SBD", f"{by_code[generic][2]} [{name}]", code)
            made.relate(generic, "has_tradename", code)
            made.relate(code, "has_ingredient", made.concept("BN", name))
        elif tty != "SCD":
            made.concept(tty, name, code)
            for part in generic.split("|"):
                made.relate(code, "contains", part)
    for number, code in ndc.unpack(data=source.ndc).items():
        if str(code) in by_code:
            made.attribute(str(code), "NDC", f"{number:011}")
    return made


def slice_of(*, source: Tables, wanted: Iterable[str]) -> set[str]:
    """Product codes with the clinical drugs they are made of."""
    homes = {row[0]: [one for one in row[4].split("|") if one] for row in tables.rows(text=source.products)}
    found = set(wanted)
    return found.union(*(homes[one] for one in found))


def cut(*, source: Tables, products: set[str]) -> Tables:
    """`source` with only these products and the names they need: what is in force before a small release is loaded."""
    rows = [row for row in tables.rows(text=source.products) if row[0] in products]
    kept = {code: one for code, one in ndc.unpack(data=source.ndc).items() if str(one) in products}
    return dataclasses.replace(
        source,
        names=_text(source.names, _needed(source=source, rows=rows, is_slice=True)),
        products=_text(source.products, rows),
        ndc=ndc.pack(codes=kept),
    )


def add_noise(made: Files) -> None:
    """What stands beside the rows of use: other sources, suppressed rows, other languages, other attributes."""
    codes = [line.partition("|")[0] for line in made.conso[:50]]
    for code in codes:
        made.conso.append(conso(code=code, kind="BD", name="|RXNORM".strip("|") + " of another source", source="MMSL"))
        made.conso.append(conso(code=code, kind="SY", name="a synonym", suppress="Y"))
        made.conso.append(conso(code=code, kind="IN", name="nombre español", language="SPA"))
        made.rel.append(f"|{code}1|AUI|SY||{code}2|AUI|has_ingredient|9||RXNORM|RXNORM|||N||")
        made.rel.append(f"{code}||CUI|RO|1||CUI|has_ingredient|9||SNOMEDCT_US|SNOMEDCT_US|||N||")
        made.rel.append(f"{code}||CUI|RO|2||CUI|has_dose_form|9||RXNORM|RXNORM|||N||")
        made.attribute(code, "NDC", "99999-9999-9", source="MTHSPL")
        made.attribute(code, "NDC", "99999999999", suppress="O")
        made.attribute(code, "RXN_HUMAN_DRUG", "US")
    made.conso.append(conso(code="70000001", kind="SCD", name="withdrawn 1 MG Oral Tablet", suppress="O"))
    made.conso.append(conso(code="70000002", kind="DF", name="Oral Tablet"))
    made.attribute("70000001", "NDC", "88888888888")


def _needed(*, source: Tables, rows: list[list[str]], is_slice: bool) -> list[list[str]]:
    names = list(tables.rows(text=source.names))
    if not is_slice:
        return names
    used = {one for row in rows for one in row[3].split("|")}
    brands = {row[2] for row in rows if row[1] == "SBD"}
    used |= {one for row in names if row[1] in brands and row[0] == "BN" for one in row[3].split("|")}
    return [
        row
        for row in names
        if (row[0] == "IN" and row[1] in used)
        or (row[0] == "BN" and row[1] in brands)
        or (row[0] in ("PIN", "MIN") and set(row[3].split("|")) <= used)
    ]


def _name(made: Files, kind: str, name: str, members: list[str]) -> None:
    if kind == "IN" or (kind, name) not in made.codes:
        return  # brands without a code are not in a release
    code = made.codes[kind, name]
    for one in members:
        plain = made.concept("IN", one)
        if kind == "BN":
            made.relate(plain, "has_tradename", code)
        else:
            made.relate(code, {"PIN": "form_of", "MIN": "has_part"}[kind], plain)


def _drug(made: Files, code: str, name: str, members: list[str]) -> None:
    """As many components as the name has parts; a form beside them."""
    parts = name.split(" / ")
    for place in range(max(len(parts), len(members))) if members else ():
        text = parts[min(place, len(parts) - 1)]
        one = members[min(place, len(members) - 1)]
        component = made.concept("SCDC", f"{text} of {one}")
        made.relate(component, "has_ingredient", made.concept("IN", one))
        made.relate(code, "consists_of", component)
    if members:
        form = made.concept("SCDF", f"{' / '.join(members)} {name.rpartition(' ')[2]}")
        for one in members:
            made.relate(form, "has_ingredient", made.concept("IN", one))
        made.relate(code, "isa", form)


def _text(whole: str, rows: list[list[str]]) -> str:
    return "\n".join([whole.partition("\n")[0], *("\t".join(row) for row in rows)]) + "\n"
