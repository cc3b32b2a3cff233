"""What the patient wrote, compared with one entry a person says is meant: strength, form, quantity, directions.

The words are read once more against that entry alone. Pure; what cannot be compared stays unknown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.models import MirrorMedication
from rules import vocabulary
from rules.intake import read
from rules.intake import reading as r


@dataclass(frozen=True, slots=True)
class Compared:
    """Whether the words differ from the entry in each point; None where they name it in no way that can be read."""

    strength: bool | None = None
    form: bool | None = None
    quantity: bool | None = None
    directions: bool | None = None


def against(*, kept: Mapping[str, Any], medication: MirrorMedication, words: str) -> Compared:
    """Compare the kept messages with this entry. `words`: what a person says the patient calls it, "" for nothing."""
    messages = tuple(
        r.Message(text=str(one["text"]), author=r.Author(one["author"]), source=r.Source(one["source"]))
        for one in kept.get("messages", [])
    )
    # By the drug's own names first; a strength among the words must stay readable, so only what is before it names.
    name = re.split(r"\d", words, maxsplit=1)[0].strip()
    for names in ((), (name,)) if name else ((),):
        mine = _mentions(messages=messages, medication=medication, names=names)
        if mine:
            return Compared(
                strength=any(one.strength_differs for one in mine),
                form=any(one.form_differs for one in mine),
                quantity=any(one.quantity_differs for one in mine),
                directions=any(doubt.code is r.DoubtCode.directions_in_message for one in mine for doubt in one.doubts),
            )
    return Compared()


def _mentions(
    *, messages: tuple[r.Message, ...], medication: MirrorMedication, names: tuple[str, ...]
) -> list[r.Mention]:
    """The mentions that resolve to this entry, read as if it were the whole list."""
    quantity = medication.dispense_quantity
    item = r.ListItem(
        entry_id=medication.external_id,
        name=medication.name,
        rxcui=medication.rxcui,
        ndc=medication.ndc,
        extra_names=names,
        directions=medication.sig,
        quantity=f"{quantity.normalize():f}" if quantity is not None else "",
    )
    seen = read.read(thread=r.Thread(messages=messages, medications=(item,)), lexicon=vocabulary.current())
    return [one for one in seen.mentions if one.resolves_to == item.entry_id]
