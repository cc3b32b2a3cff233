"""A closed-loop HTTP client in a process of its own: N connections, each posting the next prepared request.

`python tests/bench/load.py PORT CONNECTIONS FILE` reads pickled raw requests and prints one JSON object. It opens a
connection per request, as a vendor's delivery workers do, and counts what it got, never what it hoped for.
"""

import asyncio
import json
import pickle
import sys
import time
from collections import Counter
from pathlib import Path


async def _one(port: int, request: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        answer = await reader.read()
    finally:
        writer.close()
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


async def _client(port: int, waiting: "list[bytes]", statuses: Counter[str], took: list[float]) -> None:
    while waiting:
        request = waiting.pop()
        began = time.perf_counter()
        try:
            status = str(await _one(port, request))
        except OSError as error:
            status = type(error).__name__
        took.append(time.perf_counter() - began)
        statuses[status] += 1


async def run(*, port: int, connections: int, requests: list[bytes]) -> dict[str, object]:
    """Post all requests; returns rate, latencies in milliseconds and the statuses counted."""
    waiting = list(reversed(requests))
    statuses: Counter[str] = Counter()
    took: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(_client(port, waiting, statuses, took) for _ in range(connections)))
    seconds = time.perf_counter() - began
    took.sort()
    at = {name: round(1000 * took[min(len(took) - 1, int(len(took) * part))], 1) for name, part in PARTS.items()}
    return (
        {"count": len(took), "seconds": round(seconds, 2), "rate": round(len(took) / seconds, 1)}
        | at
        | {"statuses": dict(statuses)}
    )


PARTS = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}


if __name__ == "__main__":
    prepared = pickle.loads(Path(sys.argv[3]).read_bytes())  # noqa: S301 - our own file, made a moment ago
    print(json.dumps(asyncio.run(run(port=int(sys.argv[1]), connections=int(sys.argv[2]), requests=prepared))))
