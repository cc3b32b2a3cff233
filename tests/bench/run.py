"""`python -m tests.bench.run [--only NAME ...] [--runs 3] [--json FILE]`: the published figures, measured here and now.

Prints a table of medians against their targets, then one line of JSON with every run and the machine's facts. The
exit status is 1 if a measure failed to run, not if it fell short: a figure is a fact, not a verdict.
"""

import argparse
import importlib
import json
import statistics
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

from tests.bench import machine
from tests.bench.stack import Stack


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure: where it comes from, the key of its runs, its unit and target ('at least' or 'at most')."""

    measure: str
    key: str
    name: str
    unit: str
    bound: str
    target: float


FIGURES = (
    Figure("ingress", "rate", "signed webhooks, durable before 202", "/s", "at least", 400),
    Figure("ingress", "p99_ms", "the same, p99 at 64 connections", "ms", "at most", 250),
    Figure("refills", "rate_16", "refills end to end, 16 connections", "/s", "at least", 60),
    Figure("refills", "rate_64", "refills end to end, 64 connections", "/s", "at least", 60),
    Figure("refills", "accept_p95_ms_16", "accepted meanwhile, p95 at 16", "ms", "at most", 250),
    Figure("refills", "accept_p95_ms_64", "accepted meanwhile, p95 at 64", "ms", "at most", 250),
    Figure("refills", "cpu_s_per_1000_16", "CPU seconds per 1,000 refills (16)", "s", "at most", 15),
    Figure("refills", "cpu_s_per_1000_64", "CPU seconds per 1,000 refills (64)", "s", "at most", 15),
    Figure("calls", "median_old", "DrChrono calls per refill, old copy, median", "calls", "at most", 3),
    Figure("calls", "max_old", "the same, most", "calls", "at most", 5),
    Figure("calls", "median_fresh", "the same, copy proven fresh, median", "calls", "at most", 2),
    Figure("crash", "lost", "accepted and lost after SIGKILL of all", "", "at most", 0),
    Figure("crash", "confirmed_twice", "confirmed twice after SIGKILL", "", "at most", 0),
    Figure("crash", "prescribed_twice", "prescribed twice after SIGKILL", "", "at most", 0),
    Figure("crash", "resumed_after_s", "new work resumes after SIGKILL", "s", "at most", 60),
    Figure("reading", "rate", "messages read on one core, eight-entry lists", "/s", "at least", 500),
    Figure("reading", "load_s", "vocabulary loaded", "CPU s", "at most", 1),
    Figure("reading", "load_mb", "the same, memory", "MiB", "at most", 60),
    Figure("deciding", "rate", "decisions on one core, full trace, eight drugs", "/s", "at least", 5_000),
    Figure("deciding", "preview_s", "a draft on 100,000 recorded decisions", "CPU s", "at most", 60),
    *(
        figure
        for page in ("queue", "card", "together", "dashboard", "requests", "inspector", "metrics", "compliance")
        for figure in (
            Figure("pages", f"{page}_p95_ms", f"{page}: server time, p95", "ms", "at most", 300),
            Figure("pages", f"{page}_queries", f"{page}: queries", "", "at most", 12),
        )
    ),
    Figure("pages", "approve_to_next_p95_ms", "decision to the next card, p95", "ms", "at most", 300),
    Figure("memory", "mib", "memory of all processes (PSS), idle", "MiB", "at most", 700),
    Figure("audit_speed", "rate", "audit verification", "entries/s", "at least", 50_000),
)
MEASURES = tuple(dict.fromkeys(figure.measure for figure in FIGURES))


def table(results: dict[str, list[dict[str, Any]]]) -> str:
    """The medians beside their targets."""
    lines = [f"{'figure':45} {'median':>12} {'target':>18}   reached"]
    for figure in FIGURES:
        values = [run[figure.key] for run in results.get(figure.measure, []) if figure.key in run]
        if not values:
            lines.append(f"{figure.name:45} {'not measured':>12}")
            continue
        median = statistics.median(values)
        reached = median >= figure.target if figure.bound == "at least" else median <= figure.target
        target = f"{figure.bound} {figure.target:g}"
        lines.append(f"{figure.name:45} {median:>12,.1f} {target:>18}   {'yes' if reached else 'NO'}  ({figure.unit})")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tests.bench.run", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    facts = machine.facts()
    print("machine: " + ", ".join(f"{name} {value}" for name, value in facts.items()), flush=True)
    results: dict[str, list[dict[str, Any]]] = {}
    failed = []
    stack = Stack()
    raised = {name: stack.environment[name] for name in stack.environment if name.startswith("DRCHRONO_RATE")}
    print(f"raised for the bench: {raised}", flush=True)
    try:
        django.setup()
        for name in chosen.only:
            print(f"measuring {name} ...", flush=True)
            try:
                results[name] = importlib.import_module(f"tests.bench.{name}").measure(stack=stack, runs=chosen.runs)
            except Exception:  # one broken measure must not hide the others; the status tells
                traceback.print_exc()
                failed.append(name)
    finally:
        stack.stop()
    print("\n" + table(results))
    report = {"machine": facts, "raised": raised, "failed": failed, "runs": results}
    line = json.dumps(report, sort_keys=True)
    if chosen.json:
        chosen.json.write_text(line + "\n")
    print(line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
