"""`python3 deploy/prepare.py`: the virtual environment with the pinned requirements, made or renewed when needed.

Runs under the machine's own Python, so it uses the standard library only and stays readable to old versions, which
it turns away with a sentence. Does nothing, quickly, when the requirements have not changed.
"""

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, ".installed")
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")


def wanted():
    """A mark of what should be installed: the requirements' text and the interpreter's version."""
    mark = hashlib.sha256(sys.version.encode())
    for name in REQUIREMENTS:
        with open(os.path.join(ROOT, name), "rb") as file:
            mark.update(file.read())
    return mark.hexdigest()


def installed():
    """The mark left by the last complete installation, or nothing."""
    if not os.path.exists(PYTHON) or not os.path.exists(STAMP):
        return ""
    with open(STAMP) as file:
        return file.read().strip()


def make_venv():
    """Create the environment; with a system that lacks ensurepip, through the system's own pip."""
    if os.path.exists(PYTHON) and subprocess.call([PYTHON, "-m", "pip", "--version"], stdout=subprocess.DEVNULL) == 0:
        return
    if subprocess.call([sys.executable, "-m", "venv", "--clear", VENV]) == 0:
        return
    print("The venv module could not provide pip; trying the system's pip ...")
    pip = [sys.executable, "-m", "pip", "--python", PYTHON, "install", "-q", "pip"]
    bare = [sys.executable, "-m", "venv", "--clear", "--without-pip", VENV]
    if subprocess.call(bare) == 0 and subprocess.call(pip) == 0:
        return
    sys.exit("No virtual environment could be made. On Debian or Ubuntu: apt-get install python3-venv")


def main():
    """Bring the environment up to date; exits with a message when it cannot."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the sentence an older Python shall meet
        sys.exit("Refill Hub needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try PYTHON=python3.11")
    mark = wanted()
    if installed() == mark:
        return
    print("Preparing .venv: installing the pinned requirements (half a minute or so) ...", flush=True)
    make_venv()
    command = [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for name in REQUIREMENTS:
        command += ["-r", os.path.join(ROOT, name)]
    if subprocess.call(command) != 0:
        sys.exit("Installing the requirements failed; the lines above say why.")
    with open(STAMP, "w") as file:
        file.write(mark + "\n")


if __name__ == "__main__":
    main()
