"""The embedded servers: real ones, that survive a kill and leave nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from deploy import embedded, fleet
from deploy.embedded import places, processes, servers

pytestmark = pytest.mark.slow


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, with no server given by the environment."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    folder = places.throw_away_home()
    yield folder
    shutil.rmtree(places.short_folder(home=folder), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def connect(running: embedded.Servers) -> psycopg.Connection:
    assert running.places is not None
    return psycopg.connect(host=str(running.places.sockets), user=servers.ROLE, dbname=servers.DATABASE)


def test_what_was_committed_survives_a_kill_of_both_servers(home: Path) -> None:
    running = servers.start(home=home, durable=True, say=lambda text: None)
    with connect(running) as line:
        line.execute("CREATE TABLE kept (x int)")
        line.execute("INSERT INTO kept VALUES (7)")
    redis.Redis.from_url(running.redis_url).set("kept", "7")
    for child in running.children:
        os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
    again = servers.start(home=home, durable=True, say=lambda text: None)
    try:
        with connect(again) as line:
            assert line.execute("SELECT x FROM kept").fetchone() == (7,)
        assert again.redis_url == running.redis_url
    finally:
        again.stop()


def test_a_fresh_start_begins_empty(home: Path) -> None:
    running = servers.start(home=home, durable=False, say=lambda text: None)
    with connect(running) as line:
        line.execute("CREATE TABLE old (x int)")
    running.stop()
    running = servers.start(home=home, durable=False, fresh=True, say=lambda text: None)
    try:
        with connect(running) as line:
            assert line.execute("SELECT to_regclass('old')").fetchone() == (None,)
    finally:
        running.discard()


def test_the_lock_of_a_killed_server_whose_number_another_program_has_is_removed(tmp_path: Path) -> None:
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n/somewhere\n")
    servers._clear_stale_lock(lock)
    assert not lock.exists()


def test_given_servers_are_used_and_none_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://a/b")
    monkeypatch.setenv("REDIS_URL", "redis://c")
    running = servers.start(home=tmp_path / "home", durable=True)
    assert running.children == []
    assert running.environment() == {"DATABASE_URL": "postgres://a/b", "REDIS_URL": "redis://c"}
    assert not (tmp_path / "home").exists()


def test_a_folder_closed_to_others_is_noticed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not places.is_reachable(closed)


def test_stopping_ends_grandchildren_too(tmp_path: Path) -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
    child = processes.spawn(name="x", argv=[sys.executable, "-c", code], log=tmp_path / "log")
    deadline = time.monotonic() + 10
    while not child.log.read_text().strip() and time.monotonic() < deadline:
        time.sleep(0.02)
    grandchild = int(child.log.read_text())
    processes.stop_all([child], seconds=5)
    deadline = time.monotonic() + 5
    while _is_alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(grandchild)


def test_a_child_that_ignores_the_question_is_killed_and_named(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    child = processes.spawn(name="stubborn", argv=[sys.executable, "-c", code], log=tmp_path / "log")
    deadline = time.monotonic() + 10
    while not child.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert processes.stop_all([child], seconds=0.2) == ["stubborn"]
    assert child.process.poll() is not None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise exists on Linux only")
def test_children_end_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from deploy.embedded import processes\n"
        f"c = processes.spawn(name='x', argv=['sleep', '600'], log=Path({str(tmp_path / 'log')!r}))\n"
        "print(c.process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=fleet.ROOT) as boss:
        assert boss.stdout is not None
        child = int(boss.stdout.readline())
        boss.kill()
    deadline = time.monotonic() + 5
    while _is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(child)


def test_a_taken_port_is_replaced_and_said_aloud() -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        chosen = fleet.free_port(wanted=port, what="the web server", say=said.append)
    assert chosen != port
    assert said == [f"port {port} is taken: the web server listens on {chosen}"]


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
