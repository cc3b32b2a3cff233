"""Makes a world document from a seed: practices, people, charts and pharmacies, the same every time.

No real persons: names are drawn from lists, numbers from ranges set aside for fiction. `now` fixes every date.
"""

import random
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from integrations.sandbox import charts

FIRST = (
    "Ana",
    "Rosa",
    "Mia",
    "Cora",
    "Ines",
    "Nadia",
    "Priya",
    "Leila",
    "Grace",
    "Helen",
    "Tomas",
    "Omar",
    "Liam",
    "Noah",
    "Victor",
    "Samir",
    "Pavel",
    "Andre",
    "Felix",
    "Jonas",
    "Wanda",
    "Yusuf",
    "Zoe",
    "Elif",
    "Marta",
    "Diego",
    "Ruth",
    "Hugo",
)
LAST = (
    "Reyes",
    "Martin",
    "Okafor",
    "Lind",
    "Osei",
    "Novak",
    "Silva",
    "Haddad",
    "Brandt",
    "Kovacs",
    "Tanaka",
    "Ng",
    "Duarte",
    "Murphy",
    "Fontaine",
    "Bauer",
    "Petrov",
    "Larsen",
    "Costa",
    "Abebe",
    "Rahman",
    "Schmidt",
    "Garcia",
    "Quinn",
    "Walsh",
)
CITIES = (("Dayton", "OH", "45402"), ("Akron", "OH", "44308"), ("Erie", "PA", "16501"), ("Albany", "NY", "12207"))
ZONES = ("US/Eastern", "US/Central", "US/Mountain", "US/Pacific")
PROFILES = (
    "happy",
    "direct",
    "changed_ncpdp",
    "closed",
    "no_epcs",
    "delayed_status",
    "silent",
    "timeout_delivered",
    "timeout_not_delivered",
    "garbage_answer",
    "late_rejection",
    "busy",
    "broken",
    "misconfigured",
    "upstream_timeout",
    "fax_fallback",
    "not_dispensed",
    "cancel_denied",
    "no_cancel_support",
    "out_of_order",
    "repeats",
    "renewals",
    "change_requests",
)
TASK_STATUSES = (("Open", "O"), ("In Progress", "P"), ("On Hold", "H"), ("Complete", "C"))
TASK_CATEGORIES = ("Refill", "Clinical", "Billing")


def npi(number: int) -> str:
    """A 10-digit NPI with a right check digit (Luhn over 80840 + NPI)."""
    stem = f"1{number % 10**8:08d}"
    total = 0
    for place, digit in enumerate(reversed("80840" + stem)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return stem + str(-total % 10)


def dea(letter: str, number: int) -> str:
    """A DEA number with a right check digit."""
    digits = f"{number % 10**6:06d}"
    odd = sum(int(d) for d in digits[0::2])
    even = sum(int(d) for d in digits[1::2])
    return f"B{letter}{digits}{(odd + 2 * even) % 10}"


def generate(
    *,
    seed: int,
    now: datetime,
    practices: int = 2,
    patients: int = 200,
    doctors: int | None = None,
    zone: str | None = None,
) -> dict[str, Any]:
    """A world document. `patients` and `doctors` (default 2 to 15) are per practice; `zone` fixes the zone."""
    pharmacies = _pharmacies()
    return {
        "seed": seed,
        "made_at": now.isoformat(),
        "pharmacies": pharmacies,
        "practices": [
            _practice(number, random.Random(f"{seed}/{number}"), now, patients, doctors, zone, pharmacies)
            for number in range(1, practices + 1)
        ],
    }


def _pharmacies() -> list[dict[str, Any]]:
    tests = [
        _pharmacy(f"9990{number:03d}", f"Test Pharmacy {profile.replace('_', ' ').title()}", number, profile)
        for number, profile in enumerate(PROFILES, start=1)
    ]
    chains = ("Main Street Pharmacy", "CVS Pharmacy", "Walgreens", "Rite Aid", "Corner Drug", "Hillside Pharmacy")
    ordinary = [
        _pharmacy(f"36{number:05d}", f"{chains[number % 6]} #{1000 + number}", number, "happy")
        for number in range(1, 25)
    ]
    return tests + ordinary


def _pharmacy(ncpdp: str, name: str, number: int, profile: str) -> dict[str, Any]:
    city, state, postal = CITIES[number % len(CITIES)]
    return {
        "ncpdp": ncpdp,
        "npi": npi(int(ncpdp) * 7),
        "name": name,
        "address": f"{100 + number} Main St",
        "city": city,
        "state": state,
        "zip_code": postal,
        "phone": f"937210{1000 + number}",
        "fax": f"937220{1000 + number}",
        "profile": profile,
        "controlled": profile != "no_epcs",
    }


def _practice(
    number: int,
    chance: random.Random,
    now: datetime,
    patients: int,
    doctors: int | None,
    zone: str | None,
    pharmacies: list[dict[str, Any]],
) -> dict[str, Any]:
    key = f"p{number}"
    zone_name = zone or (ZONES[0] if number == 1 else chance.choice(ZONES))
    count = doctors or chance.randint(2, 15)
    group = str(77000 + number)
    city, state, postal = CITIES[number % len(CITIES)]
    people = [_doctor(number, place, chance, suspended=place == count - 1 and count > 2) for place in range(count)]
    practice: dict[str, Any] = {
        "key": key,
        "name": f"{chance.choice(LAST)} Street Primary Care {number}",
        "timezone": zone_name,
        "address": "1 Main St",
        "city": city,
        "state": state,
        "zip_code": postal,
        "phone": f"(937) 555-{number % 10000:04d}",
        "client_id": f"drc-client-{number}",
        "client_secret": f"drc-secret-{number}-0123456789abcdef",
        "redirect_uris": [],
        "practice_group": group,
        "drchrono_webhook_secret": f"drc-hook-{number}-0123456789abcdef",
        "klara": _klara(number, zone_name),
        "surescripts": {"account": f"acct-{number}", "fingerprint": f"{number:040x}"},
        "doctors": people,
        "staff": [
            {
                "id": 900000 + number * 10 + place,
                "user_id": str(600000 + number * 10 + place),
                "username": f"staff{number}_{place}",
                "first_name": chance.choice(FIRST),
                "last_name": chance.choice(LAST),
            }
            for place in range(2)
        ],
        "offices": [
            {
                "id": 410000 + number * 10 + place,
                "name": name,
                "doctor": people[0]["id"],
                "address": f"{1 + place} Main St",
                "city": city,
                "state": state,
                "zip_code": postal,
                "phone_number": f"(937) 555-{number % 10000:04d}",
            }
            for place, name in enumerate(("Primary Office", "North Office"))
        ],
        "task_statuses": [
            {"id": 5000 + number * 10 + i, "name": n, "status_category": c} for i, (n, c) in enumerate(TASK_STATUSES)
        ],
        "task_categories": [{"id": 7000 + number * 10 + i, "name": n} for i, n in enumerate(TASK_CATEGORIES)],
    }
    local = now.astimezone(ZoneInfo(zone_name)).replace(tzinfo=None)
    practice.update(
        charts.generate(
            number=number,
            chance=chance,
            local=local,
            patients=patients,
            practice=practice,
            pharmacies=[p["ncpdp"] for p in pharmacies if p["profile"] == "happy"],
            first=FIRST,
            last=LAST,
            cities=CITIES,
        )
    )
    return practice


def _doctor(number: int, place: int, chance: random.Random, *, suspended: bool) -> dict[str, Any]:
    serial = number * 100 + place
    first, last = chance.choice(FIRST), chance.choice(LAST)
    return {
        "id": 302000 + serial,
        "user_id": str(441000 + serial),
        "username": f"{first[0].lower()}{last.lower()}{serial}",
        "first_name": first,
        "last_name": last,
        "suffix": "MD",
        "specialty": "Family Medicine",
        "npi": npi(23456789 + serial * 17),
        "spis": [f"{6000000000 + serial:010d}001"],
        "dea": dea(last[0], 345678 + serial * 13),
        "state_license": f"OH{serial:06d}",
        "suspended": suspended,
    }


def _klara(number: int, zone: str) -> dict[str, Any]:
    return {
        "practice_id": f"prac_{number}",
        "api_key": f"klara-key-{number}-0123456789abcdef",
        "client_id": f"klara-client-{number}",
        "client_secret": f"klara-secret-{number}-0123456789abcdef",
        "webhook_secrets": [],
        "channels": [
            {
                "id": f"chan_{number}_{kind}",
                "name": name,
                "type": kind,
                "phone_number": f"+1937555{number % 1000:03d}{place}",
                "location_id": f"loc_{number}",
                "timezone": zone,
            }
            for place, (kind, name) in enumerate((("sms", "Main line"), ("web", "Website"), ("voicemail", "Voicemail")))
        ],
        "macros": [
            {
                "id": f"mac_{number}_1",
                "name": "Refill auto-reply",
                "auto_reply": True,
                "closes": True,
                "tags": ["refill"],
                "body": "We received your refill request.",
            },
            {
                "id": f"mac_{number}_2",
                "name": "Office hours",
                "auto_reply": False,
                "closes": False,
                "tags": [],
                "body": "We open at 8.",
            },
        ],
    }
