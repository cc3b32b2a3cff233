"""`python -m deploy.run`: web, worker and beat against the servers named by the environment or .env; Ctrl-C stops all.

Starts no database, changes no schema and seeds nothing. For one machine; a larger installation runs the three as
services of their own (see deploy/examples).
"""

import os
import signal
import subprocess
import sys
import time

from deploy import fleet
from deploy.embedded.processes import Child, stop_all


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Check, start, watch; returns the exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    environment = dict(os.environ)
    checks = (
        ["check", "--deploy", "--fail-level", "ERROR"],
        ["migrate", "--check"],
        ["collectstatic", "--noinput", "-v0"],
    )
    if os.environ.get("DEBUG", "").lower() in {"1", "true", "on", "yes"}:
        checks = [["check"], ["migrate", "--check"]]
    for arguments in checks:
        if subprocess.run([sys.executable, "manage.py", *arguments], cwd=fleet.ROOT, check=False).returncode:
            print(f"\nStopped at: manage.py {' '.join(arguments)}", file=sys.stderr)
            return 1
    bind = os.environ.get("BIND", "127.0.0.1:8000")
    children: list[Child] = []
    status = 0
    try:
        web = fleet.web(bind=bind, workers=int(os.environ.get("WEB_WORKERS", fleet.processors())))
        worker = fleet.worker(processes=int(os.environ.get("WORKER_PROCESSES", fleet.processors())))
        children.append(fleet.start(name="web", argv=web, env=environment))
        children.append(fleet.start(name="worker", argv=worker, env=environment))
        beat = fleet.beat(schedule=fleet.RUN / "celerybeat-run")
        children.append(fleet.start(name="beat", argv=beat, env=environment))
        print(f"Refill Hub on {bind}; logs in {fleet.LOGS}; Ctrl-C stops it.", flush=True)
        while True:
            fleet.look_after(children)
            time.sleep(1)
    except KeyboardInterrupt:
        print("\nStopping ...", flush=True)
    except fleet.ChildEnded as ended:
        print(ended, file=sys.stderr)
        status = 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stop_all(children, seconds=20)
    return status


if __name__ == "__main__":
    sys.exit(main())
