"""`manage.py verify_audit`: walk the chains, print entries per second, exit 1 with the first bad entry of each."""

from __future__ import annotations

import sys
import time
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser

from audit import verification


class Command(BaseCommand):
    help = "Verify the audit chain of every practice, or of one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--practice", type=UUID, help="id of one practice; otherwise all")

    def handle(self, *args: Any, **options: Any) -> None:
        practice = options["practice"]
        began = time.perf_counter()
        reports = [verification.verify_one(practice_id=practice)] if practice else list(verification.verify_all())
        took = max(time.perf_counter() - began, 1e-9)
        faults = [report for report in reports if report.verified.fault is not None]
        for report in faults:
            fault = report.verified.fault
            if fault is not None:
                self.stderr.write(f"practice {report.practice_id}: entry {fault.number} {fault.kind}: {fault.detail}")
        count = sum(report.verified.entries for report in reports)
        self.stdout.write(
            f"{count} entries of {len(reports)} practices in {took:.2f} s, {count / took:,.0f} entries/s: "
            + ("whole" if not faults else f"{len(faults)} chain(s) broken"))
        if faults:
            sys.exit(1)
