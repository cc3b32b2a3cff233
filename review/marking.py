"""Which characters of the patient's words name the drug: a mention the reader saw, or words a person marked.

Only characters that stand in the message, and only letters, digits, hyphens and blanks of them. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from review import evidence
from review.models.learning import MOST_DRUG_WORDS

MOST_WORDS = 6  # a drug's name with what stands beside it; more is a sentence


class NotMarked(ValueError):
    """These are no words of the message, or more than the words of a drug; the text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters [start, end) of message number `message`; `words` is what may be kept of them.

    `read_as` and `entry` tell what the reader made of them: the name, and the list entry's id; "" for nothing.
    """

    message: int
    start: int
    end: int
    words: str
    read_as: str = ""
    entry: str = ""


def of_mention(*, kept: Mapping[str, Any], number: int) -> Mark:
    """The drug mention of this number among those the reader saw. Raises NotMarked."""
    mentions = kept.get("mentions", [])
    if not 0 <= number < len(mentions):
        raise NotMarked("Choose one of the drug names that were read.")
    one = mentions[number]
    entry = one.get("entry") or {}
    return Mark(
        message=int(one["message"]), start=int(one["start"]), end=int(one["end"]), words=_plain(str(one["words"])),
        read_as=str(entry.get("name") or one.get("read_as") or ""), entry=str(entry.get("id", "")),
    )  # fmt: skip


def of_words(*, kept: Mapping[str, Any], words: str) -> Mark:
    """The place in the message of words a person marked; a mention of the reader where they overlap one.

    Raises NotMarked.
    """
    wanted = " ".join(words.split())
    if not wanted or len(wanted) > MOST_DRUG_WORDS or len(wanted.split()) > MOST_WORDS:
        raise NotMarked(f"At most {MOST_WORDS} words and {MOST_DRUG_WORDS} characters: only what names the drug.")
    if _plain(wanted) != wanted:
        raise NotMarked("Only letters, digits, hyphens and blanks.")
    pattern = re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, wanted.split())) + r"(?!\w)", re.IGNORECASE)
    for number, text in enumerate(evidence.words_of(kept=kept)):
        found = pattern.search(text)
        if found is None:
            continue
        for at, one in enumerate(kept.get("mentions", [])):
            if int(one["message"]) == number and one["start"] < found.end() and found.start() < one["end"]:
                seen = of_mention(kept=kept, number=at)
                return Mark(number, found.start(), found.end(), wanted, seen.read_as, seen.entry)
        return Mark(number, found.start(), found.end(), wanted)
    raise NotMarked("These words do not stand in the message; copy them as the patient wrote them.")


def about(*, kept: Mapping[str, Any], mark: Mark) -> dict[str, Any]:
    """`mentions` and `mention` of a kept reading whose item a person says is about these words."""
    mentions = [
        {**one, "is_own": (one["message"], one["start"], one["end"]) == (mark.message, mark.start, mark.end)}
        for one in kept.get("mentions", [])
    ]
    return {"mentions": mentions, "mention": next((one for one in mentions if one["is_own"]), {"words": mark.words})}


def _plain(text: str) -> str:
    kept = "".join(char if char.isalnum() or char == "-" else " " for char in text)
    return " ".join(kept.split())[:MOST_DRUG_WORDS].strip()
