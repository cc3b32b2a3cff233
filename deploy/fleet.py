"""Our own processes as command lines (web, worker, beat), the ports they take, and the watch over them.

Used by the demo and by `make run`. Starts nothing by itself and knows nothing of PostgreSQL or Redis.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.embedded.processes import Child, spawn

ROOT = Path(__file__).resolve().parents[1]
RUN = Path(os.environ.get("RUN_DIR") or ROOT / ".run")  # data, logs and lock of what runs from this checkout
LOGS = RUN / "log"


class ChildEnded(RuntimeError):
    """A process that should stay has ended; the message holds the end of its log."""


def free_port(*, wanted: int, what: str, say: Callable[[str], None]) -> int:
    """`wanted` if nobody listens there on loopback, else a free one, said aloud."""
    for port in (wanted, 0):
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                line.bind(("127.0.0.1", port))
            except OSError:
                continue
            chosen = int(line.getsockname()[1])
        if chosen != wanted:
            say(f"port {wanted} is taken: {what} listens on {chosen}")
        return chosen
    raise ChildEnded("no free port on 127.0.0.1")


def web(*, bind: str, workers: int) -> list[str]:
    """gunicorn; preloaded, so that the workers share the memory of the code.

    Threads, so that webhooks which arrive together share one commit (review/group_commit.py).
    """
    return [
        *(sys.executable, "-m", "gunicorn", "refillhub.wsgi:application", "--bind", bind, "--workers", str(workers)),
        *("--worker-class", "gthread", "--threads", "16"),
        *("--preload", "--no-control-socket", "--timeout", "60", "--graceful-timeout", "10", "--log-level", "warning"),
    ]


def worker(*, processes: int) -> list[str]:
    """The Celery worker for every queue."""
    return [
        *(sys.executable, "-m", "celery", "-A", "refillhub", "worker", "--concurrency", str(processes)),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"),
    ]


def beat(*, schedule: Path) -> list[str]:
    """The Celery beat: exactly one of it may run against one broker."""
    schedule.unlink(missing_ok=True)  # it only remembers when it last beat; every job looks at the rows
    return [
        *(sys.executable, "-m", "celery", "-A", "refillhub", "beat"),
        *("--schedule", str(schedule), "--pidfile", "", "--loglevel", "WARNING"),
    ]


def start(*, name: str, argv: Sequence[str], env: Mapping[str, str]) -> Child:
    """Start one process from the checkout, its output in .run/log/<name>.log (begun afresh)."""
    log = LOGS / f"{name}.log"
    log.unlink(missing_ok=True)
    return spawn(name=name, argv=argv, log=log, env={**env, "PROCESS_NAME": f"refillhub-{name}"}, cwd=ROOT)


def look_after(children: Sequence[Child]) -> None:
    """Raise ChildEnded if any of them has ended."""
    for child in children:
        status = child.process.poll()
        if status is not None:
            raise ChildEnded(f"{child.name} ended with status {status}; end of {child.log}:\n{child.log_tail()}")


def wait_for_port(*, port: int, child: Child, seconds: float = 30.0) -> None:
    """Wait until `child` accepts connections on loopback. Raises ChildEnded when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        look_after([child])
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            continue
        return
    raise ChildEnded(f"{child.name} does not listen on port {port} after {seconds:.0f} s; see {child.log}")


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
