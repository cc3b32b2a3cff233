"""The servers and processes a measure runs against: durable PostgreSQL and Redis, our processes, nothing shared.

Started once per `make bench`; limiters, signatures, encryption and audit are on as in production.
"""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy import demo, embedded, fleet
from deploy.embedded import places, servers

SANDBOXES = {"drchrono": "DRCHRONO_BASE_URL", "klara": "KLARA_BASE_URL", "surescripts": "SURESCRIPTS_BASE_URL"}


class Stack:
    """What runs; `processes` by name. Always leave through `stop`."""

    def __init__(self) -> None:
        self.home = places.throw_away_home()
        self.servers = servers.start(home=self.home, durable=True, say=lambda text: None)
        self.children: dict[str, embedded.Child] = {}
        self.clinics: list[Any] = []  # opened by the first measure that needs them
        self.port = fleet.free_port(wanted=8010, what="the web server", say=print)
        self.vendor_ports = {
            name: fleet.free_port(wanted=8811 + number, what=f"the {name} sandbox", say=print)
            for number, name in enumerate(SANDBOXES)
        }
        self.environment = {
            **demo.KEPT,
            **self.servers.environment(),
            **demo.demo_secrets(),
            **{
                variable: f"http://127.0.0.1:{self.vendor_ports[name]}" + ("/v1" if name == "klara" else "")
                for name, variable in SANDBOXES.items()
            },
            "DJANGO_SETTINGS_MODULE": "refillhub.settings",
            "READ_DOTENV": "0",
            "DEBUG": "0",
            "PLAIN_HTTP": "1",
            "STAGE": "dev",
            "LOG_LEVEL": "WARNING",
            "LOG_PLAIN": "0",
            "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
            "STATIC_ROOT": str(self.home / "static"),
            # The one figure raised, and printed: five hundred calls an hour would end a load test in seconds.
            "DRCHRONO_RATE_PER_HOUR": "10000000",
            # The demo's clock: office hours on a working day, whenever the bench runs.
            "CLOCK_OFFSET_SECONDS": str(demo.clock_offset(real=datetime.now(UTC)) + 300),
        }
        os.environ.update(self.environment)
        self.manage("migrate", "--noinput", "-v0")

    def manage(self, *arguments: str) -> str:
        """Run a management command; its output. Raises CalledProcessError."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=fleet.ROOT, check=True, capture_output=True, text=True, env=os.environ)
        return done.stdout

    def start(self, name: str, argv: Sequence[str], *, port: int | None = None) -> embedded.Child:
        """Start one process, waiting for its port where it has one."""
        child = fleet.start(name=f"bench-{name}", argv=argv, env=self.environment)
        self.children[name] = child
        if port is not None:
            fleet.wait_for_port(port=port, child=child)
        return child

    def start_web(self, *, workers: int = 2) -> None:
        """gunicorn on the bench's port."""
        self.start("web", fleet.web(bind=f"127.0.0.1:{self.port}", workers=workers), port=self.port)

    def start_vendors(self) -> None:
        """The three pretended vendors. DrChrono keeps every request (they are counted per refill), the others count."""
        for name, port in self.vendor_ports.items():
            argv = [sys.executable, "-m", "integrations.sandbox", name, "--port", str(port), "--practices", "1"]
            argv += ["--patients", "1", "--clock-offset", self.environment["CLOCK_OFFSET_SECONDS"]]
            argv += [] if name == "drchrono" else ["--quiet-journal"]
            self.start(f"sandbox-{name}", argv, port=port)

    def start_workers(self) -> None:
        """Worker and beat."""
        self.start("worker", fleet.worker(processes=2))
        self.start("beat", fleet.beat(schedule=self.home / "celerybeat"))

    def kill_ours(self) -> None:
        """SIGKILL to web, worker and beat with all their children; database, broker and vendors stay."""
        for name in ("web", "worker", "beat"):
            child = self.children.pop(name, None)
            if child is not None:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()

    def rest(self) -> None:
        """Stop web, worker and beat in order, if they run."""
        found = [self.children.pop(name) for name in ("web", "worker", "beat") if name in self.children]
        embedded.stop_all(found, seconds=15)

    def ours(self) -> list[int]:
        """Process numbers whose cost counts as ours: web, worker, beat, database and broker."""
        own = [child.process.pid for name, child in self.children.items() if not name.startswith("sandbox-")]
        return own + [child.process.pid for child in self.servers.children]

    def vendors(self) -> list[int]:
        """Process numbers of the pretended vendors, whose cost is not ours."""
        return [child.process.pid for name, child in self.children.items() if name.startswith("sandbox-")]

    def load(self, *, requests: list[bytes], connections: int) -> dict[str, object]:
        """Post raw requests from a process of its own; the client's report."""
        return self.report(self.begin_load(requests=requests, connections=connections))

    def begin_load(self, *, requests: list[bytes], connections: int) -> "subprocess.Popen[str]":
        """Start posting; `report` waits for its end."""
        file = self.home / "requests.pickle"
        file.write_bytes(pickle.dumps(requests))
        argv = [sys.executable, str(Path(__file__).with_name("load.py")), str(self.port), str(connections), str(file)]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def report(self, client: "subprocess.Popen[str]") -> dict[str, object]:
        """The client's report. Raises RuntimeError if it failed."""
        out, _ = client.communicate(timeout=300)
        if client.returncode:
            raise RuntimeError("the load generator failed")
        return dict(json.loads(out))

    def stop(self) -> None:
        """End everything and remove the data."""
        embedded.stop_all(list(self.children.values()), seconds=10)
        self.servers.discard()
        shutil.rmtree(self.home, ignore_errors=True)
