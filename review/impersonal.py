"""Whether a text a person rewrote holds anything personal: names, dates, numbers, the patient's own words.

Used before a rewritten message is kept for learning. Pure: what cannot be checked is refused.
"""

import re
import unicodedata
from collections.abc import Sequence

from review.identity import Snapshot
from rules.intake import letters

MOST = 1000  # characters
_DATE = re.compile(r"\b\d{1,4}\s*[-/.]\s*\d{1,2}\s*[-/.]\s*\d{1,4}\b")
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september"
    r"|october|november|december|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre"
    r"|diciembre)"
)
_WRITTEN_DATE = re.compile(rf"\b(?:{_MONTH}\.? +\d{{1,2}}\b|\d{{1,2}}(?:st|nd|rd|th)? +(?:de +)?{_MONTH}\b)")
_LONG_NUMBER = re.compile(r"\d{5,}")
# Seven digits or more with only blanks and punctuation of telephone numbers between them.
_TELEPHONE = re.compile(r"(?:\d[\s().+-]*){7,}")


def why_personal(*, text: str, snapshot: Snapshot | None, messages: Sequence[str]) -> str:
    """Why this text must not be kept, as a sentence for the person; "" when nothing personal was found.

    `messages`: the patient's texts. Without a snapshot the patient's names are not known, so nothing can be said.
    """
    if snapshot is None:
        return "The patient's name is not known here, so a rewritten text cannot be checked; leave it empty."
    plain = unicodedata.normalize("NFKC", text).lower()
    own = letters.key(text=text)
    said = [letters.key(text=one) for one in messages]
    if own and own in {*said, " ".join(one for one in said if one)}:
        return "These are the patient's own words; write the message again in yours."
    if _holds_name(words=set(own.split()), snapshot=snapshot):
        return "It holds a name of the patient."
    if _DATE.search(plain) or _WRITTEN_DATE.search(plain) or _holds_birth_year(plain, snapshot):
        return "It holds a date, which may be the patient's birth date."
    if _TELEPHONE.search(plain):
        return "It holds what may be a telephone number."
    if _LONG_NUMBER.search(plain) or "@" in plain:
        return "It holds a long number or an address."
    return ""


def _holds_name(*, words: set[str], snapshot: Snapshot) -> bool:
    names = " ".join((snapshot.first_name, snapshot.middle_name, snapshot.last_name))
    return bool(words & {name for name in letters.key(text=names).split() if len(name) > 1})


def _holds_birth_year(plain: str, snapshot: Snapshot) -> bool:
    born = snapshot.born_on()
    return born is not None and re.search(rf"\b{born.year}\b", plain) is not None
