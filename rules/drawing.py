"""A recipe as a picture: SVG text of its graph, made on the server, for pages and for the printed policy. Pure.

The way through all "yes" runs down the left, every other exit stands to the right of its step. Colours are classes of
the page's style sheet, ids carry a prefix, all text is escaped, and the same steps stand beside it as a list.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from html import escape

from rules import conditions, steps
from rules.findings import Outcome
from rules.policy import Policy
from rules.recipes import PASS, Act, Ask, Recipe, Trigger

WIDTH, LEFT, RIGHT = 782, 20, 500
MAIN, SIDE = 318, 262  # widths of the boxes
LINE, PAD, GAP = 16, 10, 20
PER_LINE = {MAIN: 38, SIDE: 31}  # letters that surely fit

TRIGGERS = {
    Trigger.refill: "A refill message",
    Trigger.pharmacy_change: "A pharmacy change",
    Trigger.any_request: "Any request",
    Trigger.transmission_failed: "A prescription was refused on its way",
}
ACTIONS = {
    Outcome.auto_approve: "Approve and send",
    Outcome.review: "Review by a person",
    Outcome.ask_visit: "Ask the patient for a visit",
    Outcome.controlled_task: "Task for the prescriber in the chart",
    Outcome.hold: "Hold until the practice opens",
    Outcome.pharmacy_change: "Change the pharmacy",
    Outcome.tell: "Tell the patient",
    Outcome.person: "A person reads the message",
}
FLOOR = ("Safety floor, in code", "can only make it more cautious")


@dataclass(frozen=True, slots=True)
class Box:
    """One rectangle with its lines of text, the first one bold. `key`: the node, "" for a box that is none."""

    x: int
    y: int
    width: int
    lines: tuple[str, ...]
    kind: str
    key: str = ""

    @property
    def height(self) -> int:
        return 2 * PAD + LINE * len(self.lines)


@dataclass(frozen=True, slots=True)
class Edge:
    """A line with its word; `points` as SVG path data."""

    path: str
    word: str
    x: int
    y: int
    is_side: bool


@dataclass(slots=True)
class Picture:
    """What is to be drawn."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    height: int = 0


def draw(
    *,
    recipe: Recipe,
    prefix: str,
    selected: str = "",
    lit: Collection[str] = (),
    links: Mapping[str, str] | None = None,
    limits: Policy | None = None,
) -> str:
    """The SVG. `selected`: the node being edited; `lit`: nodes a decision went through; `links`: node -> address;
    `limits`: the practice's own figures in the sentences."""
    picture = lay_out(recipe=recipe, limits=limits)
    number = {node.key: at for at, node in enumerate(steps.in_order(recipe=recipe), 1)}
    parts = [
        f'<svg class="graph" viewBox="0 0 {WIDTH} {picture.height}" role="group" '
        f'aria-labelledby="{escape(prefix)}-title">',
        f'<title id="{escape(prefix)}-title">{escape(recipe.name)} as a graph: {len(number)} steps</title>',
        f'<defs><marker id="{escape(prefix)}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="head-m" d="M0 0.6L7.4 4L0 7.4z"/></marker></defs>',
    ]
    parts += [_edge(edge, prefix) for edge in picture.edges]
    parts += [_box(box, selected, lit, links or {}) for box in picture.boxes]
    return "".join((*parts, "</svg>"))


def lay_out(*, recipe: Recipe, limits: Policy | None = None) -> Picture:
    """Boxes and edges: the chain of yes down the left, exits to the right, then whatever only side exits reach."""
    picture = Picture()
    nodes = steps.in_order(recipe=recipe)
    numbers = {node.key: at for at, node in enumerate(nodes, 1)}
    y = _place(picture, Box(LEFT, 8, MAIN, _lines(TRIGGERS[recipe.trigger], "Begins with", MAIN), "trig"))
    chain = _chain(recipe)
    placed: set[str] = set()
    word, above = "", picture.boxes[0]
    for node in [node for node in nodes if node.key in chain]:
        if isinstance(node, Act):
            floor = Box(LEFT, y, MAIN, FLOOR, "guard")
            y = _down(picture, above, floor, word)
            above, word = floor, ""
        box = Box(LEFT, y, MAIN, _node_lines(node, numbers, MAIN, limits), _kind(node), node.key)
        y = _down(picture, above, box, word)
        if isinstance(node, Ask):
            y = max(y, _sides(picture, recipe, node, box, numbers, placed))
        word, above = "yes", box
    for node in nodes:
        if node.key in chain or node.key in placed:
            continue
        box = Box(LEFT, y, MAIN, _node_lines(node, numbers, MAIN, limits), _kind(node), node.key)
        placed.add(node.key)
        y = _place(picture, box)
        if isinstance(node, Ask):
            y = max(y, _sides(picture, recipe, node, box, numbers, placed, also_yes=True))
    picture.height = y
    return picture


def _place(picture: Picture, box: Box) -> int:
    picture.boxes.append(box)
    return box.y + box.height + GAP


def _down(picture: Picture, above: Box, box: Box, word: str) -> int:
    middle = LEFT + MAIN // 2
    path = f"M{middle} {above.y + above.height}V{box.y - 2}"
    picture.edges.append(Edge(path, word, middle + 8, box.y - 6, False))
    return _place(picture, box)


def _sides(
    picture: Picture, recipe: Recipe, node: Ask, box: Box, numbers: Mapping[str, int], placed: set[str],
    *, also_yes: bool = False,
) -> int:  # fmt: skip
    """The exits to the right of a condition; the height below which the next row may stand."""
    y = box.y
    exits = [("no", node.no), ("unknown", node.unknown)]
    if also_yes:
        exits.insert(0, ("yes", node.yes))
    for name, key in exits:
        if key == PASS:
            continue
        target = recipe.nodes[key]
        is_new = isinstance(target, Act) and key not in placed and key not in _chain(recipe)
        if is_new:
            side = Box(RIGHT, y, SIDE, _node_lines(target, numbers, SIDE, None), _kind(target), key)
            placed.add(key)
        else:
            side = Box(RIGHT, y, SIDE, (f"Go on with step {numbers[key]}",), "")
        middle = min(y + side.height // 2, box.y + box.height - 4) if y == box.y else y + side.height // 2
        start = LEFT + MAIN
        path = f"M{start} {middle}H{RIGHT - 2}" if middle <= box.y + box.height else (
            f"M{start + 40} {box.y + box.height // 2}V{middle}H{RIGHT - 2}"
        )  # fmt: skip
        picture.edges.append(Edge(path, name, start + 52, middle - 6, True))
        y = _place(picture, side)
    return y


def _chain(recipe: Recipe) -> list[str]:
    """Keys from the start along yes, the action at the end included."""
    found: list[str] = []
    key = recipe.start
    while (node := recipe.nodes.get(key)) is not None and key not in found:
        found.append(key)
        if isinstance(node, Act):
            break
        key = node.yes
    return found


def _kind(node: Ask | Act) -> str:
    if isinstance(node, Ask):
        return "cond"
    return "act" if node.outcome is Outcome.auto_approve else "rev"


def _node_lines(node: Ask | Act, numbers: Mapping[str, int], width: int, limits: Policy | None) -> tuple[str, ...]:
    number = numbers[node.key]
    if isinstance(node, Ask):
        return _lines(f"{number}. {conditions.explain(condition=node.condition, limits=limits)}", "", width)
    who = node.queue.value.replace("_", " ")
    return _lines(
        f"{number}. {ACTIONS.get(node.outcome, node.outcome.value)}", f"{who}, when a person is needed", width
    )


def _lines(bold: str, small: str, width: int) -> tuple[str, ...]:
    """Text cut into lines that fit; at most four, the last one ends in an ellipsis when there is more."""
    lines = textwrap.wrap(bold, PER_LINE[width], break_long_words=True) or [""]
    if len(lines) > 4:
        lines = [*lines[:3], lines[3][: PER_LINE[width] - 2] + " \u2026"]
    return (*lines, *([small] if small else []))


def _edge(edge: Edge, prefix: str) -> str:
    line = (
        f'<path class="edge{" no" if edge.is_side else ""}" d="{edge.path}" marker-end="url(#{escape(prefix)}-head)"/>'
    )
    return line + (f'<text class="el" x="{edge.x}" y="{edge.y}">{escape(edge.word)}</text>' if edge.word else "")


def _box(box: Box, selected: str, lit: Collection[str], links: Mapping[str, str]) -> str:
    marks = [box.kind, "sel" if box.key and box.key == selected else "", "lit" if box.key and box.key in lit else ""]
    rect = f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="8"/>'
    texts = []
    for at, line in enumerate(box.lines):
        is_small = at == len(box.lines) - 1 and at > 0 and box.kind not in ("cond", "")
        bold = "" if is_small else ' class="b"'
        texts.append(f'<text{bold} x="{box.x + 14}" y="{box.y + PAD + LINE * at + 12}">{escape(line)}</text>')
    group = f'<g class="node {" ".join(mark for mark in marks if mark)}">{rect}{"".join(texts)}</g>'
    address = links.get(box.key) if box.key else None
    if not address:
        return group
    current = ' aria-current="step"' if box.key == selected else ""
    return f'<a href="{escape(address)}"{current}>{group}</a>'
