"""Snapshot: exactly what the review card and a NewRx need of a patient, sealed on the request (law 9).

Read from the chart just before a decision, refreshed at approval, purged a set time after the end. Never logged.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime

import orjson

from integrations import vault
from refillhub.practices.models import Practice

PURPOSE = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One patient as read at one moment. Empty text means the chart has none; `birth_date` is ISO."""

    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    birth_date: str = ""
    sex: str = ""
    address: str = ""
    city: str = ""
    state: str = ""
    zip_code: str = ""
    phone: str = ""
    chart_id: str = ""
    patient_external_id: str = ""
    default_pharmacy: str = ""
    pharmacy_name: str = ""
    pharmacy_street: str = ""
    language: str = ""
    status: str = ""
    allergies: tuple[str, ...] = ()
    source: str = "chart"

    @property
    def name(self) -> str:
        """First and last name as a person says it."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)

    @property
    def initials(self) -> str:
        """Initials for pages that show least."""
        return "".join(part[0] + "." for part in (self.first_name, self.last_name) if part)

    def printed(self) -> tuple[str, ...]:
        """What a prescription prints of the patient."""
        return (
            self.first_name, self.middle_name, self.last_name, self.birth_date, self.sex.lower(), self.address,
            self.city, self.state, self.zip_code, self.phone, self.patient_external_id,
        )  # fmt: skip

    def born_on(self) -> date | None:
        """Birth date, None when unknown or unreadable."""
        try:
            return date.fromisoformat(self.birth_date[:10])
        except ValueError:
            return None

    def age_years(self, *, today: date) -> int | None:
        """Whole years on `today` (practice-local), None when the birth date is unknown."""
        born = self.born_on()
        if born is None or born > today:
            return None
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def seal(*, snapshot: Snapshot, practice: Practice) -> bytes:
    """The snapshot as sealed bytes of this practice."""
    return vault.seal_payload(
        plain=orjson.dumps(asdict(snapshot)), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE
    )


def unseal(*, sealed: bytes | memoryview | None, practice: Practice) -> Snapshot | None:
    """The snapshot, or None when there was none or it has been purged."""
    if not sealed:
        return None
    plain = vault.open_payload(sealed=bytes(sealed), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE)
    values = orjson.loads(plain)
    values["allergies"] = tuple(values.get("allergies", ()))
    return Snapshot(**values)


def is_fresh(*, snapshot_at: datetime | None, now: datetime, limit_minutes: int) -> bool:
    """Whether a snapshot may still be relied on (the practice's mirror limit, requirement F064)."""
    return snapshot_at is not None and (now - snapshot_at).total_seconds() <= limit_minutes * 60
