"""From DrChrono's JSON to our types: tolerant of missing, extra and oddly typed fields, never inventing a value.

A record without an id is refused (Unreadable); anything else that cannot be read becomes unknown.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from integrations.drchrono.types import (
    Appointment,
    Doctor,
    LabResult,
    Medication,
    Office,
    Patient,
    PrescriptionMessage,
    Task,
    User,
    VisitVitals,
    Vital,
)


class Unreadable(ValueError):
    """The answer is not the record it should be. Carries field names only."""


Raw = Mapping[str, Any]
LONGEST_ID = 32
MOST = Decimal(1_000_000)  # a quantity beyond is no quantity
# Field, LOINC, and its unit: fixed for pressure and pulse, which come without one, else the field that names it.
VITALS = (
    ("blood_pressure_1", "8480-6", "mm[Hg]"),
    ("blood_pressure_2", "8462-4", "mm[Hg]"),
    ("pulse", "8867-4", "/min"),
    ("weight", "29463-7", "weight_units"),
)


def patient(raw: object) -> Patient:
    r = _record(raw, "patient")
    phones = tuple(p for key in ("cell_phone", "home_phone", "office_phone") if (p := text(r.get(key))))
    preferred = r.get("preferred_pharmacies")
    return Patient(
        id=text(r["id"]),
        first_name=text(r.get("first_name")),
        middle_name=text(r.get("middle_name")),
        last_name=text(r.get("last_name")),
        date_of_birth=day(r.get("date_of_birth")),
        gender=text(r.get("gender")),
        doctor_id=text(r.get("doctor")),
        status=text(r.get("patient_status")),
        last_visit_on=day(r.get("date_of_last_appointment")),
        next_visit_on=day(r.get("date_of_next_appointment")),
        phones=phones,
        email=text(r.get("email")),
        address=text(r.get("address")),
        city=text(r.get("city")),
        state=text(r.get("state")),
        zip_code=text(r.get("zip_code")),
        default_pharmacy=text(r.get("default_pharmacy")),
        preferred_pharmacies=tuple(t for p in preferred if (t := text(p))) if isinstance(preferred, list) else (),
        disables_sms=r.get("disable_sms_messages") is True,
        language=text(r.get("preferred_language")),
        updated_at=text(r.get("updated_at")),
    )


def medication(raw: object) -> Medication:
    r = _record(raw, "medication")
    return Medication(
        id=text(r["id"]),
        patient_id=text(r.get("patient")),
        doctor_id=text(r.get("doctor")),
        name=text(r.get("name")),
        rxcui=text(r.get("rxnorm")),
        ndc=text(r.get("ndc")),
        status=text(r.get("status")),
        order_status=text(r.get("order_status")),
        dosage_quantity=text(r.get("dosage_quantity")),
        dosage_units=text(r.get("dosage_units")),
        route=text(r.get("route")),
        frequency=text(r.get("frequency")),
        prn=_yes_no(r.get("prn")),
        dispense_quantity=number(r.get("dispense_quantity")),
        number_refills=whole(r.get("number_refills")),
        daw=_yes_no(r.get("daw")),
        sig=text(r.get("signature_note")),
        pharmacy_note=text(r.get("pharmacy_note")),
        indication=text(r.get("indication")),
        prescribed_on=day(r.get("date_prescribed")),
        started_on=day(r.get("date_started_taking")),
        stopped_on=day(r.get("date_stopped_taking")),
    )


def doctor(raw: object) -> Doctor:
    r = _record(raw, "doctor")
    return Doctor(
        id=text(r["id"]),
        first_name=text(r.get("first_name")),
        last_name=text(r.get("last_name")),
        suffix=text(r.get("suffix")),
        npi=text(r.get("npi_number")),
        time_zone=text(r.get("timezone")),
        is_suspended=r.get("is_account_suspended") is True,
        practice_group=text(r.get("practice_group")),
    )


def user(raw: object) -> User:
    r = _record(raw, "user")
    return User(
        id=text(r["id"]),
        username=text(r.get("username")),
        is_doctor=r.get("is_doctor") is True,
        doctor_id=text(r.get("doctor")),
        practice_group=text(r.get("practice_group")),
    )


def office(raw: object) -> Office:
    r = _record(raw, "office")
    return Office(
        id=text(r["id"]),
        name=text(r.get("name")),
        doctor_id=text(r.get("doctor")),
        address=text(r.get("address")),
        city=text(r.get("city")),
        state=text(r.get("state")),
        zip_code=text(r.get("zip_code")),
        phone=text(r.get("phone_number")),
        fax=text(r.get("fax_number")),
        is_archived=r.get("archived") is True,
    )


def appointment(raw: object) -> Appointment:
    r = _record(raw, "appointment")
    return Appointment(
        id=text(r["id"]),
        patient_id=text(r.get("patient")),
        doctor_id=text(r.get("doctor")),
        scheduled_local=local(r.get("scheduled_time")),
        status=text(r.get("status")),
        is_break=r.get("appt_is_break") is True,
        is_deleted=r.get("deleted_flag") is True,
        updated_at=text(r.get("updated_at")),
    )


def prescription_message(raw: object) -> PrescriptionMessage:
    r = _record(raw, "prescription message")
    drug = _prescribed(r.get("json_data"))
    way = text(r.get("message_direction")).lower()
    direction = {"i": "incoming", "incoming": "incoming", "o": "outgoing", "outgoing": "outgoing"}.get(way, "unknown")
    return PrescriptionMessage(
        id=text(r["id"]),
        patient_id=text(r.get("patient")),
        doctor_id=text(r.get("doctor")),
        kind=text(r.get("message_type")),
        direction=direction,
        status=text(r.get("message_status")),
        parent_id=text(r.get("parent_message")),
        pharmacy_ncpdp_id=text(r.get("pharmacy")),
        drug_name=_first(drug, "DrugDescription", "drug_description", "name"),
        rxcui=_first(drug, "RxCUI", "rxnorm", "DrugDBCode"),
        ndc=_first(drug, "NDC", "ndc", "ProductCode"),
        quantity=number(_value(drug.get("Quantity"))),
        days_supply=whole(drug.get("DaysSupply")),
        number_refills=whole(_value(drug.get("Refills") or drug.get("NumberOfRefills"))),
        created_at=text(r.get("created_at")),
    )


def lab_result(raw: object) -> LabResult:
    r = _record(raw, "lab result")
    return LabResult(
        id=text(r["id"]),
        patient_id=text(r.get("patient")),
        title=text(r.get("title")),
        loinc=text(r.get("loinc_code")),
        value=text(r.get("lab_result_value")),
        units=text(r.get("lab_result_value_units")),
        abnormal_flag=text(r.get("lab_abnormal_flag")),
        order_status=text(r.get("lab_order_status")),
        performed_local=local(r.get("date_test_performed")),
        updated_at=text(r.get("updated_at")),
    )


def visit_vitals(raw: object) -> VisitVitals:
    """Vital signs inside an appointment; a zero is DrChrono's way of saying "not taken"."""
    visit = appointment(raw)
    r = _record(raw, "appointment")
    taken = r.get("vitals")
    found: list[Vital] = []
    if isinstance(taken, Mapping) and visit.may_count_as_visit:
        for name, loinc, units in VITALS:
            value = text(taken.get(name)).strip()
            if value and number(value) != 0:
                given = text(taken.get(units)) if units.endswith("_units") else units
                found.append(Vital(loinc=loinc, title=name, value=value, units=given))
    return VisitVitals(
        id=visit.id,
        patient_id=visit.patient_id,
        scheduled_local=visit.scheduled_local,
        vitals=tuple(found),
        updated_at=visit.updated_at,
    )


def task(raw: object) -> Task:
    r = _record(raw, "task")
    notes = r.get("notes")
    found = [text(note.get("text")) for note in notes if isinstance(note, Mapping)] if isinstance(notes, list) else []
    return Task(
        id=text(r["id"]),
        title=text(r.get("title")),
        status_id=text(r.get("status")),
        is_archived=r.get("archived") is True,
        notes=tuple(found),
        updated_at=text(r.get("updated_at")),
    )


# --- single values ---------------------------------------------------------------------------------------------------


def text(value: object) -> str:
    """Ids come as numbers or text, unset as null: always compared and kept as text."""
    if value is None or isinstance(value, (bool, list, dict)):
        return ""
    return str(value).replace("\x00", "\ufffd")  # PostgreSQL keeps no NUL


def day(value: object) -> date | None:
    """A date from `2026-01-12` or `2026-01-12T09:31:44`."""
    try:
        return date.fromisoformat(text(value)[:10])
    except ValueError:
        return None


def local(value: object) -> datetime | None:
    """A timestamp without zone; one with a zone or an unreadable one is None, for its zone is not documented."""
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return moment if moment.tzinfo is None else None


def number(value: object) -> Decimal | None:
    try:
        found = Decimal(text(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < MOST else None


def whole(value: object) -> int | None:
    found = number(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def _yes_no(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _record(raw: object, what: str) -> Raw:
    if not isinstance(raw, Mapping) or not text(raw.get("id")):
        raise Unreadable(f"not a {what}")
    if any(len(text(raw.get(key))) > LONGEST_ID for key in ("id", "patient", "doctor", "parent_message")):
        raise Unreadable(f"no ids of a {what}")
    return raw


def _prescribed(payload: object) -> Raw:
    """`MedicationPrescribed` of the message's payload, which is JSON as text, an object, or something else."""
    found = payload
    if isinstance(payload, str):
        try:
            found = orjson.loads(payload)
        except ValueError:
            return {}
    if not isinstance(found, Mapping):
        return {}
    drug = found.get("MedicationPrescribed") or found.get("medication_prescribed") or {}
    return drug if isinstance(drug, Mapping) else {}


def _value(raw: object) -> object:
    """A plain value, or the `Value` inside an object."""
    return raw.get("Value") if isinstance(raw, Mapping) else raw


def _first(raw: Raw, *keys: str) -> str:
    return next((found for key in keys if (found := text(_value(raw.get(key))))), "")
