"""Who is on the network: accounts with their certificate, prescriber locations (SPIs), pharmacies.

Read from the world document; where it names none, a built-in set. The test desk may change records while it runs.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from integrations.sandbox import surescripts_codes as codes
from integrations.sandbox.surescripts_profiles import ALL_LEVELS, BY_NCPDP, PROFILES, Profile
from integrations.sandbox.world import World

FOR_EVER: Final[datetime] = datetime(2099, 12, 31, tzinfo=UTC)
SINCE: Final[datetime] = datetime(2015, 1, 1, tzinfo=UTC)
OTHER_ACCOUNT: Final[str] = "another-vendor"
DEFAULT_FINGERPRINT: Final[str] = "0" * 39 + "1"


@dataclass(slots=True)
class Account:
    """One participant: its certificate's fingerprint and the practice of the world it stands for."""

    key: str
    fingerprint: str
    practice: str


@dataclass(slots=True)
class Place:
    """An address with its numbers."""

    line1: str = "211 Central Road"
    line2: str = ""
    city: str = "Nashville"
    state: str = "TN"
    postal: str = "37205"
    phone: str = "6152218800"
    fax: str = "6152218801"


@dataclass(slots=True)
class Spi:
    """One prescriber at one location."""

    spi: str
    account: str
    npi: str
    dea: str
    last: str
    first: str
    suffix: str = "MD"
    practice_name: str = ""
    place: Place = field(default_factory=Place)
    active_end: datetime = FOR_EVER
    levels: frozenset[str] = ALL_LEVELS
    listed: bool = True


@dataclass(slots=True)
class Pharmacy:
    """One pharmacy; `listed` False = gone from the directory, its id no longer routed."""

    ncpdp: str
    npi: str
    name: str
    place: Place
    profile: Profile
    active_end: datetime = FOR_EVER
    levels: frozenset[str] = ALL_LEVELS
    listed: bool = True
    verify_after: float | None = None


class Registry:
    """The directory as the network itself sees it."""

    def __init__(self, *, world: World, now: datetime) -> None:
        self.accounts: dict[str, Account] = {}
        self.fingerprints: dict[str, Account] = {}
        self.spis: dict[str, Spi] = {}
        self.pharmacies: dict[str, Pharmacy] = {}
        self._yesterday = now - timedelta(days=1)
        self.add(document=world.document)
        if not self.spis:
            self._built_in()
        for ncpdp, profile in BY_NCPDP.items():
            if ncpdp not in self.pharmacies:
                self.pharmacies[ncpdp] = self._pharmacy(_built_in_pharmacy(ncpdp, profile))

    def add(self, *, document: dict[str, Any]) -> dict[str, int]:
        """Take practices and pharmacies of a (partial) world document; returns how many SPIs and pharmacies came."""
        before = len(self.spis), len(self.pharmacies)
        for practice in document.get("practices", []):
            own = practice.get("surescripts") or {}
            account = Account(
                key=str(own.get("account") or f"acct-{practice['key']}"),
                fingerprint=str(own.get("fingerprint") or f"fingerprint-{practice['key']}").lower(),
                practice=practice["key"],
            )
            self._account(account)
            for doctor in practice.get("doctors", []):
                self._doctor(practice, doctor, account.key)
        for entry in document.get("pharmacies", []):
            pharmacy = self._pharmacy(entry)
            self.pharmacies[pharmacy.ncpdp] = pharmacy
        return {"spis": len(self.spis) - before[0], "pharmacies": len(self.pharmacies) - before[1]}

    def _account(self, account: Account) -> None:
        self.accounts[account.key] = account
        self.fingerprints[account.fingerprint] = account

    def _doctor(self, practice: dict[str, Any], doctor: dict[str, Any], account: str) -> None:
        place = Place(
            line1=str(practice.get("address") or "1 Main St")[:40], city=str(practice.get("city") or "Nashville"),
            state=str(practice.get("state") or "TN"), postal=str(practice.get("zip_code") or "37205"),
            phone=_ten(practice.get("phone")) or "6152218800", fax=_ten(practice.get("fax")) or "6152218801",
        )  # fmt: skip
        own = [str(spi) for spi in doctor.get("spis", [])]
        for spi in own:
            self._spis(spi, account, doctor, str(practice.get("name", "")), place, own)

    def _spis(
        self, spi: str, account: str, doctor: dict[str, Any], practice_name: str, place: Place, own: list[str]
    ) -> None:
        """The SPI itself and, unlisted, the profile suffixes 002 to 005 of its root."""
        for number in [spi, *(f"{spi[:10]}{suffix}" for suffix in ("002", "003", "004", "005"))]:
            if number in self.spis or (number != spi and number in own):
                continue
            self.spis[number] = self._by_suffix(Spi(
                spi=number, account=account, npi=str(doctor.get("npi", "")), dea=str(doctor.get("dea") or ""),
                last=str(doctor.get("last_name", "")), first=str(doctor.get("first_name", "")),
                suffix=str(doctor.get("suffix") or ""), practice_name=practice_name[:70], place=place,
                listed=number == spi,
            ))  # fmt: skip

    def _by_suffix(self, spi: Spi) -> Spi:
        match spi.spi[10:]:
            case "002":
                spi.active_end = self._yesterday
            case "003":
                spi.levels = ALL_LEVELS - {"ControlledSubstance"}
            case "004":
                spi.levels = ALL_LEVELS - {"Renewal"}
            case "005":
                spi.account = OTHER_ACCOUNT
        return spi

    def _pharmacy(self, entry: dict[str, Any]) -> Pharmacy:
        ncpdp = str(entry["ncpdp"])
        name = entry.get("profile")
        profile = PROFILES[name] if name else BY_NCPDP.get(ncpdp, PROFILES["happy"])
        lacks = set(profile.lacks) | (set() if entry.get("controlled", True) else {"ControlledSubstance"})
        levels = frozenset(entry["service_levels"]) if "service_levels" in entry else ALL_LEVELS - lacks
        return Pharmacy(
            ncpdp=ncpdp, npi=str(entry.get("npi") or codes.npi_from(nine=f"1{ncpdp:0>8}"[:9])),
            name=str(entry.get("name") or f"Pharmacy {ncpdp}")[:70],
            place=Place(
                line1=str(entry.get("address") or "88 Mill Road"), city=str(entry.get("city") or "Nashville"),
                state=str(entry.get("state") or "TN"), postal=str(entry.get("zip_code") or "37211"),
                phone=_ten(entry.get("phone")) or "6152219800", fax=_ten(entry.get("fax")) or "6152219801",
            ),
            profile=profile, levels=levels, listed=profile.listed,
            active_end=self._yesterday if profile.closed else FOR_EVER, verify_after=entry.get("verify_after"),
        )  # fmt: skip

    def _built_in(self) -> None:
        """The prescriber and account of our own sample messages."""
        self._account(Account(key="acct-1", fingerprint=DEFAULT_FINGERPRINT, practice="p1"))
        doctor = {
            "npi": "1748293051",
            "dea": "BW4829151",
            "first_name": "Jordan",
            "last_name": "Whitfield",
            "suffix": "MD",
        }
        self._spis("9912345678001", "acct-1", doctor, "Cedar Row Internal Medicine", Place(), ["9912345678001"])


def _built_in_pharmacy(ncpdp: str, profile: Profile) -> dict[str, Any]:
    if ncpdp == "9990001":
        return {"ncpdp": ncpdp, "npi": "1638472906", "name": "Simulated Pharmacy 0017", "profile": profile.name}
    return {"ncpdp": ncpdp, "name": f"Test Pharmacy {profile.name.replace('_', ' ').title()}", "profile": profile.name}


def _ten(value: Any) -> str:
    """The last ten digits of a telephone number, or an empty string."""
    digits = "".join(character for character in str(value or "") if character.isdigit())
    return digits[-10:] if len(digits) >= 10 else ""
