"""`python -m deploy.demo [--once]`: the whole product on one machine, playing a clinic day against pretended vendors.

Starts (or uses the given) PostgreSQL and Redis, the three sandbox vendors, web, worker and beat, each a process of
its own on loopback; stops every one it started. Holds no knowledge of the product: seeding and playing are commands
of `manage.py`, and their exit status is passed on.
"""

import argparse
import base64
import fcntl
import json
import math
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from deploy import codes, fleet
from deploy.embedded import servers as embedded
from deploy.embedded.places import NotAvailable
from deploy.embedded.processes import Child, stop_all
from deploy.fleet import ROOT, RUN

WEB_PORT = 8000
VENDOR_PORTS = {"drchrono": 8801, "klara": 8802, "surescripts": 8803}
BASE_URLS = {  # where each vendor's address begins behind its port
    "DRCHRONO_BASE_URL": ("drchrono", ""),
    "KLARA_BASE_URL": ("klara", "/v1"),
    "SURESCRIPTS_BASE_URL": ("surescripts", ""),
}
# Shortened for the demo and printed; an installation's own come from its policy.
WINDOWS = {
    "DEMO_QUIET_SECONDS": "3",
    "DEMO_UNDO_SECONDS": "3",
    "POLL_NETWORK_SECONDS": "2",
    # A day's messages come within a minute; at most nine calls in any one second, as by default.
    "DRCHRONO_RATE_PER_SECOND": "5",
    "DRCHRONO_BURST": "4",
}
# What every process inherits; the pretended vendors get nothing else, least of all our secrets.
KEPT = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "TERM", "RUN_DIR") if name in os.environ}
MAIN_PRACTICE_ZONE = "America/New_York"
OPENS_AT = (9, 58)
CLOSED_DAYS = {(1, 1), (6, 19), (7, 4), (11, 11), (12, 24), (12, 25), (12, 31)}  # a Tuesday on one of these is skipped


class DemoFailed(RuntimeError):
    """A step before the day did not work; the message is for the person who started it."""


def clock_offset(*, real: datetime) -> int:
    """Seconds from `real` (aware) to the next Tuesday 09:58 in the main practice's zone, never backwards."""
    zone = ZoneInfo(MAIN_PRACTICE_ZONE)
    day = real.astimezone(zone).date()
    while True:
        start = datetime(day.year, day.month, day.day, *OPENS_AT, tzinfo=zone)
        if start.weekday() == 1 and start >= real and (day.month, day.day) not in CLOSED_DAYS:
            return math.ceil((start - real).total_seconds())
        day += timedelta(days=1)


def demo_secrets() -> dict[str, str]:
    """Secrets of this checkout's demo, made once and kept in .run, readable by their owner only."""
    RUN.mkdir(exist_ok=True)
    path = RUN / "demo-secrets.json"
    if not path.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(64),
            "SEALING_KEYS": "demo:" + base64.b64encode(secrets.token_bytes(32)).decode(),
            "EXPORT_SIGNING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(made, file)
    return dict(json.loads(path.read_text()))


class Demo:
    """One run: what was started, and the environment every process of it shares."""

    def __init__(self, *, once: bool) -> None:
        self.once = once
        self.began = time.monotonic()
        self.children: list[Child] = []
        self.servers = embedded.Servers()
        self.environment: dict[str, str] = {}
        self.web_port = 0

    def say(self, text: str) -> None:
        """One line of progress with the seconds since the start."""
        print(f"[{time.monotonic() - self.began:5.1f} s] {text}", flush=True)

    def prepare(self) -> None:
        """Servers, schema, static files, vendors, seed; then web, worker and beat. Raises DemoFailed and friends."""
        self.servers = embedded.start(home=RUN, durable=True, fresh=True, say=self.say)
        self.say("PostgreSQL and Redis are ready" if self.servers.children else "using the given PostgreSQL and Redis")
        ports = {
            name: fleet.free_port(wanted=port, what=f"the {name} sandbox", say=self.say)
            for name, port in VENDOR_PORTS.items()
        }
        self.web_port = fleet.free_port(wanted=WEB_PORT, what="the web server", say=self.say)
        self.environment = self._environment(ports)
        static = fleet.start(
            name="collectstatic", argv=_manage("collectstatic", "--noinput", "-v0"), env=self.environment
        )
        self.children.append(static)
        self.command("migrate", "--noinput", "-v0")
        if static.process.wait(timeout=60):
            raise DemoFailed(f"collectstatic failed:\n{static.log_tail()}")
        self.children.remove(static)
        self.say("the schema is up to date")
        self._start_vendors(ports)
        self.command("seed_demo")
        self.say("a practice is seeded")
        self._start_ours()

    def _environment(self, ports: dict[str, int]) -> dict[str, str]:
        offset = clock_offset(real=datetime.now(UTC))
        vendors = {name: f"http://127.0.0.1:{ports[vendor]}{path}" for name, (vendor, path) in BASE_URLS.items()}
        shortened = {name: os.environ.get(name, value) for name, value in WINDOWS.items()}
        shifted = (datetime.now(UTC) + timedelta(seconds=offset)).astimezone(ZoneInfo(MAIN_PRACTICE_ZONE))
        self.say(f"the demo's clock: {shifted:%A %d %B %Y, %H:%M} in {MAIN_PRACTICE_ZONE} (offset {offset} s)")
        self.say("shortened windows: " + ", ".join(f"{name}={value}" for name, value in shortened.items()))
        return {
            **KEPT,
            **self.servers.environment(),
            **demo_secrets(),
            **vendors,
            **shortened,
            "DJANGO_SETTINGS_MODULE": "refillhub.settings",
            "READ_DOTENV": "0",
            "DEMO": "1",
            "DEBUG": "0",
            "PLAIN_HTTP": "1",
            "STAGE": "dev",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "PUBLIC_URL": f"http://127.0.0.1:{self.web_port}",
            "STATIC_ROOT": str(RUN / "static"),
            "CLOCK_OFFSET_SECONDS": str(offset),
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": str(RUN / "mail"),
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": os.environ.get("COLUMNS", "100"),
        }

    def _start_vendors(self, ports: dict[str, int]) -> None:
        started = []
        for name, port in ports.items():
            argv = [sys.executable, "-m", "integrations.sandbox", name, "--port", str(port)]
            argv += ["--clock-offset", self.environment["CLOCK_OFFSET_SECONDS"]]
            argv += ["--seed", str(int(time.time()))]  # ids of their own for every run; the world is posted, not made
            child = fleet.start(name=f"sandbox-{name}", argv=argv, env=KEPT | {"PYTHONUNBUFFERED": "1"})
            self.children.append(child)
            started.append((child, port))
        for child, port in started:
            fleet.wait_for_port(port=port, child=child)
        self.say("the three pretended vendors answer")

    def _start_ours(self) -> None:
        web = fleet.web(bind=f"127.0.0.1:{self.web_port}", workers=2)
        beat = fleet.beat(schedule=RUN / "celerybeat-demo")
        self.children.append(fleet.start(name="web", argv=web, env=self.environment))
        self.children.append(fleet.start(name="worker", argv=fleet.worker(processes=2), env=self.environment))
        self.children.append(fleet.start(name="beat", argv=beat, env=self.environment))
        fleet.wait_for_port(port=self.web_port, child=self.children[-3])
        self.say(f"web, worker and beat run; logs in {fleet.LOGS}")

    def command(self, *arguments: str) -> None:
        """Run a management command to its end; its output is shown only if it fails. Raises DemoFailed."""
        done = subprocess.run(
            _manage(*arguments), env=self.environment, cwd=ROOT, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise DemoFailed(f"manage.py {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")

    def introduce(self) -> None:
        """Print the address and one sign-in per role, as `manage.py demo_info` tells them."""
        done = subprocess.run(
            _manage("demo_info"), env=self.environment, cwd=ROOT, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise DemoFailed(f"manage.py demo_info failed:\n{done.stderr[-4000:]}")
        told = json.loads(done.stdout)
        (RUN / "demo-info.json").write_text(done.stdout)
        print(f"\n  Refill Hub: {self.environment['PUBLIC_URL']}\n")
        for row in told.get("sign_ins", []):
            now = codes.code(secret=row["totp_secret"], moment=time.time())
            print(f"  {row['role']:<15} {row['username']:<32} password {row['password']:<22} code {now}")
        print("  Codes change every 30 seconds; `make codes` prints the current ones.\n", flush=True)

    def play(self) -> int:
        """Play the day in the foreground while watching the other processes; returns the command's exit status."""
        player = subprocess.Popen(
            _manage("demo", *(["--once"] if self.once else [])), env=self.environment, cwd=ROOT, start_new_session=True
        )
        try:
            while player.poll() is None:
                fleet.look_after([*self.servers.children, *self.children])
                time.sleep(0.2)
        finally:
            if player.poll() is None:
                os.killpg(player.pid, signal.SIGKILL)
                player.wait()
        return player.returncode

    def stay(self) -> None:
        """Keep everything up until somebody interrupts or a process ends."""
        self.say(f"browse at {self.environment['PUBLIC_URL']}; Ctrl-C stops everything")
        while True:
            fleet.look_after([*self.servers.children, *self.children])
            time.sleep(1)

    def stop(self) -> None:
        """End everything this run started, ours first, then vendors, then the servers."""
        killed = stop_all(self.children, seconds=12)
        self.servers.stop()
        if killed:
            print(f"had to be killed: {', '.join(killed)}", file=sys.stderr)


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _lock() -> int:
    """Hold the checkout's demo lock; raises DemoFailed while another demo holds it."""
    RUN.mkdir(exist_ok=True)
    handle = os.open(RUN / "demo.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as taken:
        raise DemoFailed("another `make demo` of this checkout is running; stop it first (Ctrl-C there)") from taken
    return handle


def main(arguments: Sequence[str]) -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(prog="deploy.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the day; the last line is JSON")
    demo = Demo(once=parser.parse_args(arguments).once)
    signal.signal(signal.SIGTERM, _interrupt)
    status = 1
    try:
        _lock()
        demo.prepare()
        demo.introduce()
        status = demo.play()
        if not demo.once:
            demo.stay()
    except KeyboardInterrupt:
        status = 130 if demo.once else status
        print("\nStopping ...", file=sys.stderr, flush=True)
    except (DemoFailed, NotAvailable, fleet.ChildEnded) as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        status = 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        demo.stop()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
