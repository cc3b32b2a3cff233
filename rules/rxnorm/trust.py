"""Whether a release may take over: each check refuses with one sentence that names the place and the mend."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rules.intake import tables
from rules.intake.tables import Tables
from rules.rxnorm import changes
from rules.rxnorm.joining import Joined
from rules.rxnorm.reading import Concepts, Relations
from rules.rxnorm.rows import AGAIN

MOST_DANGLING = 0.01  # share of the relations in use
MOST_BARE = 0.01  # share of clinical drugs and packs
MOST_PARTIAL = 0.02
LEAST_OF_CURRENT = 0.9


class NotTrusted(ValueError):
    """The release is not taken over; the message says why and what to do."""


def refuse_broken(*, joined: Joined, concepts: Concepts, relations: Relations) -> None:
    """Dangling relations, products without ingredients or with missing ones, beyond a small share."""
    if relations.dangling > MOST_DANGLING * relations.read:
        share = 100 * relations.dangling / relations.read
        raise NotTrusted(
            f"RXNREL.RRF, line {relations.dangling_line}: from here on {relations.dangling} relations ({share:.1f} % of"
            f" those in use) name codes that RXNCONSO.RRF does not hold; the files may be of two releases, {AGAIN}."
        )
    products = sum(1 for kind in concepts.kinds.values() if kind in ("SCD", "GPCK", "BPCK"))
    branded = sum(1 for kind in concepts.kinds.values() if kind == "SBD")
    if not products:
        raise NotTrusted(f"RXNCONSO.RRF: it holds no clinical drug; {AGAIN}.")
    for found, whole, most, fault in (
        (joined.bare, products, MOST_BARE, "products have no ingredients"),
        (joined.partial, products, MOST_PARTIAL, "products lack some of their ingredients"),
        (joined.homeless, branded, MOST_PARTIAL, "branded drugs have no clinical drug or no brand"),
    ):
        if len(found) > most * whole:
            raise NotTrusted(
                f"RXNREL.RRF: {len(found)} of {whole} {fault}, as {found[0]} ({concepts.names[found[0]][:80]});"
                f" {AGAIN}."
            )


def refuse_smaller(*, old: Tables, new: Tables) -> None:
    """More than a tenth fewer ingredients, products or NDC codes than the vocabulary in force."""
    before, after = _sizes(changes.counts(source=old)), _sizes(changes.counts(source=new))
    for what, count in after.items():
        if count < LEAST_OF_CURRENT * before[what]:
            raise NotTrusted(
                f"The release has {count} {what}, the vocabulary in force has {before[what]}: more than a tenth fewer;"
                " check that the download is whole, and load it with --although-smaller if it is meant."
            )


def refuse_vanished(*, old: Tables, new: Tables, accepted: Collection[str]) -> None:
    """An ingredient of the DEA table that had a code and has none in the release; `accepted` names may vanish."""
    before, after = changes.ingredients(source=old), changes.ingredients(source=new)
    scheduled = [row[0] for row in tables.rows(text=new.dea)]
    gone = [one for one in scheduled if before.get(one) and not after.get(one) and one not in accepted]
    if gone:
        raise NotTrusted(
            f"RXNCONSO.RRF: scheduled ingredients of our DEA table are not in it: {', '.join(sorted(gone)[:10])}; if"
            f" the release calls one by another name, the table must learn it first; if it is off the market, say"
            f' --although-gone "{sorted(gone)[0]}".'
        )


def refuse_renamed(*, old: Tables, new: Tables, watched: Collection[str]) -> None:
    """An ingredient that a safety table knows by name has another name under the same code.

    Nobody may wave this through: its products would carry the new name, which no schedule, protocol or interaction
    knows."""
    codes = {code: name for name, code in changes.ingredients(source=new).items() if code}
    wanted = {*watched, *(row[0] for row in tables.rows(text=new.dea))}
    for name, code in changes.ingredients(source=old).items():
        if code and name in wanted and codes.get(code, name) != name:
            raise NotTrusted(
                f"RXNCONSO.RRF: {name} ({code}) is called {codes[code]} in this release, and our tables of schedules,"
                " protocols or interactions know only the old name; they must learn the new one first, with an"
                " upgrade of Refill Hub."
            )


def _sizes(counts: Mapping[str, int]) -> dict[str, int]:
    products = sum(counts[kind] for kind in ("SCD", "SBD", "GPCK", "BPCK"))
    return {"ingredients": counts["IN"], "products": products, "NDC codes": counts["NDC"]}
