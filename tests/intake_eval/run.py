"""`make eval`: reads the labelled set and prints safety, usefulness, recall and precision, whole and per class.

`--part tune|test|all`, `--file NAME`, `--only FIGURE` (failing cases of one figure), `--quiet` (no cases),
`--spelling N` (misspellings of kinds never tuned on; 0: none). The exit status is 1 where safety or emergencies are
short of 100 % or a misspelt name was read as another drug: those are goals without a tolerance.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence

from rules.intake import lexicon
from tests.intake_eval import scoring, spelling

GOALS = {"safety": 1.0, "emergency": 1.0, "useful": 0.9}


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("tune", "test", "all"), default="all")
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("--only", choices=tuple(scoring.FIGURES), action="append", default=[])
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--spelling", type=int, default=12_000)
    options = parser.parse_args(argv)
    vocabulary = lexicon.load()
    parts = ("tune", "test") if options.part == "all" else (options.part,)
    found = scoring.cases(parts=parts, files=options.file)
    scored = [scoring.score(case=case, lexicon=vocabulary) for case in found]
    if not options.quiet:
        _cases(scored, options.only or ["safety", "emergency", "useful"])
    _classes(scored)
    for part in parts:
        _figures(part, [one for one in scored if one.case["part"] == part])
    is_short = any(one.missed & {"safety", "emergency"} for one in scored)
    if options.spelling:
        is_short |= _spelling(options.spelling, vocabulary)
    return int(is_short)


def _cases(scored: Sequence[scoring.Scored], figures: Sequence[str]) -> None:
    for one in scored:
        missed = [name for name in figures if ("alarm" if name == "calm" else name) in one.missed]
        if not missed:
            continue
        expect, answer = one.case["expect"], one.answer
        print(f"\n{one.case['id']} [{one.case['class']}] fails: {', '.join(missed)}")
        for text in one.case["messages"]:
            print(f"  | {text}")
        print(f"  expected {expect['intent']}: {[row['resolves_to'] for row in expect['drugs']]} ({one.case['note']})")
        print(f"  read as  {answer['intent']}: {[(row['mention'], row['resolves_to']) for row in answer['drugs']]}")
        for reason in answer["reasons"]:
            print(f"    - {reason}")


def _classes(scored: Sequence[scoring.Scored]) -> None:
    by_class: dict[str, list[scoring.Scored]] = defaultdict(list)
    for one in scored:
        by_class[one.case["class"]].append(one)
    names = ("safety", "emergency", "useful", "recall", "precision", "intent")
    print(f"\n{'class':22}{'cases':>6}  " + "".join(f"{name:>20}" for name in names))
    for name, rows in sorted(by_class.items()):
        figures = scoring.shares(scored=rows)
        print(f"{name:22}{len(rows):>6}  " + "".join(f"{figures[each].text():>20}" for each in names))


def _figures(part: str, scored: Sequence[scoring.Scored]) -> None:
    print(f"\n{part} part, {len(scored)} cases" + (" (not looked at while rules were written)" * (part == "test")))
    for name, share in scoring.shares(scored=scored).items():
        goal = f"  goal {GOALS[name]:.0%}" if name in GOALS else ""
        print(f"  {name:10} {share.text():>20}{goal}  {scoring.FIGURES[name]}")


def _spelling(count: int, vocabulary: lexicon.Lexicon) -> bool:
    outcome = spelling.measure(kinds=spelling.NEVER_SEEN, count=count, seed=spelling.SEED, lexicon=vocabulary)
    print(f"\nmisspellings of kinds never tuned on (seed {spelling.SEED})")
    for line in spelling.report(outcome=outcome):
        print(f"  {line}")
    return bool(outcome.wrong)


if __name__ == "__main__":
    sys.exit(main())
