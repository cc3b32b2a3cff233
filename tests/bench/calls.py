"""DrChrono calls per automatic refill, as its own journal counts them: with an old copy of the chart, and with a copy
that the vendor's webhooks prove fresh.
"""

import re
import statistics
from collections import Counter
from datetime import timedelta
from typing import Any

from django.urls import reverse

from integrations.models import Connection, MirrorPatient, Vendor
from refillhub.practices import clock
from refillhub.practices.models import Practice
from review.management import clinic_day
from tests.bench import clinics, refills
from tests.bench.stack import Stack

ASKED = 60
ENTRIES = 90_000_000  # a list entry of the bench's world is numbered so much above its patient


def measure(*, stack: Stack, runs: int) -> list[dict[str, Any]]:
    """Median and maximum, once per state of the copy."""
    found = refills.clinics_of(stack, runs=runs)
    refills.start(stack)
    clinics.age_mirror(now=clock.now())
    result = {f"{name}_old": value for name, value in _count(stack, found).items()}
    _trust(stack, found[:ASKED])
    result |= {f"{name}_fresh": value for name, value in _count(stack, found).items()}
    return [result]


def _count(stack: Stack, found: list[clinics.Clinic]) -> dict[str, Any]:
    desk = clinic_day.Desk(vendor="drchrono")
    people = {clinic.patients[-1] for clinic in found[:ASKED]}
    asked = clinics.ask(clinics=found[:ASKED], count=ASKED, now=clock.now())
    last = max((entry["seq"] for entry in desk.get("journal", kind="request")["entries"]), default=0)
    told = refills.play(stack=stack, asked=asked, connections=16)
    calls: Counter[int] = Counter()
    for entry in desk.get("journal", kind="request", after=str(last))["entries"]:
        one = patient_of(entry)
        if one in people:
            calls[one] += 1
    counts = sorted(calls[one] for one in people)
    return {
        "median": statistics.median(counts),
        "max": counts[-1],
        "refills": told["done"],
        "shares": dict(Counter(counts)),
    }


def patient_of(entry: dict[str, Any]) -> int:
    """The patient a call is about, by the numbers in its path, query and body; 0 for none."""
    for text in re.findall(r"(?<!\d)\d{5,9}(?!\d)", str(entry["request"])):
        number = int(text)
        one = number - ENTRIES if number > ENTRIES else number
        if 10_000 <= one < 3_000_000:
            return one
    return 0


def _trust(stack: Stack, found: list[clinics.Clinic]) -> None:
    """Vendor webhooks, registered with a handshake and alive, which the practice trusts."""
    desk = clinic_day.Desk(vendor="drchrono")
    Practice.objects.filter(pk__in=[clinic.practice.pk for clinic in found]).update(trusts_vendor_push=True)
    for clinic in found:
        account = Connection.objects.get(practice=clinic.practice, vendor=Vendor.drchrono)
        path = reverse("review:drchrono_webhook", kwargs={"token": account.endpoint_token})
        desk.post("webhook", {"practice": clinic.key, "url": f"http://127.0.0.1:{stack.port}{path}"})
        desk.post("ping", {"practice": clinic.key})
    # A sweep read every chart two hours ago: only the sign of life of the pushes makes that good enough.
    read = clock.now() - timedelta(hours=2)
    practices = [clinic.practice.pk for clinic in found]
    MirrorPatient.objects.filter(practice_id__in=practices).update(patient_read_at=read, medications_read_at=read)
