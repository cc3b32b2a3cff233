"""`manage.py demo_info`: what an outside program needs to use a running demo, as JSON on standard output.

Addresses, webhook endpoints with header names and signing secret, sandboxes and their journals, sign-ins. Refuses
unless every connection of this installation is the sandbox on this machine: it prints secrets.
"""

import base64
import hashlib
import hmac
import json
import struct
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations import http
from integrations.klara import profile
from integrations.models import Connection, Vendor
from refillhub.practices import clock
from refillhub.practices.models import Practice
from review.management import clinic_day


class Command(BaseCommand):
    help = "Print as JSON what a program needs to use the running demo. Refuses unless every connection is a sandbox."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the description, or say why not."""
        connections = list(Connection.objects.select_related("practice"))
        stray = [str(row) for row in connections if not row.is_pretend or not http.is_loopback(row.address)]
        if stray or not settings.DEMO:
            raise CommandError(f"not a demo: {', '.join(stray) or 'DEMO is not set'}")
        try:
            desks = clinic_day.desks()
        except clinic_day.NotTheSandbox as refused:
            raise CommandError(str(refused)) from refused
        practice = Practice.objects.filter(slug=clinic_day.SLUG).first()
        if practice is None:
            raise CommandError("no demo practice: run seed_demo first")
        by_vendor = {row.vendor: row for row in connections if row.practice_id == practice.id}
        self.stdout.write(json.dumps(describe(practice, by_vendor, desks), indent=1))


def describe(practice: Practice, by_vendor: dict[str, Connection], desks: dict[str, clinic_day.Desk]) -> dict[str, Any]:
    """The whole description; JSON values only."""
    data = clinic_day.read("practice")
    return {
        "web": settings.PUBLIC_URL,
        "now": clock.now().isoformat(),
        "clock_offset_seconds": settings.CLOCK_OFFSET_SECONDS,
        "practice": {"name": practice.name, "key": data["practice"]["key"], "time_zone": practice.time_zone},
        "webhooks": _webhooks(by_vendor, data),
        "sandboxes": {
            vendor: {"base_url": by_vendor[vendor].address, "control": desk.root, "journal": f"{desk.root}journal"}
            for vendor, desk in desks.items()
        },
        "oracles": {
            "prescriptions_at_pharmacies": f"{desks['surescripts'].root}prescriptions",
            "replies_to_patients": f"{desks['klara'].root}replies",
            "tasks_in_drchrono": f"{desks['drchrono'].root}journal?kind=task.created",
        },
        "patients": [
            {"key": one.key, "klara_id": one.klara_id, "drchrono_id": one.chart_id}
            for one in clinic_day.people(run=clinic_day.run_of(practice=practice)).values()
        ],
        "sign_ins": [
            {"role": row["role"], "username": row["email"], "email": row["email"], "password": row["password"],
             "totp_secret": row["totp"], "code": code(secret=row["totp"], moment=time.time())}
            for row in data["people"]
        ],
    }  # fmt: skip


def _webhooks(by_vendor: dict[str, Connection], data: dict[str, Any]) -> dict[str, Any]:
    klara, drchrono = by_vendor[Vendor.klara], by_vendor[Vendor.drchrono]
    spoken = profile.of(raw=klara.profile)
    return {
        "klara": {
            "url": f"{settings.PUBLIC_URL}/webhooks/klara/{klara.endpoint_token}/",
            "practice_id": data["klara"]["practice_id"],
            "headers": {"id": spoken.signature.id_header, "timestamp": spoken.signature.timestamp_header,
                        "signature": spoken.signature.signature_header},
            "profile": profile.DEFAULT,
            "secret": data["klara"]["webhook_secret"],
        },
        "drchrono": {
            "url": f"{settings.PUBLIC_URL}/webhooks/drchrono/{drchrono.endpoint_token}/",
            "headers": {"event": "X-drchrono-event", "signature": "X-drchrono-signature",
                        "delivery": "X-drchrono-delivery"},
            "secret": data["practice"]["drchrono_webhook_secret"],
        },
    }  # fmt: skip


def code(*, secret: str, moment: float) -> str:
    """The current six digits of an authenticator (RFC 6238, 30 seconds)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(moment) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"
