"""The medication blocks of SCRIPT 2017071: one order of elements, and what each block must or may not hold.

Writes as text and notes in its Fit what does not fit; never decides, cuts or fills in.
"""

from dataclasses import dataclass
from datetime import date

from integrations.surescripts import script_checks, script_codes
from integrations.surescripts.script_fit import Fit
from integrations.surescripts.script_model import Drug, Prescription, Schedule


@dataclass(frozen=True, slots=True)
class Block:
    """One medication block. `needs`: parts it must have. `refills`: needed, optional, or none where it has no such.

    `is_ours`: we are the prescriber's system, so quantity, coding and days must be what we promise.
    """

    name: str
    needs: frozenset[str] = frozenset()
    refills: str = "needed"
    is_ours: bool = False


PRESCRIBED = Block("MedicationPrescribed", frozenset({"WrittenDate", "DaysSupply"}), is_ours=True)
RESPONSE = Block("MedicationResponse", frozenset({"WrittenDate", "DaysSupply"}), is_ours=True)
DENIED = Block("MedicationResponse", frozenset({"WrittenDate"}))
"""What was asked, said back with a denial: a pharmacy that codes loosely is answered all the same."""
THEIRS_PRESCRIBED = Block("MedicationPrescribed", frozenset({"WrittenDate"}))
DISPENSED_FOR_RENEWAL = Block("MedicationDispensed", frozenset({"LastFillDate"}), refills="none")
DISPENSED = Block("MedicationDispensed")
REQUESTED = Block("MedicationRequested", refills="optional")


def write(fit: Fit, prescription: Prescription, block: Block) -> str:
    """The block, each line in the order of the standard."""
    at = block.name
    parts = [f"<{at}>{_drug(fit, prescription.drug, block)}{_quantity(fit, prescription, block)}"]
    if prescription.days_supply is not None or "DaysSupply" in block.needs:
        days = fit.whole(f"{at}/DaysSupply", prescription.days_supply, least=1, most=999)
        parts.append(f"<DaysSupply>{days}</DaysSupply>")
    for name, day in (("WrittenDate", prescription.written_on), ("LastFillDate", prescription.last_filled_on)):
        if day is not None:
            parts.append(f"<{name}>{_date(day)}</{name}>")
        elif name in block.needs:
            mend = "Give the date of approval." if name == "WrittenDate" else "Give the day of the last fill."
            fit.refuse(f"{at}/{name}", "missing", "", mend)
    parts.append(f"<Substitutions>{'0' if prescription.substitution_allowed else '1'}</Substitutions>")
    parts.append(_refills(fit, prescription, block))
    parts.append(_diagnoses(fit, prescription, at))
    if prescription.note:
        parts.append(f"<Note>{fit.text(f'{at}/Note', prescription.note, most=script_checks.MAX_NOTE)}</Note>")
    sig = fit.text(f"{at}/Sig/SigText", prescription.sig, most=script_checks.MAX_SIG)
    parts.append(f"<Sig><SigText>{sig}</SigText></Sig>")
    if prescription.requested_refills is not None:
        if block.refills == "none":
            asked = fit.whole(f"{at}/PharmacyRequestedRefills", prescription.requested_refills, least=0, most=99)
            parts.append(f"<PharmacyRequestedRefills>{asked}</PharmacyRequestedRefills>")
        else:
            fit.refuse(f"{at}/PharmacyRequestedRefills", "out_of_range", "", "Only a renewal request asks for refills.")
    if prescription.wants_fill_status:
        parts.append("<RxFillIndicator>All Fill Statuses</RxFillIndicator>")
    parts.append(f"</{at}>")
    return "".join(parts)


def _quantity(fit: Fit, prescription: Prescription, block: Block) -> str:
    at, qualifier = f"{block.name}/Quantity", prescription.quantity_qualifier
    if block.is_ours and qualifier != "38":
        fit.refuse(f"{at}/CodeListQualifier", "not_in_table", "", "Only an original quantity (38) is sent.")
    elif qualifier not in script_codes.QUANTITY_QUALIFIERS:
        fit.refuse(f"{at}/CodeListQualifier", "not_in_table", qualifier[:5], "Use a qualifier of the standard.")
    return (
        f"<Quantity><Value>{fit.quantity(f'{at}/Value', prescription.quantity)}</Value>"
        f"<CodeListQualifier>{qualifier}</CodeListQualifier><QuantityUnitOfMeasure>"
        f"<Code>{fit.unit(f'{at}/QuantityUnitOfMeasure', prescription.unit_code)}</Code>"
        "</QuantityUnitOfMeasure></Quantity>"
    )


def _refills(fit: Fit, prescription: Prescription, block: Block) -> str:
    field = f"{block.name}/NumberOfRefills"
    if block.refills == "none":
        if prescription.refills is not None:
            fit.refuse(field, "out_of_range", str(prescription.refills), "This block holds no number of refills.")
        return ""
    if block.refills == "optional" and prescription.refills is None:
        return ""
    most = script_checks.most_refills(prescription.drug.schedule) if block.is_ours else 99
    return f"<NumberOfRefills>{fit.whole(field, prescription.refills, least=0, most=most)}</NumberOfRefills>"


def _drug(fit: Fit, drug: Drug, block: Block) -> str:
    at = f"{block.name}/DrugCoded"
    description = fit.text(f"{block.name}/DrugDescription", drug.description, most=script_checks.MAX_DESCRIPTION)
    parts = []
    if drug.ndc:
        code = fit.ndc(f"{at}/ProductCode", drug.ndc)
        parts.append(f"<ProductCode><Code>{code}</Code><Qualifier>ND</Qualifier></ProductCode>")
    if drug.strength:
        strength = drug.strength
        parts.append(
            f"<Strength><StrengthValue>{fit.strength_value(f'{at}/Strength/StrengthValue', strength.value)}"
            "</StrengthValue><StrengthForm>"
            f"<Code>{fit.nci_code(f'{at}/Strength/StrengthForm', strength.form_code)}</Code></StrengthForm>"
            "<StrengthUnitOfMeasure>"
            f"<Code>{fit.nci_code(f'{at}/Strength/StrengthUnitOfMeasure', strength.unit_code)}</Code>"
            "</StrengthUnitOfMeasure></Strength>"
        )
    if block.is_ours or drug.rxcui or drug.rxcui_qualifier:
        if drug.rxcui_qualifier not in script_codes.DRUG_QUALIFIERS.values():
            hint, mend = drug.rxcui_qualifier[:5], "Choose a drug with strength and form, not an ingredient."
            fit.refuse(f"{at}/DrugDBCode/Qualifier", "not_in_table", hint, mend)
        rxcui = fit.digits(f"{at}/DrugDBCode/Code", drug.rxcui, lengths=(1, 2, 3, 4, 5, 6, 7, 8))
        parts.append(f"<DrugDBCode><Code>{rxcui}</Code><Qualifier>{drug.rxcui_qualifier}</Qualifier></DrugDBCode>")
    schedule = script_codes.SCHEDULE_CODES.get(drug.schedule, "")
    if schedule:
        parts.append(f"<DEASchedule><Code>{schedule}</Code></DEASchedule>")
    elif block.is_ours:
        fit.refuse(f"{at}/DEASchedule", "missing", Schedule.UNKNOWN.value, "Find out whether the drug is controlled.")
    coded = f"<DrugCoded>{''.join(parts)}</DrugCoded>" if parts else ""
    return f"<DrugDescription>{description}</DrugDescription>{coded}"


def _diagnoses(fit: Fit, prescription: Prescription, at: str) -> str:
    field = f"{at}/Diagnosis"
    if len(prescription.diagnoses) > 2:
        fit.refuse(field, "out_of_range", str(len(prescription.diagnoses)), "Give at most two diagnoses.")
    parts = []
    for diagnosis in prescription.diagnoses:
        if diagnosis.stated_by not in ("1", "2"):
            fit.refuse(field, "not_in_table", "", "Say who states the diagnosis.")
        code = fit.diagnosis_code(f"{field}/Primary/Code", diagnosis.code, diagnosis.qualifier)
        parts.append(
            f"<Diagnosis><ClinicalInformationQualifier>{diagnosis.stated_by}</ClinicalInformationQualifier><Primary>"
            f"<Code>{code}</Code><Qualifier>{diagnosis.qualifier}</Qualifier>"
            f"<Description>{fit.text(f'{field}/Primary/Description', diagnosis.description, most=100)}</Description>"
            "</Primary></Diagnosis>"
        )
    return "".join(parts)


def _date(value: date) -> str:
    return f"<Date>{value.isoformat()}</Date>"
