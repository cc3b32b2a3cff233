"""What goes into reading a patient's words and what comes out: frozen value types only.

A Reading is an opinion with its evidence (spans into the original text, scores, rivals, reasons for doubt).
It never decides: `is_plain_refill` is the only door towards automation, and every doubt closes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Author(StrEnum):
    """Who wrote a message; anything but `patient` reaches a person."""

    patient = "patient"
    proxy = "proxy"
    staff = "staff"
    unknown = "unknown"


class Source(StrEnum):
    """How the words came to us; a transcript is somebody's guess at speech."""

    text = "text"
    form = "form"
    voicemail_transcript = "voicemail_transcript"
    attachment_only = "attachment_only"
    unknown = "unknown"


class Intent(StrEnum):
    """What a patient wants. A thread may carry several; more than one topic means a person."""

    refill = "refill"
    pharmacy_change = "pharmacy_change"
    refill_status = "refill_status"
    stop_or_not_needed = "stop_or_not_needed"
    dose_change = "dose_change"
    new_drug = "new_drug"
    symptom = "symptom"
    pregnancy = "pregnancy"
    lost_or_early = "lost_or_early"
    lab = "lab"
    appointment = "appointment"
    billing = "billing"
    thanks = "thanks"
    cancel = "cancel"
    emergency = "emergency"
    other = "other"
    unclear = "unclear"


class DoubtCode(StrEnum):
    """Why a person has to look. Every code closes the way to a plain refill."""

    emergency = "emergency"
    symptom = "symptom"
    pregnancy = "pregnancy"
    several_topics = "several_topics"
    not_a_refill = "not_a_refill"
    cancelled = "cancelled"
    stop_or_not_needed = "stop_or_not_needed"
    dose_change = "dose_change"
    new_drug = "new_drug"
    lost_or_early = "lost_or_early"
    refill_status = "refill_status"
    negation = "negation"
    past_tense = "past_tense"
    conditional = "conditional"
    for_someone_else = "for_someone_else"
    author_not_patient = "author_not_patient"
    voicemail = "voicemail"
    source_unknown = "source_unknown"
    no_text = "no_text"
    attachment = "attachment"
    language = "language"
    odd_characters = "odd_characters"
    instruction_text = "instruction_text"
    too_long = "too_long"
    no_drug_named = "no_drug_named"
    all_medications = "all_medications"
    unknown_drug = "unknown_drug"
    not_on_list = "not_on_list"
    entry_not_active = "entry_not_active"
    two_entries_fit = "two_entries_fit"
    sound_alike = "sound_alike"
    combination = "combination"
    hint_not_unique = "hint_not_unique"
    alias_unconfirmed = "alias_unconfirmed"
    strength_differs = "strength_differs"
    form_differs = "form_differs"
    quantity_differs = "quantity_differs"
    directions_in_message = "directions_in_message"
    possible_drug_unread = "possible_drug_unread"
    unread_words = "unread_words"
    tag_disagrees = "tag_disagrees"
    pharmacy_unclear = "pharmacy_unclear"
    low_confidence = "low_confidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One inbound message as stored; `text` is untouched patient text of any kind."""

    text: str
    author: Author = Author.patient
    source: Source = Source.text
    sent_at: datetime | None = None
    tags: tuple[str, ...] = ()
    has_attachment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListItem:
    """One entry of the chart's medication list; codes as given, may be blank or wrong.

    `quantity` ("90") and `directions` (the sig) let a quantity or directions in the message be compared; left blank
    they cannot, and what the patient writes about them is a doubt. `extra_names`: aliases of this entry that a
    prescriber has confirmed; `proposed_names`: aliases nobody has confirmed, which resolve with a doubt.
    """

    entry_id: str
    name: str
    rxcui: str = ""
    ndc: str = ""
    is_active: bool = True
    extra_names: tuple[str, ...] = ()
    proposed_names: tuple[str, ...] = ()
    strength: str = ""
    form: str = ""
    quantity: str = ""
    directions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The coalesced burst of one conversation (oldest first) and what is known around it.

    `tags` are our own tag names after the practice's mapping: "refill", "pharmacy_change"; others are kept as text.
    `known_pharmacies` are the names of the patient's pharmacies, the default one first. `known_names` are the names of
    the patient and of the practice's people (single words or full names): greetings and signatures are read by them.
    """

    messages: tuple[Message, ...]
    medications: tuple[ListItem, ...] = ()
    tags: tuple[str, ...] = ()
    reason: str = ""
    known_pharmacies: tuple[str, ...] = ()
    known_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters [start, end) of message number `message` (from 0), in the original text."""

    message: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One reason why a person has to look: a code for ever, a sentence for people, and where it was seen."""

    code: DoubtCode
    sentence: str
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another reading of the same words: an entry of the list, or (entry_id None) a known drug not on it."""

    name: str
    entry_id: str | None
    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A drug as the patient wrote it. Only `resolves_to` with no `doubts` may be acted upon.

    `read_as` is the known name the words were read as ("metoprolol" for "metroprolol"), `kind` how.
    `ingredients` are lower-case RxNorm names, sorted; `score` 0-100; `strength` as written and tidied ("10 mg");
    `quantity` and `days` are None when not stated. The `*_differs` flags compare with the resolved entry.
    """

    span: Span
    words: str
    read_as: str = ""
    ingredients: tuple[str, ...] = ()
    strength: str = ""
    form: str = ""
    quantity: int | None = None
    days: int | None = None
    directions: str = ""
    resolves_to: str | None = None
    score: int = 0
    kind: str = ""
    rivals: tuple[Rival, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    strength_differs: bool = False
    form_differs: bool = False
    quantity_differs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PharmacyMention:
    """A pharmacy as the patient wrote it: the chain or name, the place after "on", "in", "at", and whether it is
    one of the known pharmacies by words alone (the caller compares with the chart before acting)."""

    span: Span
    words: str
    name: str
    place: str = ""
    matches_known: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentSeen:
    """One intent and the words that show it; `weight` 0-100 is how sure those words are."""

    intent: Intent
    span: Span
    words: str
    weight: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was understood from a thread.

    `must_reach_person` is true unless the thread is exactly one plain refill ask with every drug resolved, plain
    thanks, or a plain "never mind". `is_plain_pharmacy_change` marks a sole pharmacy change with exactly one
    pharmacy named; it still carries must_reach_person (the caller may route it to its own recipe).
    `tag_agrees`: None when no refill or pharmacy tag came with the thread (policy decides what that
    means).
    `is_cancel`: the newest words take back what was asked before ("never mind") and nothing else was said with it.
    `release` is the release of the vocabulary that the words were read with.
    """

    primary: Intent
    intents: tuple[IntentSeen, ...] = ()
    mentions: tuple[Mention, ...] = ()
    pharmacies: tuple[PharmacyMention, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    confidence: int = 0
    language: str = "en"
    is_plain_refill: bool = False
    is_plain_thanks: bool = False
    is_plain_pharmacy_change: bool = False
    is_cancel: bool = False
    is_emergency: bool = False
    has_symptom: bool = False
    tag_agrees: bool | None = None
    must_reach_person: bool = True
    release: str = ""
