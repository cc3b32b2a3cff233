"""How many messages a second one core reads: eight-entry lists, the whole vocabulary, every guard on."""

import json
import subprocess
import sys
import time
from typing import Any

from rules.intake import lexicon, lines, mending, sounds
from tests.bench.stack import Stack
from tests.intake_eval import scoring

ENTRIES = 8
FILLERS = (
    "Lisinopril 10 MG Oral Tablet", "metformin hydrochloride 500 MG Oral Tablet", "atorvastatin 20 MG Oral Tablet",
    "24 HR metoprolol succinate 50 MG Extended Release Oral Tablet", "levothyroxine sodium 0.05 MG Oral Tablet",
    "sertraline 50 MG Oral Tablet", "gabapentin 300 MG Oral Capsule", "omeprazole 20 MG Delayed Release Oral Capsule",
)  # fmt: skip


LOADING = """
import time
from rules.intake import letters
def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20
before, began = held(), time.process_time()
from rules.intake import lexicon
lexicon.load()
print(time.process_time() - began, held() - before)
"""


def measure(*, stack: Stack, runs: int) -> list[dict[str, Any]]:
    """Messages per CPU second over the labelled set, one pass a run; loading in a process of its own.

    Lists are read before, as a worker meets the same lists again; words are not: what caches hold of them is dropped.
    """
    vocabulary = lexicon.load()
    cases = [_with_eight(case) for case in scoring.cases(parts=("tune", "test"))]
    for line in cases:
        lines.answer(line=line, lexicon=vocabulary)
    results = []
    for _ in range(runs):
        out = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
        load_s, load_mb = map(float, out.stdout.split())
        for cached in (mending._right, sounds.key):  # caches over words
            cached.cache_clear()
        began = time.process_time()
        for line in cases:
            lines.answer(line=line, lexicon=vocabulary)
        rate = len(cases) / (time.process_time() - began)
        results.append({"rate": round(rate), "load_s": load_s, "load_mb": load_mb, "messages": len(cases)})
    return results


def _with_eight(case: dict[str, Any]) -> str:
    listed = list(case["med_list"])[:ENTRIES]
    listed += [{"name": name, "rxnorm": "", "status": "active"} for name in FILLERS[len(listed) :]]
    return json.dumps({**case, "med_list": listed})
