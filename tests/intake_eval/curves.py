"""`python -m tests.intake_eval.curves [--words N] [--svg FILE]`: what each measure of likeness buys, and what it risks.

For seeded misspellings of the kinds thresholds are tuned on: the share read as the drug meant and as another, for every
margin by which the nearest drug must beat all others. No list is looked at: "another" counts even if no patient has it.
The figures and the picture in docs/reading.md come from here.
"""

from __future__ import annotations

import argparse
import pathlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from rules.intake import lexicon as vocabulary
from rules.intake import sounds
from rules.intake.lexicon import Lexicon
from tests.intake_eval import misspelling, spelling

Measure = Callable[[str, str], float]


def letters_apart(word: str, name: str) -> float:
    """Edits, a transposition counted as one."""
    return float(OSA.distance(word, name))


def sounds_apart(word: str, name: str) -> float:
    """Edits between the sounds."""
    return float(OSA.distance(sounds.key(word), sounds.key(name)))


def letters_and_worn(word: str, name: str) -> float:
    """Edits, a lost syllable or cut end counted as two at most."""
    return min(letters_apart(word, name), 2.0) if sounds.is_worn_down(word=word, name=name) else letters_apart(word, name)


MEASURES: dict[str, tuple[Measure, Sequence[float]]] = {
    "letters": (letters_apart, (0, 1, 2, 3)),
    "sounds": (sounds_apart, (0, 1, 2, 3)),
    "letters, lost syllables": (letters_and_worn, (0, 1, 2, 3)),
    "letters + sounds": (lambda word, name: letters_and_worn(word, name) + sounds_apart(word, name), (1, 2, 3, 4, 5)),
    "Jaro-Winkler": (lambda word, name: 100 * (1 - JaroWinkler.similarity(word, name)), (0.5, 1, 2, 4, 8)),
    "token ratio": (lambda word, name: 100 - fuzz.token_sort_ratio(word, name), (1, 3, 6, 10, 15)),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One margin: shares of all words."""

    margin: float
    right: float
    wrong: float


def curves(*, words: int, seed: int, lexicon: Lexicon) -> dict[str, list[Point]]:
    """The curve of every measure over the same words."""
    asked = _words(words=words, seed=seed, lexicon=lexicon)
    return {name: _curve(asked, measure, margins, lexicon) for name, (measure, margins) in MEASURES.items()}


def _words(*, words: int, seed: int, lexicon: Lexicon) -> list[tuple[str, str, tuple[str, ...]]]:
    """(meant, written, names near enough to matter)."""
    dice, kinds = random.Random(seed), list(misspelling.TUNED_ON.values())
    names = spelling.pool(lexicon)
    found: list[tuple[str, str, tuple[str, ...]]] = []
    while len(found) < words:
        meant = dice.choice(names)
        written = dice.choice(kinds)(meant, dice)
        if written and written != meant and written not in lexicon.names and len(written) >= 5:
            near = lexicon.near(word=written, limit=6)
            found.append((meant, written, tuple(one.name for one in near[:25])))
    return found


def _curve(
    asked: Sequence[tuple[str, str, tuple[str, ...]]], measure: Measure, margins: Sequence[float], lexicon: Lexicon
) -> list[Point]:
    gaps: list[tuple[float, bool]] = []
    for meant, written, near in asked:
        ranked = sorted((measure(written, name), name) for name in near)
        allowed = 1 if len(written) < 8 else 2 if len(written) < 12 else 3
        if not ranked or OSA.distance(written, ranked[0][1]) > allowed:
            continue
        best, name = ranked[0]
        sets = set(lexicon.names[name].ingredient_sets)
        rival = next((far for far, one in ranked[1:] if not sets & set(lexicon.names[one].ingredient_sets)), best + 99)
        gaps.append((rival - best, bool(sets & set(lexicon.names[meant].ingredient_sets))))
    total = len(asked)
    return [
        Point(
            margin,
            sum(1 for gap, is_right in gaps if gap >= margin and is_right) / total,
            sum(1 for gap, is_right in gaps if gap >= margin and not is_right) / total,
        )
        for margin in margins
    ]


def table(found: dict[str, list[Point]]) -> list[str]:
    """As Markdown."""
    lines = ["| measure | margin | read as meant | read as another |", "|---|---|---|---|"]
    for name, points in found.items():
        lines += [f"| {name} | {one.margin:g} | {100 * one.right:.1f} % | {100 * one.wrong:.2f} % |" for one in points]
    return lines


def picture(found: dict[str, list[Point]]) -> str:
    """An SVG: wrong to the right, right upwards; one line a measure, labelled at its end."""
    width, height, pad, most = 720, 420, 60, max(one.wrong for points in found.values() for one in points) or 0.01
    colours = ("#1b6b52", "#7a4fb5", "#b5502f", "#2f6fb5", "#8a7a1c", "#5d6470")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        "<title>Share of misspellings read as the drug meant against the share read as another, by measure</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{pad}" y="24" font-size="14">Misspelt names: read as meant (up) against read as another (right)</text>',
    ]
    for index, (name, points) in enumerate(found.items()):
        spots = [
            (pad + (width - 260) * one.wrong / most, height - pad - (height - 2 * pad) * one.right) for one in points
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colours[index]}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colours[index]}"/>' for x, y in spots]
        parts.append(f'<text x="{width - 180}" y="{60 + 20 * index}" fill="{colours[index]}">{name}</text>')
    for step in range(0, 101, 20):
        y = height - pad - (height - 2 * pad) * step / 100
        parts.append(f'<text x="12" y="{y:.0f}" fill="#444">{step} %</text>')
    parts.append(f'<text x="{pad}" y="{height - 20}" fill="#444">0 % read as another</text>')
    parts.append(f'<text x="{width - 260}" y="{height - 20}" fill="#444">{100 * most:.2f} %</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Print the table; write the picture where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=4_000)
    parser.add_argument("--svg", type=pathlib.Path)
    options = parser.parse_args()
    found = curves(words=options.words, seed=spelling.SEED + 1, lexicon=vocabulary.load())
    print("\n".join(table(found)))
    if options.svg:
        options.svg.write_text(picture(found), encoding="utf-8")


if __name__ == "__main__":
    main()
