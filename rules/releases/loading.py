"""The story of one load: find the files, read each once, join, compare with what is in force, swap.

Never downloads anything. What a file came to is kept before the next is opened, so a killed load goes on there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

import structlog

from rules import protocols
from rules.intake import lexicon, tables
from rules.intake.tables import Tables
from rules.models import Vocabulary
from rules.releases import files, keeping
from rules.rxnorm import changes, joining, reading, trust

log = structlog.get_logger(__name__)
Read = TypeVar("Read")


class Refused(ValueError):
    """The load does not begin; the message says why and what to do."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an operator asks for. `release`: as said, None to find it. `may_vanish`: scheduled ingredients."""

    path: Path
    release: date | None = None
    may_be_smaller: bool = False
    may_vanish: Collection[str] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How a load speaks: `progress` (file, bytes done, bytes in all) and `tell` (a sentence)."""

    progress: files.Say
    tell: Callable[[str], None]


def load(*, wish: Wish, voice: Voice, by: str, now: datetime) -> Vocabulary | None:
    """The vocabulary now in force; None when it was already.

    Raises Refused, rows.BadFile, trust.NotTrusted, keeping.Busy, keeping.Damaged, OSError: nothing has changed then.
    """
    with keeping.alone():
        source = files.find(path=wish.path)
        released_on = _release(source, said=wish.release, today=now.date())
        present = keeping.in_force()
        if present is not None and present.released_on == released_on:
            return None
        old = keeping.tables_of(vocabulary=present) if present is not None else tables.shipped()
        _refuse_older(released_on, old=old)
        prints = [dataclasses.asdict(one) for one in source.fingerprints(say=voice.progress)]
        sources = {"reduction": reading.REDUCTION, "files": prints}
        row, goes_on = keeping.begin(released_on=released_on, sources=sources, by=by, now=now)
        if goes_on:
            voice.tell(f"A load of these files was begun on {row.started_at:%Y-%m-%d %H:%M} UTC: going on with it.")
        if row.state == Vocabulary.State.loading:
            _make_ready(row, source=source, old=old, wish=wish, voice=voice, by=by, now=now)
        row = keeping.put_in_force(vocabulary=row, by=by, now=now, why="loaded")
        log.info("vocabulary.in_force", version=str(released_on), count=row.counts["NDC"])
        return row


def go_back(*, released_on: date, by: str, now: datetime) -> Vocabulary:
    """Put a retired release in force again. Raises keeping.Busy, NotKept, Damaged."""
    with keeping.alone():
        row = keeping.retired(released_on=released_on)
        row = keeping.put_in_force(vocabulary=row, by=by, now=now, why="gone back to")
        log.warning("vocabulary.gone_back", version=str(released_on))
        return row


def _make_ready(
    row: Vocabulary, *, source: files.Release, old: Tables, wish: Wish, voice: Voice, by: str, now: datetime
) -> None:
    """Read what is not yet read, join, check, keep."""
    concepts, relations, attributes = _read_all(row, source=source, voice=voice, now=now)
    voice.tell("Joining.")
    joined = joining.join(
        concepts=concepts,
        relations=relations,
        attributes=attributes,
        release=row.released_on.isoformat(),
        shipped=tables.shipped(),
    )
    new = joined.tables
    trust.refuse_broken(joined=joined, concepts=concepts, relations=relations)
    trust.refuse_renamed(old=old, new=new, watched=_watched())
    trust.refuse_vanished(old=old, new=new, accepted=wish.may_vanish)
    if not wish.may_be_smaller:
        trust.refuse_smaller(old=old, new=new)
    lexicon.build(source=new)  # what no reader could build never comes into force
    found = changes.differences(old=old, new=new)
    keeping.finish(
        vocabulary=row,
        tables=new,
        counts=changes.counts(source=new),
        changes={key: dataclasses.asdict(one) for key, one in found.items()},
        notes=_notes(joined, relations),
        by=by,
        now=now,
    )


def _read_all(
    row: Vocabulary, *, source: files.Release, voice: Voice, now: datetime
) -> tuple[reading.Concepts, reading.Relations, reading.Attributes]:
    def step(
        kind: str, name: str, read: Callable[[Iterable[bytes]], Read], unpack: Callable[[bytes], Read],
        pack: Callable[[Read], bytes],
    ) -> Read:  # fmt: skip
        kept = keeping.kept(vocabulary=row, kind=kind)
        if kept is not None:
            voice.tell(f"{name} was read on {kept[1]:%Y-%m-%d %H:%M} UTC: reused.")
            return unpack(kept[0])
        found = read(source.blocks(name=name, say=voice.progress))
        keeping.keep(vocabulary=row, kind=kind, data=pack(found), now=now)
        return found

    concepts = step(
        "concepts", "RXNCONSO.RRF", lambda blocks: reading.concepts(blocks=blocks),
        lambda data: reading.unpack_concepts(data=data), lambda found: found.pack(),
    )  # fmt: skip
    relations = step(
        "relations", "RXNREL.RRF", lambda blocks: reading.relations(blocks=blocks, known=concepts),
        lambda data: reading.unpack_relations(data=data), lambda found: found.pack(),
    )  # fmt: skip
    attributes = step(
        "attributes", "RXNSAT.RRF", lambda blocks: reading.attributes(blocks=blocks, known=concepts),
        lambda data: reading.unpack_attributes(data=data), lambda found: found.pack(),
    )  # fmt: skip
    return concepts, relations, attributes


def _release(source: files.Release, *, said: date | None, today: date) -> date:
    """The release date, once everything that names one agrees."""
    found = source.dates()
    if said is not None:
        found["--release"] = said
    if not found:
        raise Refused(
            f"{source.path.name}: no release date is to be found in its name, a read-me or RXNSAB.RRF; say it with"
            " --release YYYY-MM-DD."
        )
    if len(set(found.values())) > 1:
        each = ", ".join(f"{name} says {day}" for name, day in sorted(found.items()))
        raise Refused(f"{source.path.name}: the release dates disagree ({each}); sort out which files these are.")
    day = next(iter(found.values()))
    if day > today:
        raise Refused(f"{source.path.name}: the release date {day} is in the future; check it, and this host's clock.")
    return day


def _refuse_older(released_on: date, *, old: Tables) -> None:
    """Older than what is in force, or set aside by a person.

    The shipped vocabulary is an extract of its release: the whole of the same release may take its place.
    """
    if released_on < date.fromisoformat(old.release):
        raise Refused(
            f"The release of {released_on} is older than the one in force ({old.release}); to go back to a release that"
            " was loaded before, use load_rxnorm --use RELEASE."
        )
    try:
        keeping.retired(released_on=released_on)
    except keeping.NotKept:
        return
    raise Refused(
        f"The release of {released_on} was loaded before and set aside; to put it in force again, use load_rxnorm"
        f" --use {released_on}."
    )


def _watched() -> frozenset[str]:
    """Ingredients the refill protocols and interactions know by name."""
    table = protocols.load()
    named = frozenset(table.by_ingredient) | table.never_hold_ingredients | table.opioids
    return named.union(*(one.one | one.other for one in table.interactions))


def _notes(joined: joining.Joined, relations: reading.Relations) -> dict[str, int]:
    return {
        "products without ingredients: unknown schedule": len(joined.bare),
        "products with an ingredient missing: unknown schedule": len(joined.partial),
        "products controlled by their label, not by our table": len(joined.labelled),
        "branded drugs without a clinical drug: left out": len(joined.homeless),
        "names without ingredients or given twice: left out": joined.left_out["names"],
        "NDC codes of two products: left out": joined.left_out["ndc_of_two_drugs"],
        "NDC codes of no product: left out": joined.left_out["ndc_of_no_product"],
        "NDC codes of no single reading: left out": joined.left_out["ndc_unreadable"],
        "relations to codes that are not there": relations.dangling,
    }
