"""Builds the NewRx of a controlled prescription, to be shown to its prescriber and signed before anything is sent.

Only a known schedule II to V passes. What 21 CFR 1306.05, 1306.12 and 1306.22 want is refused with a named reason, and
nothing is cut: a shortened controlled prescription would be void (1311.170(e)). Building sends nothing.
"""

from integrations.surescripts import script_build, script_checks, script_header
from integrations.surescripts.script_fit import Fit
from integrations.surescripts.script_model import (
    Envelope,
    Party,
    PatientRef,
    PharmacyRef,
    PrescriberRef,
    Prescription,
    Schedule,
)

CONTROLLED = frozenset({Schedule.II, Schedule.III, Schedule.IV, Schedule.V})
# Fills of III and IV end six months after the date of issue (1306.22); V is held to the same by our own policy.
MOST_DAYS = 186  # six fills of 31 days


class NotControlled(ValueError):
    """The drug's schedule is not known to be II to V: it is not signed here."""


def build_newrx(
    *,
    envelope: Envelope,
    patient: PatientRef,
    pharmacy: PharmacyRef,
    prescriber: PrescriberRef,
    prescription: Prescription,
) -> bytes:
    """The exact bytes to be signed, bearing the mark of a signature (1311.120(b)(17)).

    Raises NotControlled, DoesNotFit with every reason.
    """
    drug = prescription.drug
    if drug.schedule not in CONTROLLED:
        raise NotControlled(f"schedule {drug.schedule.value} is not signed here")
    fit = Fit()
    script_build.check_together(fit, envelope=envelope, patient=patient, prescription=prescription)
    _check_controlled(fit, patient=patient, prescriber=prescriber, prescription=prescription)
    content = script_build.shared_blocks(fit, patient, pharmacy, prescriber, prescription)
    head = script_header.outgoing(
        to=Party("P", pharmacy.ncpdp_id),
        sender=Party("D", prescriber.spi),
        envelope=script_build.numbered(fit, envelope),
        signed=True,
    )
    return script_header.document(fit, head, f"<NewRx>{content}</NewRx>")


def _check_controlled(fit: Fit, *, patient: PatientRef, prescriber: PrescriberRef, prescription: Prescription) -> None:
    if not prescriber.dea_number:
        fit.refuse("Prescriber/Identification/DEANumber", "missing", "", "Add the prescriber's DEA number.")
    if patient.address is None or not patient.address.line1.strip():
        fit.refuse("Patient/Address", "missing", "", "A controlled prescription names the patient's address.")
    if prescription.note:
        fit.refuse("MedicationPrescribed/Note", "out_of_range", "", "No note goes with a controlled prescription.")
    days, refills = prescription.days_supply, prescription.refills
    if days is None or refills is None or prescription.drug.schedule is Schedule.II:
        return
    most = script_checks.MAX_REFILLS_III_IV
    if refills > most:
        fit.refuse("MedicationPrescribed/NumberOfRefills", "out_of_range", str(refills), f"At most {most} refills.")
    if days * (refills + 1) > MOST_DAYS:
        fit.refuse("MedicationPrescribed/NumberOfRefills", "out_of_range", str(refills),
                   "All fills must end within six months.")  # fmt: skip
