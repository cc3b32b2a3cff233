"""The evidence of a reading as it is kept for the card: every span, every mention with its rivals, every doubt.

Plain values for sealed JSON; `review.queries_reading` shows them. Pure translation: no queries, no decisions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rules import vocabulary
from rules.intake import normalise
from rules.intake import reading as r


def spans_of(*, reading: r.Reading) -> list[dict[str, Any]]:
    """What was understood and where: `message`, `start`, `end`, `kind` (intent, drug, pharmacy), `label`."""
    seen = [_span(one.span, "intent", str(one.intent)) for one in reading.intents]
    seen += [_span(one.span, "drug", "+".join(one.ingredients) or one.words) for one in reading.mentions]
    return seen + [_span(one.span, "pharmacy", one.words) for one in reading.pharmacies]


def _span(span: r.Span, kind: str, label: str) -> dict[str, Any]:
    return {"message": span.message, "start": span.start, "end": span.end, "kind": kind, "label": label}


def doubts_of(*, reading: r.Reading, mention: r.Mention | None) -> list[dict[str, Any]]:
    """Every doubt of the burst, each once: `code`, `sentence`, and `span` [message, start, end] where it has one."""
    found: dict[tuple[str, str, r.Span | None], dict[str, Any]] = {}
    for doubt in (*reading.doubts, *(mention.doubts if mention else ())):
        span = doubt.span
        found.setdefault(
            (str(doubt.code), doubt.sentence, span),
            {
                "code": str(doubt.code),
                "sentence": doubt.sentence,
                "span": [span.message, span.start, span.end] if span is not None else None,
            },
        )
    return list(found.values())


def mentions_of(*, reading: r.Reading, thread: r.Thread, own: r.Mention | None) -> list[dict[str, Any]]:
    """Every drug mention of the burst: its words, what they were read as and how, the entry, and the rivals."""
    listed = {item.entry_id: item for item in thread.medications}
    return [
        {
            "message": one.span.message,
            "start": one.span.start,
            "end": one.span.end,
            "words": one.words,
            "read_as": one.read_as,
            "kind": one.kind,
            "score": one.score,
            "strength": one.strength,
            "form": one.form,
            "quantity": one.quantity,
            "days": one.days,
            "entry": _listed(one.resolves_to, listed),
            "rivals": [_rival(rival, listed) for rival in one.rivals],
            "doubts": [str(doubt.code) for doubt in one.doubts],
            "is_own": one is own,
        }
        for one in reading.mentions
    ]


def _rival(rival: r.Rival, listed: Mapping[str, r.ListItem]) -> dict[str, Any]:
    known = _listed(rival.entry_id, listed)
    return {"name": rival.name, "score": rival.score, "entry": known}


def _listed(entry_id: str | None, listed: Mapping[str, r.ListItem]) -> dict[str, str] | None:
    """An entry of the list by id, with name, strength and form as far as they can be read; None: no entry."""
    if entry_id is None:
        return None
    item = listed.get(entry_id)
    if item is None:
        return {"id": entry_id, "name": "", "strength": "", "form": ""}
    said = normalise.identify(name=item.name, rxcui=item.rxcui, ndc=item.ndc, lexicon=vocabulary.current())
    return {"id": entry_id, "name": said.scd_name or item.name, "strength": said.strength, "form": said.form}


def words_of(*, kept: Mapping[str, Any]) -> Sequence[str]:
    """The texts of the burst, oldest first, as they were written."""
    return [str(one["text"]) for one in kept.get("messages", [])]
