"""Build the drug vocabulary files of this folder from a folder of RxNorm extracts.

Usage: python rules/data/build_lexicon.py FOLDER [--release 2025-10-06]
Reads rxnorm_terms.csv, brand_ingredient.csv, brand_ingredient_gap_a.csv, ingredients_without_rxcui.csv,
dea_schedule.csv, ndc_rxcui.csv.gz; writes lexicon_names.tsv, lexicon_products.tsv, lexicon_ndc.bin.xz, dea.tsv and
MANIFEST.json. The hand-kept files lay_names.tsv and look_alikes.tsv are only counted.
Invents no code: what the source leaves blank stays blank.
"""

from __future__ import annotations

import argparse
import array
import csv
import gzip
import hashlib
import json
import lzma
import pathlib
import sys
from collections.abc import Iterable

HERE = pathlib.Path(__file__).resolve().parent
NLM_NOTICE = (
    "This product uses publicly available data from the U.S. National Library of Medicine (NLM), National Institutes "
    "of Health, Department of Health and Human Services; NLM is not responsible for the product and does not endorse "
    "or recommend this or any other product."
)
# Scheduled substances the source table lacks but whose names a chart or a patient may hold. Basis K: general
# knowledge of 21 CFR 1308, not re-read; a wrong row here can only make the product more cautious.
EXTRA_SCHEDULED = {
    "mephobarbital": "IV",
    "sibutramine": "IV",
    "pemoline": "IV",
    "mazindol": "IV",
    "halazepam": "IV",
    "prazepam": "IV",
    "propoxyphene": "IV",
    "fospropofol": "IV",
    "talbutal": "III",
    "thiopental": "III",
    "aprobarbital": "III",
    "glutethimide": "II",
    "levomethadyl": "II",
    "flunitrazepam": "IV",
    "nitrazepam": "IV",
    "marijuana": "II",
    "cannabis": "II",
    "tetrahydrocannabinol": "II",
    "methandrostenolone": "III",
    "chorionic gonadotropin": "III",
}


def read_rows(*, path: pathlib.Path) -> list[dict[str, str]]:
    """All rows of a CSV file with a header, as text."""
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def write_table(*, name: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> int:
    """Write a tab-separated file with a header; refuses a value that holds a tab or a line end."""
    lines = ["\t".join(header)]
    for row in rows:
        if any("\t" in cell or "\n" in cell for cell in row):
            raise ValueError(f"{name}: a cell holds a tab or a line end: {row!r}")
        lines.append("\t".join(row))
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines) - 1


def name_rows(
    *,
    terms: list[dict[str, str]],
    brands: list[dict[str, str]],
    gap: list[dict[str, str]],
    unconfirmed: list[dict[str, str]],
) -> list[tuple[str, ...]]:
    """(kind, name, rxcui, ingredients, flags) for IN, PIN, MIN and BN; ingredients seen only in products join as IN."""
    kept: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in terms:
        if row["tty"] in ("IN", "PIN", "MIN"):
            kept[row["tty"], row["name"].casefold()] = (row["tty"], row["name"], row["rxcui"], row["ingredients"], "")
    for row in terms:
        for ingredient in row["ingredients"].split("|"):
            if ingredient:
                kept.setdefault(("IN", ingredient.casefold()), ("IN", ingredient, "", ingredient, ""))
    for row in unconfirmed:
        name = row["ingredient"]
        kept.setdefault(("IN", name.casefold()), ("IN", name, "", name, ""))
    for row in brands:
        flags = "multi" if row["multi_formulation"] == "1" else ""
        key = ("BN", row["brand"].casefold())
        if row["ingredients"]:
            kept[key] = ("BN", row["brand"], row["brand_rxcui"], row["ingredients"], flags)
    for row in gap:
        key = ("BN", row["brand"].casefold())
        kept.setdefault(key, ("BN", row["brand"], row["brand_rxcui"], row["ingredient"], ""))
    return sorted(kept.values(), key=lambda row: (row[0], row[1].casefold(), row[1]))


def product_rows(*, terms: list[dict[str, str]]) -> list[tuple[str, ...]]:
    """(rxcui, tty, name, ingredients, generic, dea); an SBD keeps only its brand: its name is SCD + [brand]."""
    names = {row["rxcui"]: row["name"] for row in terms if row["tty"] == "SCD"}
    kept = []
    for row in terms:
        if row["tty"] not in ("SCD", "SBD", "GPCK", "BPCK"):
            continue
        name, ingredients = row["name"], row["ingredients"]
        if row["tty"] == "SBD":
            if f"{names[row['generic_rxcui']]} [{row['brand']}]" != name:
                raise ValueError(f"SBD {row['rxcui']} is not its SCD with the brand")
            name, ingredients = row["brand"], ""
        kept.append((row["rxcui"], row["tty"], name, ingredients, row["generic_rxcui"], row["dea"]))
    return sorted(kept, key=lambda row: int(row[0]))


def write_ndc(*, path: pathlib.Path, known: set[str]) -> tuple[int, int]:
    """NDC (11 digits) -> RxCUI as two little-endian arrays (u64 sorted, u32); returns (kept, dropped as unknown)."""
    pairs: list[tuple[int, int]] = []
    dropped = 0
    with gzip.open(path, "rt", newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["rxcui"] in known:
                pairs.append((int(row["ndc11"]), int(row["rxcui"])))
            else:
                dropped += 1
    pairs.sort()
    codes, targets = array.array("Q", (a for a, _ in pairs)), array.array("I", (b for _, b in pairs))
    if sys.byteorder == "big":
        codes.byteswap()
        targets.byteswap()
    (HERE / "lexicon_ndc.bin.xz").write_bytes(lzma.compress(codes.tobytes() + targets.tobytes(), preset=9))
    return len(pairs), dropped


def build(*, folder: pathlib.Path, release: str) -> dict[str, object]:
    """Write every built file and return the manifest."""
    terms = read_rows(path=folder / "rxnorm_terms.csv")
    names = name_rows(
        terms=terms,
        brands=read_rows(path=folder / "brand_ingredient.csv"),
        gap=read_rows(path=folder / "brand_ingredient_gap_a.csv"),
        unconfirmed=read_rows(path=folder / "ingredients_without_rxcui.csv"),
    )
    products = product_rows(terms=terms)
    dea = {row["ingredient"]: (row["schedule"], row["basis"]) for row in read_rows(path=folder / "dea_schedule.csv")}
    for ingredient, schedule in EXTRA_SCHEDULED.items():
        dea.setdefault(ingredient, (schedule, "K"))
    counts = {
        "lexicon_names.tsv": write_table(
            name="lexicon_names.tsv", header=("kind", "name", "rxcui", "ingredients", "flags"), rows=names
        ),
        "lexicon_products.tsv": write_table(
            name="lexicon_products.tsv",
            header=("rxcui", "tty", "name", "ingredients", "generic", "dea"),
            rows=products,
        ),
        "dea.tsv": write_table(
            name="dea.tsv",
            header=("ingredient", "schedule", "basis"),
            rows=sorted((name, *value) for name, value in dea.items()),
        ),
    }
    kept, dropped = write_ndc(path=folder / "ndc_rxcui.csv.gz", known={row[0] for row in products})
    counts["lexicon_ndc.bin.xz"] = kept
    blank = sorted(row[1] for row in names if row[0] == "IN" and not row[2])
    return {
        "source": "RxNorm Current Prescribable Content, U.S. National Library of Medicine, terms of source RXNORM only,"
        " read from public extracts; ingredients starting with A from older public extracts (2020 to 2026)",
        "release": release,
        "warn_after_days": 120,
        "licence": "RXNORM-source terms are United States government work",
        "notice": NLM_NOTICE,
        "counts": counts,
        "hand_kept": {
            name: sum(1 for line in (HERE / name).read_text(encoding="utf-8").splitlines()[1:] if line.strip())
            for name in ("everyday.tsv", "lay_names.tsv", "look_alikes.tsv", "short_forms.tsv")
        },
        "sha256": {name: hashlib.sha256((HERE / name).read_bytes()).hexdigest() for name in sorted(counts)},
        "missing": {
            "ingredients_without_rxcui": blank,
            "ndc_rows_of_unknown_product": dropped,
            "notes": [
                "Products of several ingredients starting with A are absent or few (acyclovir, amiodarone, alfuzosin,"
                " amantadine, armodafinil, azelastine and others): such a chart code is unknown and goes to a person.",
                "Discontinued brands are few; lay_names.tsv adds the common ones by hand.",
                "DEA schedules are compiled facts (basis E, V or K), not a government file: check against 21 CFR 1308"
                " before production.",
            ],
        },
    }


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--release", default="2025-10-06")
    options = parser.parse_args()
    manifest = build(folder=options.folder, release=options.release)
    (HERE / "MANIFEST.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    json.dump(manifest["counts"], sys.stdout)


if __name__ == "__main__":
    main()
