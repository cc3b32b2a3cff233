"""The code tables of SCRIPT 2017071 that this product uses, as published facts.

The schema leaves state, unit and schedule as free text, so a schema-valid message can still carry nonsense: our own
tables are the check. A word that is missing here is an error for a person, never a default.
"""

from collections.abc import Mapping
from types import MappingProxyType

from integrations.surescripts.script_model import Schedule

_STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI AA AE AP"  # territories and the armed forces last
)
STATES = frozenset(_STATES.split())

UNITS: Mapping[str, str] = MappingProxyType(
    {
        "C48542": "tablet",
        "C48480": "capsule",
        "C64696": "caplet",
        "C28254": "milliliter",
        "C48155": "gram",
        "C64933": "each",
        "C48524": "patch",
        "C48539": "suppository",
        "C48506": "lozenge",
        "C48548": "troche",
        "C48521": "packet",
        "C48504": "kit",
        "C54564": "blister",
        "C62412": "applicator",
        "C53499": "film",
        "C62276": "insert",
        "C62609": "ring",
        "C48538": "strip",
        "C120263": "lancet",
        "C120216": "pen needle",
        "C65032": "pad",
        "C53504": "swab",
        "C53502": "sponge",
        "C53503": "stick",
        "C69124": "gum",
        "C48499": "implant",
        "C48552": "wafer",
    }
)

# What charts write, lower-case and without a final full stop. Words for containers (inhaler, pen, bottle, vial, tube)
# and actions (puff, spray, drop) are left out on purpose: they do not say how much is dispensed.
QUANTITY_UNITS: Mapping[str, str] = MappingProxyType(
    {
        **{name: code for code, name in UNITS.items()},
        **{f"{name}s": code for code, name in UNITS.items() if name not in ("each", "patch", "suppository")},
        "patches": "C48524",
        "suppositories": "C48539",
        "tab": "C48542",
        "tabs": "C48542",
        "tablet(s)": "C48542",
        "cap": "C48480",
        "caps": "C48480",
        "capsule(s)": "C48480",
        "ml": "C28254",
        "mls": "C28254",
        "millilitre": "C28254",
        "millilitres": "C28254",
        "g": "C48155",
        "gm": "C48155",
        "gms": "C48155",
        "gram(s)": "C48155",
        "ea": "C64933",
        "test strip": "C48538",
        "test strips": "C48538",
    }
)

SCHEDULE_CODES: Mapping[Schedule, str] = MappingProxyType(
    {
        Schedule.I: "C48672",
        Schedule.II: "C48675",
        Schedule.III: "C48676",
        Schedule.IV: "C48677",
        Schedule.V: "C48679",
        Schedule.NOT_CONTROLLED: "C38046",
    }
)
SCHEDULES: Mapping[str, Schedule] = MappingProxyType({code: schedule for schedule, code in SCHEDULE_CODES.items()})

# RxNorm term type -> DrugDBCode qualifier; ingredients and groups may not be sent.
DRUG_QUALIFIERS: Mapping[str, str] = MappingProxyType({"SCD": "SCD", "SBD": "SBD", "GPCK": "GPK", "BPCK": "BPK"})
QUANTITY_QUALIFIERS = frozenset({"38", "40", "87", "QS", "CF", "UQ", "QT"})  # 38 original, 40 remaining, 87 received
DIAGNOSIS_QUALIFIERS = frozenset({"ABF", "LD"})  # ICD-10-CM, SNOMED CT
PARTY_QUALIFIERS = frozenset({"P", "D", "C", "M", "CF", "ZZZ", "PY", "DIRECT", "REMS"})

STATUS_CODES: Mapping[str, str] = MappingProxyType(
    {
        "000": "Accepted by the network",
        "001": "Accepted; messages are waiting",
        "002": "No more messages",
        "003": "No messages to retrieve",
        "005": "Accepted; the password expires soon",
        "010": "Accepted by the pharmacy's software",
    }
)

ERROR_CODES: Mapping[str, str] = MappingProxyType(
    {
        "600": "Communication problem, try again later",
        "601": "Receiver unable to process",
        "602": "Receiver system error",
        "700": "Configuration error",
        "900": "Transaction rejected",
    }
)

DESCRIPTION_CODES: Mapping[str, str] = MappingProxyType(
    {
        "008": "Timed out before a response could be received",
        "103": "Cardholder last name invalid",
        "134": "Quantity sufficient with quantity 0 not valid",
        "144": "Number of refills invalid",
        "210": "Unable to process, please resubmit",
        "220": "Duplicate transaction",
        "500": "XML syntax error",
        "1000": "Unable to identify from the information sent",
        "2000": "Format valid, content invalid in this situation",
        "3000": "Does not follow the standard or guide",
        "4000": "Intermediary unable to deliver to the recipient",
        "4010": "Intermediary unable to process the recipient's response",
        "4020": "Intermediary system error",
        "4030": "Sender not allowed to send this transaction type",
        "4040": "Receiver does not support this transaction type",
    }
)

# Denial reasons a pharmacy or prescriber gives (renewal, change, cancel, not dispensed).
REASON_CODES: Mapping[str, str] = MappingProxyType(
    {
        "AA": "Patient unknown to the provider",
        "AB": "Patient never under provider care",
        "AC": "Patient no longer under provider care",
        "AD": "Refill requested too soon",
        "AE": "Medication never prescribed for the patient",
        "AF": "Patient should contact provider first",
        "AG": "Fill or refill not appropriate",
        "AL": "Change not appropriate",
        "AM": "Patient needs appointment",
        "AN": "Prescriber not associated with this practice or location",
        "AO": "No attempt will be made to obtain prior authorization",
        "AP": "Request already answered by other means",
        "AR": "Unable to cancel: transferred to another pharmacy",
        "BE": "Denied at patient request",
        "BF": "Conscientious objection",
        "BG": "Not the desired pharmacy",
        "BP": "Out of stock",
        "BQ": "Discontinued by manufacturer",
        "BT": "Recalled",
        "CS": "Prescription not found",
        "CZ": "Allergy to the requested medication",
        "DA": "Medication discontinued",
        "DB": "Drug use evaluation",
        "DC": "No refills left or expired",
        "DD": "Not stocked",
        "DE": "Prior authorization denied",
        "FS": "Out of stock",
    }
)


RENEWAL_DENIALS = frozenset("AA AB AC AD AE AF AG AM AN AP BE CZ DA".split())
CHANGE_DENIALS = frozenset("AA AB AC AE AF AL AM AN AO AP BE".split())
CANCEL_DENIALS = frozenset("AA AB AC AP AR".split())
NOT_DISPENSED = frozenset("AA AB AC AD AG AO BF BG BP BQ BT CS DB DC DD DE FS".split())

# What a pharmacy may ask to change (contract 6.5).
CHANGE_CODES: Mapping[str, str] = MappingProxyType(
    {
        "G": "Generic substitution",
        "P": "Prior authorization required",
        "T": "Therapeutic interchange",
        "D": "Drug use evaluation",
        "S": "Script clarification",
        "OS": "Out of stock",
        "U": "Prescriber authorization",
    }
)
CHANGE_SUB_CODES: Mapping[str, str] = MappingProxyType(
    {
        "A": "State license",
        "B": "DEA status",
        "C": "DEA class",
        "D": "State controlled substance registration",
        "E": "State controlled substance registration class",
        "F": "NADEAN",
        "G": "NPI",
        "H": "Plan enrolment",
        "I": "Prescriptive authority",
        "J": "REMS enrolment",
        "K": "Lock-in",
        "L": "Supervisor",
        "M": "Certificate to prescribe",
    }
)


def unit_code(word: str) -> str | None:
    """The NCI code for a chart's unit word or for a code already given; None when the word says nothing certain."""
    cleaned = " ".join(word.split()).rstrip(".")
    if cleaned.upper() in UNITS:
        return cleaned.upper()
    return QUANTITY_UNITS.get(cleaned.lower())


def describe(*, code: str, description_codes: tuple[str, ...] = ()) -> str:
    """Network codes in words for a page, for example "900 Transaction rejected; 1000 Unable to identify ..."."""
    first = STATUS_CODES.get(code) or ERROR_CODES.get(code) or "unknown code"
    parts = [f"{code} {first}"]
    parts.extend(f"{each} {DESCRIPTION_CODES.get(each, 'unknown code')}" for each in description_codes)
    return "; ".join(parts)
