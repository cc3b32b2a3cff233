"""What was measured on, and what it cost: machine facts, processor seconds and memory of processes (Linux /proc)."""

import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deploy import fleet

TICK = os.sysconf("SC_CLK_TCK")


def facts() -> dict[str, object]:
    """The machine and the commit, for the head of every report."""
    cpu = [line for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    memory = next((line for line in _read("/proc/meminfo").splitlines() if line.startswith("MemTotal")), "")
    commit = ["git", "rev-parse", "--short", "HEAD"]
    return {
        "processors": fleet.processors(),
        "processor": cpu[0].partition(": ")[2] if cpu else platform.processor(),
        "memory_mib": int(memory.split()[1]) // 1024 if memory else 0,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "commit": subprocess.run(commit, cwd=fleet.ROOT, capture_output=True, text=True, check=False).stdout.strip(),
    }


def family(roots: Iterable[int]) -> set[int]:
    """The processes and all their living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _read(f"/proc/{entry.name}/stat").rpartition(")")[2].split()
            if len(fields) > 2:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def processor_seconds(roots: Iterable[int]) -> float:
    """User and system time of the families, ended children they waited for included."""
    total = 0
    for pid in family(roots):
        fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        total += sum(int(value) for value in fields[11:15])
    return total / TICK


def proportional_mib(roots: Iterable[int]) -> float:
    """Proportional set size of the families: shared pages are counted once in sum."""
    kib = 0
    for pid in family(roots):
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                kib += int(line.split()[1])
    return kib / 1024


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""  # the process ended meanwhile
