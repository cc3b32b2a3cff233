"""The drug vocabulary this process uses: the release in force in the database, or the one shipped with the product.

`current` costs nothing and asks nobody; `refresh` asks the database and swaps. A release whose content is damaged never
takes the place of a good one, and no fault here stops intake.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
import lzma
import threading
import time
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError

from refillhub.practices import clock
from rules.intake import brands, lexicon, mending, normalise, tables
from rules.intake.lexicon import Lexicon
from rules.releases import keeping

ASK_EVERY_S = 60.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds, and which row of the database it is."""

    key: UUID
    lexicon: Lexicon


@dataclass(slots=True)
class _Process:
    """The one thing here that changes. `held` None: the shipped vocabulary. `asked_at`: monotonic seconds."""

    held: Held | None = None
    asked_at: float | None = None


_process = _Process()
_swap = threading.Lock()


def current() -> Lexicon:
    """The vocabulary of this process; the shipped one until `refresh` has found another. Never a query."""
    held = _process.held
    return held.lexicon if held is not None else lexicon.load()


def refresh() -> bool:
    """Take over what is in force now; True when it is another than before. Never raises: intake goes on with the
    present vocabulary."""
    try:
        return look()
    except DatabaseError as error:
        log.warning("vocabulary.not_asked", reason=type(error).__name__)
        return False


def refresh_when_due() -> bool:
    """`refresh`, at most once in ASK_EVERY_S seconds of this process."""
    asked = _process.asked_at
    if asked is not None and time.monotonic() - asked < ASK_EVERY_S:
        return False
    _process.asked_at = time.monotonic()
    return refresh()


def look() -> bool:
    """As `refresh`: one query while nothing has changed. Raises DatabaseError where the database does not answer."""
    with _swap:
        held = _process.held
        if keeping.key_in_force() == (held.key if held is not None else None):
            return False
        row = keeping.in_force()
        if row is None:
            _take(None)
            return True
        try:
            found = lexicon.build(source=_with_hand_kept(keeping.tables_of(vocabulary=row)))
        except (ValueError, KeyError, IndexError, EOFError, lzma.LZMAError) as error:  # Damaged is a ValueError
            log.error("vocabulary.damaged", version=str(row.released_on), reason=type(error).__name__)
            return False
        _take(Held(row.pk, found))
        return True


def manifest() -> dict[str, Any]:
    """MANIFEST.json of the shipped data: notice, licence, warn_after_days."""
    text = importlib.resources.files("rules").joinpath("data").joinpath("MANIFEST.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def days_past(*, release: date, today: date) -> int:
    """Days by which a release is older than it should be; 0 while it is young enough."""
    return max(0, (today - release).days - int(manifest()["warn_after_days"]))


def _with_hand_kept(found: tables.Tables) -> tables.Tables:
    """Tables kept by hand are those of the running code, so that an upgrade's new entries count at once."""
    ours = tables.shipped()
    return dataclasses.replace(found, dea=ours.dea, lay_names=ours.lay_names, look_alikes=ours.look_alikes)


def _take(held: Held | None) -> None:
    """Swap, then forget everything the readers remember of the old vocabulary, which would keep it alive."""
    _process.held = held
    _forget()
    release = current().release
    log.info("vocabulary.taken", version=release)
    if past := days_past(release=date.fromisoformat(release), today=clock.now().date()):
        log.warning("vocabulary.old", version=release, age=past)


# What the readers remember by vocabulary; a test finds every such cache.
REMEMBERING = (
    normalise._identify,
    brands.shared_release_of_brand,
    brands.release_of_salt,
    brands.salt_of_brand,
    brands.products_of,
    normalise.read_product,
    mending._right,
    mending._drug_words,
)


def _forget() -> None:
    for remembering in REMEMBERING:
        remembering.cache_clear()
