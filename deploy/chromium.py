"""`python -m deploy.chromium`: make sure the browser tests find a Chromium.

A sentence and status 1 where none can be had. Prefers the machine's own Chromium (its path goes to the driver);
otherwise asks the driver to download one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The path of a Chromium of this machine: CHROMIUM_PATH first, then PATH."""
    given = os.environ.get("CHROMIUM_PATH")
    return given or next((path for path in map(shutil.which, NAMES) if path), None)


def downloaded() -> bool:
    """Whether the driver has a browser of its own in its usual folder."""
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return any(folder.glob("chromium*"))


def main() -> int:
    """Find or fetch; returns the exit status."""
    if find() or downloaded():
        return 0
    print("No Chromium found; asking playwright for one ...", flush=True)
    done = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if done.returncode == 0:
        return 0
    print("No browser could be had: browser tests will be skipped (in CI they fail).")
    print("Install one (Debian, Ubuntu: apt-get install chromium) or set CHROMIUM_PATH.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
