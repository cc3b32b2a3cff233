"""The made-up charts of one practice: patients on both sides, medications, visits, eRx log, allergies, labs.

Every odd case the contract's seed list names occurs; the first patients of a practice are the odd ones, in a fixed
order (see ODD), so that tests can find them by number. Timestamps are practice-local without a zone, as DrChrono
gives them.
"""

import json
import random
from datetime import datetime, timedelta
from typing import Any

from integrations.sandbox import drugs
from integrations.sandbox.drugs import Drug

ODD = (
    "plain",
    "no_visit_in_a_year",
    "visit_365_days_ago",
    "inactive",
    "deceased",
    "no_phone",
    "no_pharmacy",
    "shared_phone_a",
    "shared_phone_b",
    "schedule_2",
    "schedule_3",
    "schedule_4",
    "schedule_5",
    "stopped_still_active",
    "brand_without_rxnorm",
    "only_ndc",
    "as_needed",
    "over_the_counter",
    "other_doctor",
    "unparseable_sig",
    "two_strengths",
    "zero_refills",
    "long_supply",
    "caution",
    "unverified",
    "not_linked",
    "visit_366_days_ago",
    "never_seen",
)


def generate(
    *,
    number: int,
    chance: random.Random,
    local: datetime,
    patients: int,
    practice: dict[str, Any],
    pharmacies: list[str],
    first: tuple[str, ...],
    last: tuple[str, ...],
    cities: tuple[tuple[str, str, str], ...],
) -> dict[str, list[dict[str, Any]]]:
    """All chart lists of one practice; keys as in the world document."""
    chart: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in (
            "patients",
            "medications",
            "appointments",
            "prescription_messages",
            "allergies",
            "problems",
            "patient_lab_results",
        )
    }
    doctors = [doctor for doctor in practice["doctors"] if not doctor["suspended"]]
    for place in range(patients):
        oddity = ODD[place] if place < len(ODD) else "plain"
        doctor = doctors[place % len(doctors)]
        serial = number * 10000 + place
        record = _patient(serial, place, oddity, chance, local, doctor, pharmacies, practice, first, last, cities)
        chart["patients"].append({"case": oddity, "drchrono": record, "klara": _klara(serial, oddity, record)})
        _visits(chart, serial, record, doctor, practice, local)
        for line, (drug, changes) in enumerate(_list_of(oddity, place, chance)):
            _medication(chart, serial, line, drug, changes, record, doctor, local, chance)
        _rest(chart, serial, record, doctor, local, chance)
    return chart


def stamp(moment: datetime) -> str:
    """A DrChrono timestamp: seconds, no zone."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _patient(
    serial: int,
    place: int,
    oddity: str,
    chance: random.Random,
    local: datetime,
    doctor: dict[str, Any],
    pharmacies: list[str],
    practice: dict[str, Any],
    first: tuple[str, ...],
    last: tuple[str, ...],
    cities: tuple[tuple[str, str, str], ...],
) -> dict[str, Any]:
    city, state, postal = cities[place % len(cities)]
    phone = f"(937) 6{serial // 10000 % 100:02d}-{place % 10000:04d}"
    if oddity == "shared_phone_b":
        phone = f"(937) 6{serial // 10000 % 100:02d}-{place - 1:04d}"
    days = {"no_visit_in_a_year": 500, "visit_365_days_ago": 365, "visit_366_days_ago": 366}.get(
        oddity, 10 + chance.randrange(200)
    )
    seen = None if oddity == "never_seen" else (local - timedelta(days=days)).strftime("%Y-%m-%d")
    pharmacy = "" if oddity == "no_pharmacy" else pharmacies[place % len(pharmacies)]
    name, family = chance.choice(first), chance.choice(last)
    changed = stamp(local - timedelta(days=1 + chance.randrange(90), seconds=chance.randrange(80000)))
    return {
        "id": 70000000 + serial,
        "chart_id": f"{family[:2].upper()}{name[:2].upper()}{serial % 1000000:06d}",
        "first_name": name,
        "middle_name": None,
        "last_name": family,
        "nick_name": "",
        "date_of_birth": f"{1940 + chance.randrange(60)}-{1 + chance.randrange(12):02d}-{1 + chance.randrange(28):02d}",
        "gender": chance.choice(("Female", "Male")),
        "doctor": doctor["id"],
        "patient_status": {"inactive": "I", "deceased": "D"}.get(oddity, "A"),
        "cell_phone": "" if oddity == "no_phone" else phone,
        "home_phone": "",
        "office_phone": "",
        "email": f"patient{serial}@example.org",
        "address": f"{1 + place} Elm St",
        "city": city,
        "state": state,
        "zip_code": postal,
        "date_of_first_appointment": None if seen is None else "2019-05-02",
        "date_of_last_appointment": seen,
        "default_pharmacy": pharmacy,
        "preferred_pharmacies": [pharmacy] if pharmacy else [],
        "disable_sms_messages": False,
        "preferred_language": "eng",
        "race": "blank",
        "ethnicity": "blank",
        "offices": [practice["offices"][0]["id"]],
        "copay": "",
        "created_at": "2019-04-28T10:11:12",
        "updated_at": changed,
    }


def _klara(serial: int, oddity: str, record: dict[str, Any]) -> dict[str, Any]:
    digits = "".join(c for c in record["cell_phone"] if c.isdigit())
    return {
        "id": f"pat_{serial}",
        "first_name": record["first_name"],
        "last_name": record["last_name"],
        "date_of_birth": record["date_of_birth"],
        "phone": f"+1{digits}" if digits else None,
        "identity_verified": oddity != "unverified",
        "external_ids": [] if oddity == "not_linked" else [{"system": "drchrono", "value": str(record["id"])}],
        "merged_into": None,
    }


def _visits(
    chart: dict[str, list[dict[str, Any]]],
    serial: int,
    record: dict[str, Any],
    doctor: dict[str, Any],
    practice: dict[str, Any],
    local: datetime,
) -> None:
    if record["date_of_last_appointment"] is None:
        return
    for line, (day, status) in enumerate(
        (
            (datetime.fromisoformat(record["date_of_last_appointment"]), "Complete"),
            (local - timedelta(days=5), "No Show" if serial % 7 == 0 else ""),
        )
    ):
        if not status:
            continue
        chart["appointments"].append(
            {
                "id": str(250000000 + serial * 10 + line),
                "patient": record["id"],
                "doctor": doctor["id"],
                "office": practice["offices"][0]["id"],
                "exam_room": 1,
                "scheduled_time": day.strftime("%Y-%m-%dT14:30:00"),
                "duration": 20,
                "status": status,
                "reason": "Follow-up",
                "notes": "",
                "profile": None,
                "appt_is_break": False,
                "is_walk_in": False,
                "recurring_appointment": False,
                "deleted_flag": False,
                "icd10_codes": ["I10"],
                "created_at": stamp(day - timedelta(days=20)),
                "updated_at": day.strftime("%Y-%m-%dT15:05:31"),
                **({"vitals": _vitals(serial)} if status == "Complete" else {}),
            }
        )


def _vitals(serial: int) -> dict[str, Any]:
    """What a nurse took at the visit, as the field names of `vitals` go; zero is "not taken"."""
    return {
        "blood_pressure_1": 112 + serial % 30,
        "blood_pressure_2": 68 + serial % 20,
        "pulse": 62 + serial % 24,
        "weight": 128 + serial % 90,
        "weight_units": "lbs",
        "height": 0,
        "height_units": "inches",
        "temperature": 0,
        "temperature_units": "f",
        "respiratory_rate": 0,
        "oxygen_saturation": 0,
        "pain": "",
        "smoking_status": "blank",
    }


def _list_of(oddity: str, place: int, chance: random.Random) -> list[tuple[Drug, dict[str, Any]]]:
    usual = drugs.MAINTENANCE[place % len(drugs.MAINTENANCE)]
    other = drugs.MAINTENANCE[(place + 7) % len(drugs.MAINTENANCE)]
    special: dict[str, list[tuple[Drug, dict[str, Any]]]] = {
        "schedule_2": [(drugs.CONTROLLED[0], {"number_refills": 0})],
        "schedule_3": [(drugs.CONTROLLED[2], {})],
        "schedule_4": [(drugs.CONTROLLED[3], {})],
        "schedule_5": [(drugs.CONTROLLED[7], {})],
        "stopped_still_active": [(usual, {"date_stopped_taking": "2024-01-31"})],
        "brand_without_rxnorm": [(drugs.BRANDS[0], {"name": "Zestril 10 mg tab", "rxnorm": "", "ndc": ""})],
        "only_ndc": [(drugs.MAINTENANCE[0], {"rxnorm": "", "ndc": "0093-1113-10"})],
        "as_needed": [
            (
                drugs.AS_NEEDED,
                {
                    "prn": True,
                    "frequency": "every 8 hours as needed",
                    "signature_note": "Take 1 tablet by mouth every 8 hours as needed for pain",
                },
            )
        ],
        "over_the_counter": [(drugs.OVER_THE_COUNTER, {"order_status": "Over the Counter"})],
        "other_doctor": [(usual, {"order_status": "Prescribed by other Dr"})],
        "unparseable_sig": [
            (usual, {"dosage_quantity": "", "frequency": "as directed", "signature_note": "use as directed by clinic"})
        ],
        "two_strengths": [(drugs.STRENGTHS[0], {}), (drugs.STRENGTHS[1], {})],
        "zero_refills": [(usual, {"number_refills": 0})],
        "long_supply": [(drugs.MAINTENANCE[0], {"dispense_quantity": 180})],
        "caution": [(drug, {}) for drug in drugs.CAUTION],
    }
    if oddity in special:
        return [*special[oddity], (other, {})] if oddity not in ("two_strengths", "caution") else special[oddity]
    lines: list[tuple[Drug, dict[str, Any]]] = [(usual, {}), (other, {})]
    if chance.random() < 0.1:
        lines.append((chance.choice(drugs.CONTROLLED), {}))
    return lines


def _medication(
    chart: dict[str, list[dict[str, Any]]],
    serial: int,
    line: int,
    drug: Drug,
    changes: dict[str, Any],
    record: dict[str, Any],
    doctor: dict[str, Any],
    local: datetime,
    chance: random.Random,
) -> None:
    ago = 75 + chance.randrange(15)
    prescribed = local - timedelta(days=ago)
    entry = {
        "id": 98000000 + serial * 10 + line,
        "patient": record["id"],
        "doctor": doctor["id"],
        "appointment": None,
        "name": drug.name,
        "rxnorm": drug.rxnorm,
        "ndc": drug.ndc,
        "status": "active",
        "order_status": "Electronic eRx Sent",
        "dosage_quantity": "1",
        "dosage_units": drug.units,
        "route": drug.route,
        "frequency": drug.frequency,
        "prn": False,
        "dispense_quantity": drug.quantity,
        "number_refills": 1,
        "daw": False,
        "indication": drug.indication,
        "signature_note": drug.sig,
        "pharmacy_note": "",
        "notes": "",
        "date_prescribed": prescribed.strftime("%Y-%m-%d"),
        "date_started_taking": "2019-05-02",
        "date_stopped_taking": None,
        **changes,
    }
    chart["medications"].append(entry)
    if entry["order_status"] != "Electronic eRx Sent":
        return
    chart["prescription_messages"].append(
        {
            "id": 5500000 + serial * 10 + line,
            "message_type": "NewRx",
            "message_direction": "O",
            "message_status": "Sent",
            "patient": record["id"],
            "doctor": doctor["id"],
            "pharmacy": record["default_pharmacy"],
            "parent_message": None,
            "created_at": stamp(prescribed),
            "json_data": json.dumps(
                {
                    "MedicationPrescribed": {
                        "DrugDescription": entry["name"],
                        "Quantity": str(entry["dispense_quantity"]),
                        "Refills": str(entry["number_refills"]),
                    }
                }
            ),
        }
    )


def _rest(
    chart: dict[str, list[dict[str, Any]]],
    serial: int,
    record: dict[str, Any],
    doctor: dict[str, Any],
    local: datetime,
    chance: random.Random,
) -> None:
    if serial % 5 == 0:
        chart["allergies"].append(
            {
                "id": 8800000 + serial,
                "patient": record["id"],
                "doctor": doctor["id"],
                "description": "Penicillin",
                "rxnorm": "7980",
                "snomed_code": "",
                "reaction": "Hives",
                "snomed_reaction": "247472004",
                "status": "active",
                "verification_status": "confirmed",
                "notes": "",
            }
        )
    chart["problems"].append(
        {
            "id": 8900000 + serial,
            "patient": record["id"],
            "doctor": doctor["id"],
            "appointment": None,
            "name": "Hypertension",
            "description": "",
            "icd_code": "I10",
            "icd_version": "10",
            "snomed_ct_code": "",
            "status": "active",
            "category": "problem-list-item",
            "date_onset": "2019-05-02",
            "notes": "",
        }
    )
    day = local - timedelta(days=10 + chance.randrange(300))
    for line, (title, loinc, value, units, normal) in enumerate(
        (
            ("Potassium", "2823-3", f"{3.6 + chance.randrange(14) / 10:.1f}", "mmol/L", "3.5-5.1"),
            ("Creatinine", "2160-0", f"{0.7 + chance.randrange(5) / 10:.1f}", "mg/dL", "0.6-1.3"),
            ("eGFR", "98979-8", str(62 + serial % 35), "mL/min/1.73m2", ">59"),
            ("Sodium", "2951-2", str(136 + serial % 8), "mmol/L", "136-145"),
            ("LDL Cholesterol", "13457-7", str(70 + serial % 60), "mg/dL", "0-99"),
            ("ALT", "1742-6", str(14 + serial % 30), "U/L", "0-44"),
            # Some laboratories send no code: their own name has to be explained by the practice.
            ("TSH, 3rd gen" if serial % 9 == 0 else "TSH", "" if serial % 9 == 0 else "11580-8",
             f"{1.1 + serial % 20 / 10:.1f}", "mIU/L", "0.4-4.5"),
            ("Hemoglobin A1c", "4548-4", f"{6.1 + serial % 18 / 10:.1f}", "%", "<5.7"),
        )
    ):
        chart["patient_lab_results"].append(
            {
                "id": 4400000 + serial * 10 + line,
                "patient": record["id"],
                "ordering_doctor": doctor["id"],
                "title": title,
                "loinc_code": loinc,
                "lab_result_value": value,
                "lab_result_value_as_float": float(value),
                "lab_result_value_units": units,
                "lab_normal_range": normal,
                "lab_normal_range_units": units,
                "lab_abnormal_flag": "N",
                "lab_order_status": "Results Received",
                "date_test_performed": stamp(day),
                "doctor_signoff": True,
                "doctor_comments": "",
                "created_at": stamp(day + timedelta(hours=10)),
                "updated_at": stamp(day + timedelta(hours=12)),
            }
        )
