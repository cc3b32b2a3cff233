"""A patient's problem list (contract 7.5) as far as one question goes: does it speak of pregnancy? Read on demand,
never kept.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from integrations import http
from integrations.drchrono import wire
from integrations.drchrono.wire import Line

# Said wrongly or taken back (contract 7.5, verification_status), or over.
NOT_ONE = frozenset({"refuted", "entered-in-error"})
OVER = frozenset({"inactive", "resolved"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One active entry; any of the three may be empty, but not all."""

    name: str = field(repr=False)
    icd_code: str = field(repr=False)
    icd_version: str = "10"


def problems(*, line: Line, patient_id: str) -> tuple[Problem, ...]:
    """Active, not refuted problems of one patient (one call). Raises VendorError; an entry that says nothing is one."""
    found = []
    for rows in wire.pages(line=line, path="/api/problems", params={"patient": patient_id}):
        for row in rows:
            if not isinstance(row, dict) or str(row.get("patient", "")) != patient_id:
                raise _refused("not a problem of this patient")
            if str(row.get("status")) in OVER or str(row.get("verification_status") or "") in NOT_ONE:
                continue
            name = " ".join(filter(None, (_text(row, "name"), _text(row, "description"), _text(row, "notes"))))
            code = re.sub(r"[^0-9A-Z]", "", _text(row, "icd_code").upper())
            if not name and not code:
                raise _refused("a problem without name and code")
            found.append(Problem(name=name, icd_code=code, icd_version=_text(row, "icd_version") or "10"))
    return tuple(found)


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ("" if value is None else str(value))


def _refused(words: str) -> http.VendorError:
    return http.VendorError(words, vendor="drchrono", permanent=True, code="unreadable")
