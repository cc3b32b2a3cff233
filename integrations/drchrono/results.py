"""Laboratory results and vital signs as the chart gives them (contract 7.4, 7.6): one patient's, or everybody's pages.

Reads only. Raises VendorError; a row of another patient, or one that is not the record it should be, is one.
"""

from integrations.drchrono import client, reading, wire
from integrations.drchrono.types import LabResult, VisitVitals
from integrations.drchrono.wire import Line

LABS, VISITS = "/api/patient_lab_results", "/api/appointments"


def of_patient(*, line: Line, patient_id: str, since: str) -> list[LabResult]:
    """A patient's flow sheet from a date on, `YYYY-MM-DD`."""
    params = {"patient": client.checked_id(patient_id), "since": since}
    return client.own(client.everything(line, LABS, params, reading.lab_result), patient_id)


def page(*, line: Line, since: str, cursor: str = "") -> tuple[list[LabResult], str]:
    """One page of everybody's results changed since, and the cursor of the next page, empty at the end."""
    rows, following = wire.page(line=line, path=LABS, params={"since": since}, cursor=cursor)
    return client.every(rows, reading.lab_result), following


def vitals_of_patient(*, line: Line, patient_id: str, since: str) -> list[VisitVitals]:
    """Vital signs of a patient's appointments changed since a date; only `verbose` lists give them (contract 4.3)."""
    params = {"patient": client.checked_id(patient_id), **_verbose(since)}
    return client.own(client.everything(line, VISITS, params, reading.visit_vitals), patient_id)


def vitals_page(*, line: Line, since: str, cursor: str = "") -> tuple[list[VisitVitals], str]:
    """One page of everybody's vital signs. Deleted visits come too: what was taken at one counts no longer."""
    params = {"show_archived": "true", **_verbose(since)}
    rows, following = wire.page(line=line, path=VISITS, params=params, cursor=cursor)
    return client.every(rows, reading.visit_vitals), following


def _verbose(since: str) -> dict[str, str]:
    return {"since": since, "verbose": "true", "page_size": client.APPOINTMENT_PAGE}
