"""Corrections as test cases for the reader, in the shape `manage.py read_messages` takes, with what is expected.

Nothing in a case can tell whose it was: random ids, months instead of moments, the drug's words or a text rewritten
without anything personal, and of the list only the drugs concerned. Reads only.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from integrations import vault
from refillhub.practices.models import Practice
from review.models import ReadingCorrection
from rules.intake import letters
from rules.intake.reading import Intent

PURPOSE = "rewritten"


def rows(*, practice: Practice, since: datetime | None = None) -> Iterable[ReadingCorrection]:
    """The practice's corrections, `since` included."""
    found = ReadingCorrection.objects.filter(practice=practice)
    return (found.filter(at__gte=since) if since is not None else found).order_by("id").iterator(chunk_size=500)


def case_of(*, correction: ReadingCorrection, practice: Practice) -> dict[str, Any] | None:
    """One case; None when neither a rewritten text nor the drug's words were kept, or the right entry has no name
    that may be kept.

    {"id", "month" (YYYY-MM), "messages", "channel", "author", "tags", "med_list": [{"name", "rxnorm", "status"}],
    "release", "expect": {"intent", "drugs": [{"mention", "resolves_to"}]}}. `resolves_to` is a name of the list, None
    for no entry.
    """
    text = rewritten_of(correction=correction, practice=practice)
    words = correction.drug_words
    if (not text and not words) or (correction.is_right_listed and not correction.drug_right):
        return None
    right = correction.drug_right if correction.is_right_listed else None
    is_said = bool(words) and letters.key(text=words) in letters.key(text=text or words)
    drugs = [{"mention": words if is_said else "", "resolves_to": right}] if words or right else []
    return {
        "id": uuid.uuid4().hex,
        "month": f"{correction.at:%Y-%m}",
        "messages": [text or words],
        "channel": "sms",
        "author": "patient",
        "tags": ["refill"] if not text or correction.intent_right == Intent.refill else [],
        "med_list": _list(correction),
        "release": correction.vocabulary_release,
        # Drug words alone, under the tag of a refill, are an ask for a refill, whatever stood around them.
        "expect": {"intent": correction.intent_right if text else str(Intent.refill), "drugs": drugs},
    }


def rewritten_of(*, correction: ReadingCorrection, practice: Practice) -> str:
    """The rewritten text; "" where there is none, or none any more."""
    if not correction.rewritten_sealed:
        return ""
    plain = vault.open_payload(
        sealed=bytes(correction.rewritten_sealed), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE
    )
    return plain.decode()


def _list(correction: ReadingCorrection) -> list[dict[str, str]]:
    """The entries concerned: the right one, and the one it was read as."""
    found = {}
    if correction.is_right_listed:
        found[correction.drug_right] = correction.rxcui_right
    if correction.is_read_listed:
        found.setdefault(correction.drug_read, correction.rxcui_read)
    # By name, so that the order does not give the answer away.
    return [{"name": name, "rxnorm": rxcui, "status": "active"} for name, rxcui in sorted(found.items()) if name]
