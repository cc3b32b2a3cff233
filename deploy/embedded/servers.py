"""Start PostgreSQL and Redis in chosen folders, wait until they answer, and name their addresses.

With DATABASE_URL or REDIS_URL set, that server is used and none is started for it. Data survives a restart, a kill
included; a lock left behind by a killed server is waited out, or removed when its process is surely another's.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from deploy.embedded import places as layout
from deploy.embedded.places import NotAvailable, Places, Say
from deploy.embedded.processes import Child, spawn, stop_all

START_SECONDS = 30.0
ROLE = DATABASE = "refillhub"


@dataclass(slots=True)
class Servers:
    """Addresses of the pair, and the children that must be stopped (none for servers that were given)."""

    database_url: str = ""
    redis_url: str = ""
    children: list[Child] = field(default_factory=list)
    places: Places | None = None

    def environment(self) -> dict[str, str]:
        """The two variables the settings read."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}

    def stop(self) -> None:
        """End what was started here."""
        stop_all(self.children)
        self.children.clear()

    def discard(self) -> None:
        """End what was started here and remove its data: throw-away servers only."""
        self.stop()
        if self.places is not None:
            shutil.rmtree(self.places.data, ignore_errors=True)
            shutil.rmtree(self.places.sockets, ignore_errors=True)


def start(*, home: Path, durable: bool, fresh: bool = False, say: Say = print) -> Servers:
    """Start whichever of the two is not given by the environment. `durable=False` trades safety for speed: tests only.

    `fresh` begins with an empty database and an empty Redis; it never touches a server that was given.

    Raises NotAvailable with a message for people; whatever had been started is stopped first.
    """
    servers = Servers(database_url=os.environ.get("DATABASE_URL", ""), redis_url=os.environ.get("REDIS_URL", ""))
    if servers.database_url and servers.redis_url:
        return servers
    places = servers.places = layout.choose(home=home, say=say)
    try:
        if not servers.redis_url:
            if fresh:
                shutil.rmtree(places.data / "redis", ignore_errors=True)
            servers.children.append(_start_redis(places=places, durable=durable, say=say))
            servers.redis_url = f"unix://{places.sockets / 'redis.sock'}?db=0"
        if not servers.database_url:
            binaries = layout.postgres_binaries(places=places, say=say)
            servers.children.append(_start_postgres(places=places, binaries=binaries, durable=durable))
            _ensure_database(places=places, binaries=binaries, fresh=fresh)
            servers.database_url = f"postgres://{ROLE}@{quote(str(places.sockets), safe='')}/{DATABASE}"
    except BaseException:
        servers.stop()
        raise
    return servers


def _run(argv: list[str], *, places: Places) -> None:
    drop = {} if places.uid is None else {"user": places.uid, "group": places.uid, "extra_groups": []}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=places.data, **drop)
    if done.returncode:
        raise NotAvailable(f"{Path(argv[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")


def _check_name(places: Places) -> None:
    """PostgreSQL's own programs want a name for the user they run as; a bare number of a container has none."""
    uid = os.getuid() if places.uid is None else places.uid
    try:
        pwd.getpwuid(uid)
    except KeyError as unnamed:
        raise NotAvailable(
            f"user number {uid} has no name on this machine, which PostgreSQL needs: "
            f"add it to /etc/passwd, run as another user, or set DATABASE_URL"
        ) from unnamed


def _start_postgres(*, places: Places, binaries: Path, durable: bool) -> Child:
    _check_name(places)
    data = places.data / "postgres"
    if not (data / "PG_VERSION").exists():
        fresh = places.data / "postgres.new"  # an interrupted initdb must not look like a database
        shutil.rmtree(fresh, ignore_errors=True)
        argv = [str(binaries / "initdb"), "-D", str(fresh), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C"]
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync"]
        _run(argv, places=places)
        fresh.rename(data)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(places.sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "120",
        "shared_buffers": "128MB",
        "jit": "off",
        "timezone": "UTC",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    argv = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in options.items():
        argv += ["-c", f"{name}={value}"]
    deadline = time.monotonic() + START_SECONDS
    while True:
        child = spawn(
            name="postgres",
            argv=argv,
            log=places.logs / "postgres.log",
            cwd=places.data,
            uid=places.uid,
            ask=signal.SIGINT,  # "fast": running transactions are rolled back
        )
        while child.process.poll() is None and time.monotonic() < deadline:
            if _postgres_answers(binaries=binaries, places=places):
                return child
            time.sleep(0.05)
        stop_all([child], seconds=2)
        if time.monotonic() >= deadline:
            raise NotAvailable(f"PostgreSQL did not start; end of {child.log}:\n{child.log_tail()}")
        _clear_stale_lock(data / "postmaster.pid")
        time.sleep(0.25)


def _clear_stale_lock(lock: Path) -> None:
    """Remove the lock of a killed server whose process number now belongs to a program that is not PostgreSQL."""
    try:
        pid = int(lock.read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return  # no lock, no such process (PostgreSQL clears it by itself) or no /proc here
    if b"postgres" not in command:
        lock.unlink(missing_ok=True)


def _postgres_answers(*, binaries: Path, places: Places) -> bool:
    if not (places.sockets / ".s.PGSQL.5432").exists():
        return False
    argv = [str(binaries / "pg_isready"), "-q", "-h", str(places.sockets), "-U", ROLE, "-d", "postgres"]
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0


def _ensure_database(*, places: Places, binaries: Path, fresh: bool) -> None:
    at = ["-h", str(places.sockets), "-U", ROLE]
    if fresh:
        _run([str(binaries / "dropdb"), *at, "--if-exists", "--force", DATABASE], places=places)
    query = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
    psql = [str(binaries / "psql"), *at, "-d", "postgres", "-Atc", query]
    found = subprocess.run(psql, check=False, capture_output=True, text=True)
    if found.stdout.strip() != "1":
        _run([str(binaries / "createdb"), *at, DATABASE], places=places)


def _start_redis(*, places: Places, durable: bool, say: Say) -> Child:
    folder = places.data / "redis"
    address = places.sockets / "redis.sock"
    for attempt in (1, 2):
        folder.mkdir(mode=0o700, exist_ok=True)
        if places.uid is not None:
            os.chown(folder, places.uid, places.uid)
        address.unlink(missing_ok=True)
        argv = [str(layout.redis_binary(places=places)), "--port", "0", "--unixsocket", str(address)]
        argv += ["--unixsocketperm", "700", "--dir", str(folder), "--save", "", "--daemonize", "no"]
        argv += ["--appendonly", "yes" if durable else "no"]
        child = spawn(name="redis", argv=argv, log=places.logs / "redis.log", cwd=folder, uid=places.uid)
        deadline = time.monotonic() + START_SECONDS / 2
        while child.process.poll() is None and time.monotonic() < deadline:
            if _redis_answers(address):
                return child
            time.sleep(0.02)
        stop_all([child], seconds=2)
        if attempt == 1 and durable:
            # A file of another Redis version, or one cut short. It holds nudges only: the rows say what is due.
            aside = folder.with_name(f"redis.unreadable-{int(time.time())}")
            with contextlib.suppress(OSError):
                folder.rename(aside)
                say(f"Redis could not read its old file; it is kept in {aside} and an empty Redis is started")
    raise NotAvailable(f"Redis did not start; end of {child.log}:\n{child.log_tail()}")


def _redis_answers(address: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            line.connect(str(address))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False
