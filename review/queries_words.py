"""The patient's own words for the card: verbatim, cut at what was understood, never changed and never made markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from integrations.models import MirrorMedication, PharmacyEntry
from review import wording
from review.identity import Snapshot
from review.models import RefillRequest

MOST_CHARACTERS = 4000  # of one message on the card; the rest is said to be left off


DOUBT = "doubt: "


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the patient's words. `labels`: all it was read as, none for plain text; `opens`: those that begin
    here, said to screen readers once. A doubt's label begins with "doubt: ".
    """

    text: str
    labels: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """All labels in one line."""
        return "; ".join(self.labels)

    @property
    def is_understood(self) -> bool:
        """Whether it was read as something beside any doubt."""
        return any(not one.startswith(DOUBT) for one in self.labels)

    @property
    def is_doubtful(self) -> bool:
        """Whether a doubt is about it."""
        return any(one.startswith(DOUBT) for one in self.labels)

    @property
    def opens_doubt(self) -> bool:
        """Whether a doubt begins here: the place of its sign."""
        return any(one.startswith(DOUBT) for one in self.opens)


@dataclass(frozen=True, slots=True)
class Said:
    """One message, verbatim, in parts."""

    parts: tuple[Part, ...]
    sent_at: datetime | None
    author: str
    source: str
    left_off: int


def said(kept: Mapping[str, Any]) -> tuple[Said, ...]:
    spans: dict[int, list[tuple[int, int, str]]] = {}
    for span in kept.get("spans", []):
        spans.setdefault(int(span["message"]), []).append(
            (int(span["start"]), int(span["end"]), f"{span['kind']}: {wording.spoken(str(span['label'])).lower()}")
        )
    texts = [str(one["text"]) for one in kept.get("messages", [])]
    for doubt in kept.get("doubts", []):
        at, start, end = doubt.get("span") or (0, 0, 0)
        # What is about the whole message (a voicemail) is said below it; marking every word would mark none.
        if at < len(texts) and (start, end) != (0, len(texts[at])):
            spans.setdefault(int(at), []).append((int(start), int(end), f"{DOUBT}{doubt['sentence'].rstrip('.')}"))
    return tuple(
        Said(
            parts=parts_of(text=str(one["text"])[:MOST_CHARACTERS], spans=spans.get(at, [])),
            sent_at=datetime.fromisoformat(one["sent_at"]) if one["sent_at"] else None,
            author=str(one["author"]),
            source=str(one["source"]).replace("_", " "),
            left_off=max(0, len(str(one["text"])) - MOST_CHARACTERS),
        )
        for at, one in enumerate(kept.get("messages", []))
    )


def parts_of(*, text: str, spans: Sequence[tuple[int, int, str]]) -> tuple[Part, ...]:
    """The text cut wherever a span begins or ends, so that spans may overlap. Loses no character."""
    inside = [(max(start, 0), min(end, len(text)), label) for start, end, label in spans]
    marked = sorted({one for one in inside if one[0] < one[1]})
    cuts = sorted({0, len(text), *(start for start, _, _ in marked), *(end for _, end, _ in marked)})
    parts = []
    for start, end in pairwise(cuts):
        over = [one for one in marked if one[0] <= start and end <= one[1]]
        labels = tuple(dict.fromkeys(label for _, _, label in over))
        opens = tuple(dict.fromkeys(label for first, _, label in over if first == start))
        parts.append(Part(text[start:end], labels, opens))
    return tuple(parts)


def read_as(kept: Mapping[str, Any], request: RefillRequest) -> str:
    if not kept:
        return "The words are no longer kept."
    words = [wording.spoken(str(kept.get("intent", ""))).lower() or "nothing certain"]
    mention = kept.get("mention")
    if mention:
        words.append(f"“{_mentioned(mention)}”")
    if request.drug_name:
        words.append(f"matched to {wording.drug(request.drug_name)}")
    if kept.get("pharmacy"):
        words.append(f"pharmacy “{kept['pharmacy']}”")
    return f"{', '.join(words)}; {kept.get('confidence', 0)} % sure."


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of *Same drug everywhere?*: `tone` pass, warn, or "" where nothing was said."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One line: what the patient wrote, what the list says, what would be sent."""

    name: str
    wrote: Cell
    listed: Cell
    sent: Cell


def same(
    *, kept: Mapping[str, Any], request: RefillRequest, entry: MirrorMedication | None, person: Snapshot | None,
    pharmacy: PharmacyEntry | None,
) -> tuple[Compared, ...]:  # fmt: skip
    """Drug, quantity, directions and pharmacy side by side; a difference is marked where it is known to be one."""
    if entry is None:
        return ()
    said, known = kept.get("mention") or {}, kept.get("summary") or {}
    drug = _mentioned(said)
    differs = bool(known.get("strength_differs") or known.get("form_differs"))
    amount = " ".join(str(said[name]) for name in ("quantity", "days") if said.get(name))
    default = person.default_pharmacy if person is not None else ""
    return (
        Compared("Drug", _cell(drug, differs), _cell(wording.drug(entry.name)), _cell(wording.drug(request.drug_name))),
        Compared("Quantity", _cell(amount, bool(known.get("quantity_differs"))),
                 _cell(_number(entry.dispense_quantity)),
                 _cell(_number(request.quantity), request.quantity != entry.dispense_quantity)),
        Compared("Directions", _cell("other than listed" if known.get("directions_differ") else "", True),
                 _cell(entry.sig), _cell(request.sig, request.sig != entry.sig)),
        Compared("Pharmacy", _cell(str(kept.get("pharmacy", ""))),
                 _cell((person.pharmacy_name if person is not None else "") or default),
                 _cell(pharmacy.name if pharmacy is not None else request.pharmacy_ncpdp,
                       bool(default) and request.pharmacy_ncpdp != default)),
    )  # fmt: skip


def _mentioned(mention: Mapping[str, Any]) -> str:
    """The words of a mention, with strength and form where the words do not hold them."""
    words = str(mention.get("words", ""))
    more = [str(mention[name]) for name in ("strength", "form") if mention.get(name)]
    return " ".join([words, *(one for one in more if one.lower() not in words.lower())]).strip()


def _cell(text: str, differs: bool = False) -> Cell:
    if not text:
        return Cell("not said")
    return Cell(text, "warn" if differs else "pass")


def _number(value: Decimal | None) -> str:
    return f"{value.normalize():,f}" if value is not None else ""
