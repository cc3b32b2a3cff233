"""`python -m deploy.embedded run [--temporary] -- COMMAND ...`: the two servers for as long as COMMAND runs.

DATABASE_URL and REDIS_URL are set for the command; its exit status is passed on. `clean` removes the data of this
checkout's servers that had to be kept outside it, and refuses while a demo runs.
"""

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys

from deploy import fleet
from deploy.embedded import places, servers
from deploy.embedded.places import NotAvailable

HOME = fleet.RUN


def _raise_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def clean() -> int:
    """Remove what lies outside the checkout; returns the exit status."""
    if (HOME / "demo.lock").exists():
        with (HOME / "demo.lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                print("a demo of this checkout is running; stop it first (Ctrl-C there)", file=sys.stderr)
                return 1
    shutil.rmtree(places.short_folder(home=HOME), ignore_errors=True)
    return 0


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="deploy.embedded", description=__doc__)
    parser.add_argument("verb", choices=["run", "clean"])
    parser.add_argument("--temporary", action="store_true", help="throw-away data, no waiting for the disk")
    command = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    chosen = parser.parse_args([word for word in arguments[: len(arguments) - len(command)] if word != "--"])
    if chosen.verb == "clean":
        return clean()
    if not command:
        parser.error("run needs `-- COMMAND ...`")
    signal.signal(signal.SIGTERM, _raise_interrupt)
    home = places.throw_away_home() if chosen.temporary else HOME
    try:
        running = servers.start(home=home, durable=not chosen.temporary, say=lambda text: print(text, file=sys.stderr))
    except NotAvailable as problem:
        print(problem, file=sys.stderr)
        return 3
    try:
        return subprocess.run(command, env={**os.environ, **running.environment()}, check=False).returncode
    except KeyboardInterrupt:
        return 130
    finally:
        if not chosen.temporary:
            running.stop()
        else:
            running.discard()
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
