"""The README's first command, as a user runs it: it plays the day and leaves nothing running."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import fleet
from deploy.embedded import places

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.xdist_group("demo")]
KEYS = {
    "messages", "requests", "auto_approved", "review", "held", "needs_visit", "controlled", "pharmacy_change", "told",
    "duplicate", "nack", "human", "prescriptions_at_pharmacy", "confirmations", "audit_ok", "unexpected",
}  # fmt: skip


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A demo of its own beside any other: own data, own servers; its leftovers are looked for by its folder's name."""
    if not (fleet.ROOT / "review/management/commands/demo.py").exists():
        pytest.skip("the day has not been written yet")
    folder = places.throw_away_home()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    yield kept | {"RUN_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    clean = [sys.executable, "-m", "deploy.embedded", "clean"]
    subprocess.run(clean, cwd=fleet.ROOT, env=kept | {"RUN_DIR": str(folder)}, check=True)
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def left_running(*, folder: str) -> list[str]:
    """Processes whose environment or command line names the demo's folder or its sockets."""
    marks = [folder.encode(), str(places.short_folder(home=Path(folder))).encode()]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if any(mark in told for mark in marks):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_a_day_is_played_to_its_end_within_three_minutes(environment: dict[str, str]) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "deploy.demo", "--once"],
        cwd=fleet.ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    told = done.stdout[-6000:] + done.stderr[-3000:]
    assert done.returncode == 0, told
    last = json.loads(done.stdout.strip().splitlines()[-1])
    assert set(last) >= KEYS
    assert last["messages"] >= 40
    assert (last["audit_ok"], last["unexpected"]) == (True, 0)
    assert time.monotonic() - began < 180
    assert left_running(folder=environment["RUN_DIR"]) == []


def test_ctrl_c_stops_every_process_it_started(environment: dict[str, str]) -> None:
    output = Path(environment["RUN_DIR"]) / "output"
    with output.open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "deploy.demo"], cwd=fleet.ROOT, env=environment, stdout=out, stderr=out
        )
    deadline = time.monotonic() + 60
    while b"web, worker and beat run" not in output.read_bytes() and time.monotonic() < deadline:
        assert demo.poll() is None, output.read_text()
        time.sleep(0.2)
    assert len(left_running(folder=environment["RUN_DIR"])) >= 8
    demo.send_signal(signal.SIGINT)
    demo.wait(timeout=30)
    assert left_running(folder=environment["RUN_DIR"]) == []
