"""Words for pages: states, reasons, criteria, events of time. Codes in, sentences out; no queries, no decisions.

A code without words shows as itself, so that nothing is ever hidden; a label is for people, a code is for ever.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from review.states import RequestState
from rules import catalogue

R = RequestState

# (criterion, sentence when it is not met)
FINDINGS: Mapping[str, tuple[str, str]] = {
    "emergency": ("Emergency", "May speak of an emergency"),
    "symptom": ("Symptom", "Says something clinical beside the request"),
    "emergency_unknown": ("Emergency", "Not looked at for an emergency"),
    "symptom_unknown": ("Symptom", "Not looked at for a symptom"),
    "not_a_request": ("Request", "Not surely a refill or pharmacy request"),
    "not_plain": ("One plain request", "Asks for more than one plain thing"),
    "doubts": ("Reading", "The reading of the message is not sure"),
    "channel": ("Channel", "Voicemail, or a channel we do not know"),
    "author": ("Writer", "Not surely written by the patient"),
    "identity": ("Identity", "The writer is not surely matched to one chart patient"),
    "patient_status": ("Patient", "The patient is not surely active"),
    "newer_message": ("News", "The patient wrote again"),
    "open_request": ("Other requests", "Another request for this drug is open"),
    "earlier_denied": ("Earlier answer", "Denied or failed in the last 24 hours"),
    "automatic_stopped": ("Automatic approval", "Automatic approval is stopped"),
    "sending_stopped": ("Sending", "All sending is stopped"),
    "hours_unknown": ("Office hours", "Office hours are not known"),
    "not_matched": ("On active list", "Not exactly one list entry fits"),
    "stopped": ("On active list", "Stopped, or not surely active"),
    "entry_kind": ("List entry", "Over the counter, given in the office, or another doctor's"),
    "name_or_code_missing": ("Name and code", "The entry's name or code could not be read"),
    "name_and_code_differ": ("Name and code", "Name and code of the entry do not agree"),
    "asked_differs": ("Asked and listed", "What is asked for differs from the list"),
    "directions_differ": ("Directions", "Directions and structured dose do not agree"),
    "daily_amount_unknown": ("Daily amount", "The daily amount is not exact"),
    "structured_dose_unread": ("Directions", "The structured dose could not be read"),
    "days_supply": ("Days supply", "Days supply is over the limit"),
    "days_supply_unknown": ("Days supply", "Days supply is not known for sure"),
    "refills": ("Refills", "Refills unknown, or more than the class allows"),
    "authorised_time": ("Authorized time", "The supply would end too long after the last visit"),
    "authorised_time_unknown": ("Authorized time", "The end of the supply cannot be told"),
    "visit": ("Visit", "The last visit is too long ago"),
    "visit_unknown": ("Visit", "No qualifying visit is known"),
    "fill_history": ("Fill history", "No fill within the limit"),
    "supplies_unknown": ("Open supplies", "Open supplies have not been looked at"),
    "supply_length_unknown": ("Timing", "How long a supply lasts is not known"),
    "too_early": ("Timing", "Too little of the last supply is used"),
    "too_late": ("Timing", "The last supply ended long ago"),
    "stale_mirror": ("Chart copy", "Our copy of the chart is too old"),
    "prescriber": ("Prescriber", "The entry's prescriber is not surely ours and active"),
    "prescriber_not_ready": ("Prescriber", "The prescriber lacks what automatic approval needs"),
    "pharmacy_differs": ("Pharmacy", "The pharmacy named is not surely the default one"),
    "pharmacy_unknown": ("Pharmacy", "There is no current default pharmacy"),
    "named_pharmacy": ("Pharmacy", "The pharmacy named is not exactly one of the directory"),
    "controlled": ("Schedule", "Controlled: the prescriber in person"),
    "schedule_unknown": ("Schedule", "Schedule not known: counts as controlled"),
    "class_not_adopted": ("Drug class", "Class not on automatic"),
    "class_unknown": ("Drug class", "No protocol covers this drug"),
    "class_never_automatic": ("Drug class", "This class always goes to a clinician"),
    "lab_missing": ("Labs", "A value the class asks for is not on file"),
    "lab_old": ("Labs", "A value the class asks for is too old"),
    "lab_unit": ("Labs", "A value is in a unit we do not compare"),
    "lab_out_of_range": ("Labs", "A value is out of range"),
    "lab_undated": ("Labs", "A value the class asks for has no date"),
    "lab_unreadable": ("Labs", "A value is not a plain number"),
    "lab_critical": ("Labs", "The laboratory flagged a value as critical"),
    "lab_copy_stale": ("Copy of results", "Our copy of the results is too old, or was never read"),
    "care_gap_lab": ("Care gap", "A result is overdue or soon due"),
    "care_gap_visit": ("Care gap", "The visit is overdue or soon due"),
    "bridge_used": ("Bridge", "A bridging supply was already given in the last 365 days"),
    "federal_supply": ("Supply by law", "Longer than federal law allows, or unknown"),
    "protocol_stop": ("Class exclusions", "The protocol excludes this case"),
    "age": ("Age", "Age outside the limits, or unknown"),
    "pregnancy_unknown": ("Pregnancy", "Pregnancy is not ruled out"),
    "pregnant": ("Pregnancy", "The patient is pregnant"),
    "allergies_unknown": ("Allergies", "The allergy list is not known"),
    "allergy": ("Allergies", "The drug or its class is on the allergy list"),
    "other_drugs_unknown": ("Other drugs", "Not every other active drug could be read"),
    "interaction": ("Interactions", "A listed severe interaction"),
    "same_ingredient_twice": ("Duplicates", "The same ingredient is active twice"),
    "therapeutic_duplicate": ("Duplicates", "Another drug of the same class is active"),
    "stable_time": ("Stable since", "Started or changed too recently"),
    "stable_time_unknown": ("Stable since", "Not known since when the drug is taken"),
    "controlled_needs_visit": ("Visit", "No visit within the limit for a controlled drug"),
    "opioid_quantity": ("Opioid supply", "Opioid supply over the limit, or unknown"),
    "federal_refills": ("Refills by law", "More refills than federal law allows, or unknown"),
    "check_failed": ("Check", "A check could not be made"),
    "gap_hurts": ("Gap", "A gap in this drug may hurt"),
    "bridge_possible": ("Bridge", "You may bridge for a short time, once a year"),
    "exclusions_not_checked": ("Class exclusions", "Some exclusions of the class are not checked by machine"),
}

# Checks that were met, by the name of the guard; others that pass say nothing a person needs.
MET: Mapping[str, str] = {
    "matched": "On active list", "entry_active": "Active", "mirror": "Chart copy", "name_and_code": "Name and code",
    "asked_is_listed": "Asked and listed", "directions_agree": "Directions", "days_supply": "Days supply",
    "refills": "Refills", "authorised_time": "Authorized time", "visit": "Visit", "fill_history": "Fill history",
    "too_early": "Timing", "pharmacy": "Pharmacy", "drug_class": "Drug class", "labs": "Labs", "age": "Age",
    "pregnancy": "Pregnancy", "allergy": "Allergies", "interaction": "Interactions",
    "therapeutic_duplicate": "Duplicates", "stable_time": "Stable since", "identity": "Identity",
}  # fmt: skip

# Units of what findings and steps say, by finding code and by guard name.
_DAYS = frozenset(
    "visit visit_unknown fill_history days_supply days_supply_unknown authorised_time stable_time too_late lab_old "
    "lab_missing controlled_needs_visit opioid_quantity stable_time_unknown "
    "authorised_time_unknown".split()
)
_UNITS: Mapping[str, str] = {
    **dict.fromkeys(_DAYS, "days"), "too_early": "% used", "stale_mirror": "min", "mirror": "min",
    "lab_copy_stale": "min", "federal_supply": "days", "age": "years",
    "doubts": "% sure", "refills": "refills", "federal_refills": "refills",
}  # fmt: skip

MENDS: Mapping[str, str] = {
    "days_supply": "A supply of at most {limit} days.",
    "refills": "At most {limit} refills.",
    "authorised_time": "A more recent visit, or fewer refills.",
    "visit": "A visit within the last {limit} days.",
    "visit_unknown": "A visit within the last {limit} days.",
    "fill_history": "A fill within the last {limit} days.",
    "too_early": "A later request: at least {limit} % of the last supply used.",
    "stale_mirror": "A fresh copy of the chart.",
    "lab_copy_stale": "A fresh copy of the results.",
    "class_not_adopted": "Adoption of the class by the medical director.",
    "lab_missing": "{value} newer than {limit} days.",
    "lab_old": "{value} newer than {limit} days.",
}

# One line of a list, with the finding's own value, limit and age.
SHORT: Mapping[str, str] = {
    "lab_missing": "{Value}: none on file",
    "lab_old": "{Value} {age} days old",
    "lab_out_of_range": "{Value} is out of range",
    "lab_unit": "{Value} is in a unit we do not compare",
    "lab_undated": "{Value} has no date",
    "lab_unreadable": "{Value} is not a plain number",
    "lab_critical": "{Value} is flagged critical by the laboratory",
    "visit": "Last visit {value} days ago, limit {limit}",
    "visit_unknown": "No visit known",
    "fill_history": "Last fill {value} days ago, limit {limit}",
    "too_early": "{value} % used, asks from {limit} %",
    "days_supply": "{value} days supply, limit {limit}",
    "asked_differs": "Asked and listed differ: {value}",
    "stable_time": "Changed {value} days ago, asks {limit}",
    "age": "Age {value}, limits {limit}",
    "interaction": "Interaction: {value}",
    "protocol_stop": "Class exclusion: {value}",
}
LABS = frozenset(
    {"lab_missing", "lab_old", "lab_unit", "lab_out_of_range", "lab_undated", "lab_unreadable", "lab_critical"}
)

REASONS: Mapping[str, str] = {
    "emergency": "May be an emergency: the patient got the emergency text, the on-call was paged",
    "news_from_patient": "The patient wrote again",
    "patients_merged": "Klara merged two patients whose charts differ",
    "taken_back": "Taken back before it left",
    "signature_lapsed": "Not signed in time: prepare it again",
    "signature_broken": "Did not match its signature and was not sent",
    "taken_back_by_patient": "Taken back by the patient",
    "transmission_failed": "Rejected by the network",
    "unresolved": "Sent, answer unknown: it may be at the pharmacy",
    "cancel_failed": "The pharmacy did not cancel",
    "reply_failed": "The message to the patient failed",
    "answer_failed": "The answer to the pharmacy failed: telephone it",
    "change_asked": "The pharmacy asks to change a prescription",
    "renewal_overdue": "The pharmacy has waited three business days for an answer",
    "stopped_after_sending": "The list entry ended after it was sent: should the pharmacy cancel it?",
    "dose_changed_after_sending": "The dose changed after it was sent: should the pharmacy cancel it?",
    "renewal_waits": "The pharmacy has waited a day for an answer",
    "renewal_unmatched": "Asked by the pharmacy, about no prescription of ours",
    "renewal_elsewhere": "The pharmacy asked another prescriber than the list names",
    "unmatched_patient": "The pharmacy names no patient we can find",
    "pharmacy_not_changed": "The preferred pharmacy could not be changed",
    "task_failed": "The task in DrChrono could not be made",
    "task_unresolved": "Not known whether the task in DrChrono exists",
    "nobody_for_task": "Nobody to give the DrChrono task to",
    "nobody_to_answer": "No conversation to answer in",
    "identity_incomplete": "The patient's details could not all be read",
    "identity_changed": "The patient's details have changed in the chart",
    "identity_differs": "The chart says another name or birth date",
    "patient_not_in_chart": "The patient is no longer in the chart",
    "chart_not_connected": "DrChrono is not connected",
    "chart_unreached": "DrChrono did not answer",
    "could_not_be_read": "Not read: a fault of ours",
    "not_released": "Not decided again at opening: a fault of ours",
    "does_not_fit": "Does not fit the prescription message",
    "duplicate_unclear": "Perhaps a duplicate, not surely",
    "sender_unknown": "The sender is not known",
    "plain_review": "Every refill of this kind goes to a person",
    "runs_out_before_opening": "Runs out before we open",
    "several_topics": "More than one topic",
    "unknown_drug": "A drug we do not know",
    "not_on_list": "Not on the medication list",
    "no_drug_named": "No drug named",
    "two_entries_fit": "Two list entries fit",
    "strength_differs": "Another strength than on the list",
    "not_a_refill": "Not a refill",
    "dose_change": "Asks for another dose",
    "new_drug": "Asks for a new drug",
    "queued_too_long": "Waited too long to leave",
    "unmatched_sender": "The sender is not matched to one patient",
    "pregnancy": "Words of pregnancy or nursing",
    "cancelled": "May take back a request",
    "stop_or_not_needed": "May say stop, or not needed",
    "lost_or_early": "Lost, stolen, travel or early",
    "refill_status": "Asks what became of an earlier request",
    "negation": "Says not, or no",
    "past_tense": "Speaks of the past",
    "conditional": "Holds a condition or an alternative",
    "for_someone_else": "May be for someone else",
    "author_not_patient": "Not written by the patient",
    "voicemail": "A voicemail",
    "source_unknown": "Came in a way we do not know",
    "no_text": "No text to read",
    "attachment": "Has an attachment",
    "language": "In a language we do not read surely",
    "odd_characters": "Odd characters",
    "instruction_text": "Reads like instructions to a machine",
    "too_long": "Too long to be read surely",
    "all_medications": "Asks for all medications",
    "entry_not_active": "The list entry is not active",
    "sound_alike": "Another drug sounds alike",
    "combination": "A combination drug",
    "hint_not_unique": "The hint fits several drugs",
    "alias_unconfirmed": "The patient's own name for a drug is not confirmed",
    "form_differs": "Another form than on the list",
    "quantity_differs": "Another quantity than on the list",
    "directions_in_message": "Names directions of its own",
    "possible_drug_unread": "Perhaps a drug that was not read",
    "unread_words": "Words that were not understood",
    "tag_disagrees": "The tag says something else than the words",
    "pharmacy_unclear": "The pharmacy named is unclear",
    "low_confidence": "The reading is not sure",
    "corrected_by_person": "A person corrected how it was read",
    "moved_patient": "The patient's record was merged",
}

STATES: Mapping[str, str] = {
    R.RECEIVED: "Reading",
    R.HELD: "Held until opening",
    R.IN_REVIEW: "In review",
    R.AWAITING_SIGNATURE: "Waiting for a signature",
    R.APPROVED: "Approved, not left yet",
    R.SENT: "Sent, taken by the network",
    R.DONE: "Received by the pharmacy",
    R.CANCEL_ASKED: "Cancellation asked of the pharmacy",
    R.HANDING_OFF: "Going to DrChrono",
    R.WITH_EHR: "Task in DrChrono",
    R.DENIED: "Denied",
    R.VISIT_ASKED: "Visit asked",
    R.TOLD: "Answered: fills left at the pharmacy",
    R.ANSWERED: "Answered by a person",
    R.DUPLICATE: "Joined to an earlier request",
    R.CANCELLED: "Cancelled",
}
TONES: Mapping[str, str] = {
    R.IN_REVIEW: "warn", R.HELD: "info", R.SENT: "pass", R.DONE: "pass", R.APPROVED: "info", R.WITH_EHR: "ctrl",
    R.HANDING_OFF: "ctrl", R.AWAITING_SIGNATURE: "ctrl", R.CANCEL_ASKED: "warn",
}  # fmt: skip
SCHEDULES: Mapping[str, str] = {"ii": "C-II", "iii": "C-III", "iv": "C-IV", "v": "C-V", "unknown": "schedule unknown"}


def spoken(code: str) -> str:
    """A code as words: "news_unread" is "News unread"."""
    return code.replace("_", " ").replace("-", " ").strip().capitalize()


def reason(code: str) -> str:
    """Why a request is with a person."""
    if code in REASONS:
        return REASONS[code]
    return FINDINGS[code][1] if code in FINDINGS else spoken(code)


_GENERAL = frozenset({"not_plain", "doubts", "not_a_request", "plain_review"})


def first_reason(codes: Sequence[str]) -> str:
    """The most telling reason: a particular one before a general one; "" when there is none."""
    particular = [code for code in codes if code not in _GENERAL]
    return reason((particular or list(codes))[0]) if codes else ""


_LAB_NAMES = {"inr": "INR", "egfr": "eGFR", "tsh": "TSH", "a1c": "A1c", "alt": "ALT", "ast": "AST", "ldl": "LDL",
              "cbc": "CBC", "hba1c": "HbA1c", "bp": "Blood pressure"}  # fmt: skip


def lab(key: str) -> str:
    """A lab's name as people write it."""
    told = key.replace("_", " ").strip()
    known = _LAB_NAMES.get(told.lower()) or catalogue.LAB_WORDS.get(told.lower(), told)
    return known[:1].upper() + known[1:] if known[1:2].islower() and known != "eGFR" else known


def criterion(code: str) -> str:
    """The name of what a finding is about."""
    return FINDINGS[code][0] if code in FINDINGS else spoken(code)


def sentence(code: str) -> str:
    """What a finding says."""
    return FINDINGS[code][1] if code in FINDINGS else spoken(code)


def short(code: str, *, value: str, limit: str, age: object) -> str:
    """A finding in one short line: "Last visit 402 days ago, limit 365"."""
    told = value.replace("_", " ")
    if code not in SHORT or (not value and "{value}" in SHORT[code].lower()):
        return sentence(code)
    return SHORT[code].format(value=told, Value=lab(value), limit=limit, age=age)


def measured(code: str, value: str) -> str:
    """A value or limit with its unit: ("visit", "402") is "402 days"; text that is no number stays as it is."""
    unit = _UNITS.get(code, "")
    return f"{value} {unit}".strip() if value and unit and value.lstrip("-").isdigit() else value


def mend(code: str, value: str, limit: str) -> str:
    """What would have let it pass; "" when nothing would."""
    words = MENDS.get(code, "").format(value=lab(value) if code in LABS else value.replace("_", " "), limit=limit)
    return words[:1].upper() + words[1:]


def state(value: str, *, is_shadow: bool = False) -> str:
    """A request's state in words; in shadow nothing has really left."""
    if is_shadow and value in (R.DONE, R.SENT, R.APPROVED):
        return "Shadow: would have been sent"
    return STATES.get(value, spoken(value))


def waited(since: datetime, now: datetime) -> str:
    """Waiting in hours and minutes: "1 h 15 m", "52 m", from two days on "3 days"."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)} days"
    return f"{minutes // 60} h {minutes % 60:02d} m" if minutes >= 60 else f"{minutes} m"


def countdown(left: timedelta) -> str:
    """Minutes and seconds: "0:24"."""
    seconds = max(0, int(left.total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02d}"


def days_left(run_out_on: date | None, today: date) -> int | None:
    """Whole days of supply left, never below zero; None when unknown."""
    return None if run_out_on is None else max(0, (run_out_on - today).days)


_UNITS_SEEN = re.compile(r"\b(MG|MCG|UNT|ML|HR|MEQ|ACTUAT)\b")
_UNITS_SHOWN = {"MG": "mg", "MCG": "mcg", "UNT": "units", "ML": "mL", "HR": "h", "MEQ": "mEq", "ACTUAT": "puff"}
_TITLE = re.compile(r"(?<![\[\w])[A-Z][a-z]+\b(?![^\[]*\])")
_STRENGTH = re.compile(r"(\d) (mg|mcg|mL|units|g|%|mEq|h)\b")


def drug(name: str) -> str:
    """A drug line as pages show it: lower case, "mg" for "MG", strength and unit never parted, brands untouched."""
    shown = _UNITS_SEEN.sub(lambda found: _UNITS_SHOWN[found.group()], name)
    shown = _TITLE.sub(lambda found: found.group().lower(), shown)
    return _STRENGTH.sub("\\1\u00a0\\2", shown.replace(" oral tablet", " tablet").replace(" oral capsule", " capsule"))


_PLURALS = {"tablet": "tablets", "capsule": "capsules", "gram": "grams", "patch": "patches", "vial": "vials",
            "inhaler": "inhalers", "film": "films", "suppository": "suppositories", "unit": "units"}  # fmt: skip


def unit(name: str, quantity: object) -> str:
    """The unit as said with this quantity: 90 tablets, 1 tablet."""
    return name if quantity == 1 else _PLURALS.get(name.lower(), name)
