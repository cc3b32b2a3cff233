"""Memory of everything that runs for the product, idle after work: proportional set size, shared pages counted once."""

import time
from typing import Any

from tests.bench import machine
from tests.bench.stack import Stack

IDLE_SECONDS = 10


def measure(*, stack: Stack, runs: int) -> list[dict[str, Any]]:
    """One reading: the processes as the measures before have left them."""
    if "web" not in stack.children:
        stack.start_web()
    if "worker" not in stack.children:
        stack.start_workers()
    time.sleep(IDLE_SECONDS)
    names = {child.name: [child.process.pid] for child in stack.servers.children}
    names |= {name: [child.process.pid] for name, child in stack.children.items() if not name.startswith("sandbox-")}
    by_name = {f"{name}_mib": round(machine.proportional_mib(pids), 1) for name, pids in names.items()}
    return [by_name | {"mib": round(machine.proportional_mib(stack.ours()), 1)}]
