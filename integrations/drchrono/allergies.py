"""A patient's allergies as the chart lists them (contract 7.5): read on demand before an automatic approval, never
kept.
"""

from dataclasses import dataclass, field

from integrations import http
from integrations.drchrono import wire
from integrations.drchrono.wire import Line

# Said wrongly or taken back: no allergy (contract 7.5, verification_status).
NOT_ONE = frozenset({"refuted", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Allergy:
    """One active entry; `rxcui` is empty when the entry is free text."""

    description: str = field(repr=False)
    rxcui: str


def allergies(*, line: Line, patient_id: str) -> tuple[Allergy, ...]:
    """Active, not refuted allergies of one patient (one call). Raises VendorError."""
    found = []
    for rows in wire.pages(line=line, path="/api/allergies", params={"patient": patient_id}):
        for row in rows:
            if not isinstance(row, dict) or str(row.get("patient", "")) != patient_id:
                # Left out it might be the one that matters.
                raise http.VendorError("not an allergy of this patient", vendor="drchrono", permanent=True,
                                       code="foreign_rows")  # fmt: skip
            if str(row.get("status")) != "inactive" and str(row.get("verification_status") or "") not in NOT_ONE:
                found.append(Allergy(str(row.get("description") or ""), str(row.get("rxnorm") or "")))
    return tuple(found)
