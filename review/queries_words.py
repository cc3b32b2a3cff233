"""The patient's own words for the card: verbatim, cut at what was understood, never changed and never made markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from review import wording
from review.models import RefillRequest

MOST_CHARACTERS = 4000  # of one message on the card; the rest is said to be left off


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the patient's words; `label` says what it was read as, "" for plain text."""

    text: str
    label: str = ""


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
    """The text cut at the spans; overlapping spans are cut at the end of the first. Loses no character."""
    parts: list[Part] = []
    at = 0
    for start, end, label in sorted(spans):
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        if start > at:
            parts.append(Part(text[at:start]))
        parts.append(Part(text[start:end], label))
        at = end
    if at < len(text):
        parts.append(Part(text[at:]))
    return tuple(parts)


def read_as(kept: Mapping[str, Any], request: RefillRequest) -> str:
    if not kept:
        return "The words are no longer kept."
    words = [wording.spoken(str(kept.get("intent", ""))).lower() or "nothing certain"]
    mention = kept.get("mention")
    if mention:
        details = [str(mention[name]) for name in ("strength", "form", "quantity") if mention.get(name)]
        words.append(" ".join([f"“{mention['words']}”", *details]))
    if request.drug_name:
        words.append(f"matched to {wording.drug(request.drug_name)}")
    if kept.get("pharmacy"):
        words.append(f"pharmacy “{kept['pharmacy']}”")
    return f"{', '.join(words)}; {kept.get('confidence', 0)} % sure."
