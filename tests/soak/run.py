"""`python -m tests.soak.run STORY ...`: plays faults against the real processes in a stack of its own, prints JSON.

Stories: `kill:SEED`, `redis`, `cut` (tests/soak/faults.py). `played` runs it from a test, apart from the test run's own
servers; whatever happens, nothing it started stays.
"""

import argparse
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django

from deploy import fleet
from deploy.embedded import places
from tests.bench.stack import Stack

KEPT = ("PATH", "HOME", "LANG")
# Each of these is a count of what must never happen.
HARM = (
    "acknowledged_not_stored", "not_taken_at_last", "lost", "unread", "on_its_way", "requested_twice",
    "prescribed_twice", "confirmed_twice", "charted_differently",
)  # fmt: skip


def played(*, stories: Sequence[str], practices: int, refills: int, seconds: float) -> dict[str, dict[str, Any]]:
    """Each story's findings by its name. `seconds` bounds the whole. Raises RuntimeError with the end of what it said.

    All of its files and sockets lie in one folder, and whatever names that folder afterwards is left over.
    """
    folder = places.throw_away_home()
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"RUN_DIR": str(folder), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    argv = [sys.executable, "-m", "tests.soak.run", *stories]
    argv += ["--practices", str(practices), "--refills", str(refills)]
    said = folder / "said"
    try:
        with said.open("wb") as out:
            player = subprocess.Popen(argv, cwd=fleet.ROOT, env=environment, stdout=out, stderr=out)
            try:
                status = player.wait(timeout=seconds)
            finally:
                _end(player)
        told = said.read_text(errors="replace")
        if status:
            raise RuntimeError(f"the stories ended with status {status}:\n{told[-6000:]}")
        left = left_running(folder=folder)
        if left:
            raise RuntimeError(f"left running: {left}")
        return dict(json.loads(told.strip().splitlines()[-1]))
    except subprocess.TimeoutExpired as late:
        raise RuntimeError(f"not through after {seconds} s:\n{said.read_text(errors='replace')[-6000:]}") from late
    finally:
        for pid in left_running(folder=folder):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def harm(told: dict[str, Any]) -> dict[str, Any]:
    """What of a story's findings must not be: counts above zero, or the story itself broke."""
    if "broke" in told:
        return {"broke": told["broke"]}
    found = {name: told[name] for name in HARM if told[name]}
    if told["prescriptions"] < told["done"]:
        found["done_but_never_prescribed"] = told["done"] - told["prescriptions"]
    return found


def left_running(*, folder: Path) -> list[int]:
    """Processes whose environment or command line names the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told:
            found.append(int(entry.name))
    return found


def _end(player: "subprocess.Popen[bytes]") -> None:
    if player.poll() is not None:
        return
    player.terminate()
    try:
        player.wait(timeout=40)
    except subprocess.TimeoutExpired:
        player.kill()
        player.wait()


def main(arguments: Sequence[str]) -> int:
    """Play every story; one that breaks is reported under its name and does not keep the others from being played."""
    parser = argparse.ArgumentParser(prog="tests.soak.run", description=__doc__)
    parser.add_argument("stories", nargs="+")
    parser.add_argument("--practices", type=int, default=10)
    parser.add_argument("--refills", type=int, default=30)
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    found: dict[str, Any] = {}
    stack = Stack()
    try:
        django.setup()
        faults = importlib.import_module("tests.soak.faults")
        scene = faults.open_scene(
            stack=stack, stories=len(chosen.stories), practices=chosen.practices, refills=chosen.refills
        )
        for story in chosen.stories:
            print(f"playing {story} ...", flush=True)
            try:
                found[story] = faults.play(scene=scene, story=story)
            except Exception:  # told by name; the test of this story fails on it
                found[story] = {"broke": traceback.format_exc()}
            print(json.dumps(found[story], default=str), flush=True)
    finally:
        stack.stop()
    print(json.dumps(found, sort_keys=True, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
