"""Start processes in groups of their own and stop every one of them again.

A group of its own keeps Ctrl-C of the terminal from reaching a child before its supervisor has decided the order.
Where the kernel offers it (Linux), children are also told to end when their supervisor is killed outright.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Child:
    """One started process: its name, handle, log and the signal that asks it to end."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    ask: signal.Signals

    def log_tail(self, *, lines: int = 15) -> str:
        """The last lines of its log, for a message to the person who started it."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError as error:
            return f"(no log: {error})"


def _end_with_parent(ask: signal.Signals) -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    libc = _LIBC

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(ask))

    return prepare


def spawn(
    *,
    name: str,
    argv: Sequence[str],
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    uid: int | None = None,
    ask: signal.Signals = signal.SIGTERM,
) -> Child:
    """Start `argv` in a session of its own, output appended to `log`; as user and group `uid` where given (root)."""
    log.parent.mkdir(parents=True, exist_ok=True)
    drop = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_end_with_parent(ask),
            **drop,
        )
    return Child(name=name, process=process, log=log, ask=ask)


def stop_all(children: Sequence[Child], *, seconds: float = 10.0) -> list[str]:
    """End `children`, last started first: ask each, wait up to `seconds` in all, then kill what is left with its group.

    Returns the names that had to be killed. Every group is swept at the end, so a grandchild cannot stay behind.
    """
    killed: list[str] = []
    deadline = time.monotonic() + seconds
    for child in reversed(children):
        if child.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(child.ask)
    for child in reversed(children):
        try:
            child.process.wait(timeout=max(0.05, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            killed.append(child.name)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
    return killed
