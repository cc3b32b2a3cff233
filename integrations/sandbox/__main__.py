"""`python -m integrations.sandbox {drchrono|klara|surescripts|world}`: one vendor, or a world document on stdout."""

import argparse
import importlib
import json
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from integrations.sandbox import seeding, world
from integrations.sandbox.clock import Clock
from integrations.sandbox.faults import Faults
from integrations.sandbox.frame import Simulator
from integrations.sandbox.journal import Journal
from integrations.sandbox.server import Server
from integrations.sandbox.world import World

VENDORS = ("drchrono", "klara", "surescripts")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox", description=__doc__)
    parser.add_argument("vendor", choices=[*VENDORS, "world"])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = any free port (printed)")
    parser.add_argument("--world", type=Path, help="world document (JSON); default: generated from the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--practices", type=int, default=2)
    parser.add_argument("--patients", type=int, default=200, help="per practice")
    parser.add_argument("--clock-offset", type=float, default=0.0, help="seconds added to the real time")
    parser.add_argument("--time-factor", type=float, default=1.0, help="virtual seconds per real second")
    parser.add_argument("--journal-limit", type=int, help="keep only so many entries (counts stay exact)")
    parser.add_argument("--quiet-journal", action="store_true", help="count plain requests, do not keep them (bench)")
    return parser.parse_args(argv)


def build(options: argparse.Namespace) -> Simulator:
    """The simulator the command line asks for."""
    clock = Clock(offset_seconds=options.clock_offset, time_factor=options.time_factor)
    journal = Journal(vendor=options.vendor, limit=options.journal_limit, requests=not options.quiet_journal)
    module = importlib.import_module(f"integrations.sandbox.{options.vendor}")
    simulator: Simulator = module.build(
        world=_world(options, now=clock.now()),
        clock=clock,
        journal=journal,
        faults=Faults(seed=options.seed),
        seed=options.seed,
    )
    return simulator


def _world(options: argparse.Namespace, *, now: datetime) -> World:
    if options.world:
        return world.read(options.world)
    document = seeding.generate(seed=options.seed, now=now, practices=options.practices, patients=options.patients)
    return World(document=document)


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM."""
    options = arguments(argv)
    if options.vendor == "world":
        json.dump(_world(options, now=datetime.now(UTC)).document, sys.stdout, indent=1)
        return 0
    server = Server(simulator=build(options), host=options.host, port=options.port)
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    server.start()
    print(f"sandbox {options.vendor} listening on {server.url}", flush=True)
    ended.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
