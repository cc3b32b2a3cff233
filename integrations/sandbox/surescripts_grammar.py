"""A small grammar for message structure: what an element may hold, in which order, how long its text may be.

Pure and quick (one walk, no path built unless something is wrong). Knows nothing of prescriptions.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

NO_ATTRIBUTES: Final[Mapping[str, re.Pattern[str] | None]] = {}
MANY: Final[int] = 10_000


class StructureFault(Exception):
    """A document breaks its structure; `path` is the XPath of the element, `reason` says how."""

    def __init__(self, reason: str, *steps: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps = list(steps)  # innermost first

    @property
    def path(self) -> str:
        return "/" + "/".join(reversed(self.steps))


@dataclass(frozen=True, slots=True)
class Leaf:
    """Text only: printable ASCII on one line, at least one non-space character, a pattern for length and form."""

    pattern: re.Pattern[str]
    attributes: Mapping[str, re.Pattern[str] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of child of a group, with how often it may occur."""

    tag: str
    node: "Node"
    least: int = 1
    most: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Children in a fixed order."""

    parts: tuple[Part, ...]
    places: Mapping[str, int]
    needs: tuple[int, ...]
    attributes: Mapping[str, re.Pattern[str] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """Exactly one child out of several."""

    options: Mapping[str, "Node"]


@dataclass(frozen=True, slots=True)
class Anything:
    """A known element whose inside our notes do not describe: any elements, printable ASCII text."""


Node = Leaf | Group | Choice | Anything

_PRINTABLE = re.compile(r"[ -~]*")


def text(most: int, *, least: int = 1, attributes: Mapping[str, re.Pattern[str] | None] = NO_ATTRIBUTES) -> Leaf:
    """Printable ASCII between two lengths."""
    return Leaf(pattern=re.compile(rf"[ -~]{{{least},{most}}}"), attributes=attributes)


def form(pattern: str) -> Leaf:
    """Text of an exact form."""
    return Leaf(pattern=re.compile(pattern))


def one_of(*values: str) -> Leaf:
    """One of a few fixed values."""
    return Leaf(pattern=re.compile("|".join(re.escape(value) for value in values)))


def number(most: int) -> Leaf:
    """A plain number, at most so many characters."""
    return Leaf(pattern=re.compile(rf"(?=.{{1,{most}}}$)[0-9]+(?:\.[0-9]+)?"))


def digits(most: int) -> Leaf:
    """Digits only, at most so many."""
    return Leaf(pattern=re.compile(rf"[0-9]{{1,{most}}}"))


def group(*parts: tuple[str, Node], attributes: Mapping[str, re.Pattern[str] | None] = NO_ATTRIBUTES) -> Group:
    """Children in order; a tag may end in `?` (optional), `*` (any number) or `*n` (up to n), else it is required."""
    made = []
    for written, node in parts:
        tag, star, most = written.partition("*")
        if star:
            made.append(Part(tag=tag, node=node, least=0, most=int(most) if most else MANY))
        elif tag.endswith("?"):
            made.append(Part(tag=tag[:-1], node=node, least=0))
        else:
            made.append(Part(tag=tag, node=node))
    return Group(
        parts=tuple(made),
        places={part.tag: place for place, part in enumerate(made)},
        needs=tuple(place for place, part in enumerate(made) if part.least),
        attributes=attributes,
    )


def choice(*options: tuple[str, Node]) -> Choice:
    """Exactly one of the named children."""
    return Choice(options=dict(options))


def optional(tags: Sequence[str], node: Node) -> list[tuple[str, Node]]:
    """Several optional children of one shape."""
    return [(f"{tag}?", node) for tag in tags]


def check(*, element: ElementTree.Element, node: Node) -> None:
    """Walk one document against its grammar; raises StructureFault at the first breach."""
    try:
        _check(element, node)
    except StructureFault as fault:
        fault.steps.append(element.tag)
        raise


def _check(element: ElementTree.Element, node: Node) -> None:
    if type(node) is Leaf:
        value = element.text
        if len(element):
            raise StructureFault("text expected, elements found")
        if value is None or not node.pattern.fullmatch(value) or value.isspace():
            raise StructureFault(_why(value))
        if element.attrib or node.attributes:
            _check_attributes(element, node.attributes)
    elif type(node) is Group:
        if element.attrib or node.attributes:
            _check_attributes(element, node.attributes)
        if element.text and not element.text.isspace():
            raise StructureFault("text between elements")
        _check_children(element, node)
    elif type(node) is Choice:
        _check_choice(element, node)
    else:
        _check_anything(element)


def _check_children(element: ElementTree.Element, node: Group) -> None:
    last, count = -1, 0
    seen = 0
    parts, places = node.parts, node.places
    for child in element:
        tag = child.tag
        place = places.get(tag)
        if place is None:
            raise StructureFault("element not allowed here", _name(tag))
        if place < last:
            raise StructureFault("element out of order", tag)
        part = parts[place]
        if place == last:
            count += 1
            if count > part.most:
                raise StructureFault("element repeated", tag)
        else:
            last, count = place, 1
            seen += part.least
        tail = child.tail
        if tail and not tail.isspace():
            raise StructureFault("text between elements")
        try:
            _check(child, part.node)
        except StructureFault as fault:
            fault.steps.append(tag)
            raise
    if seen != len(node.needs):
        present = {child.tag for child in element}
        missing = next(parts[place].tag for place in node.needs if parts[place].tag not in present)
        raise StructureFault("required element missing", missing)


def _check_choice(element: ElementTree.Element, node: Choice) -> None:
    if element.attrib or (element.text and not element.text.isspace()):
        raise StructureFault("only one element expected here")
    if len(element) != 1:
        raise StructureFault(f"exactly one element expected, {len(element)} found")
    child = element[0]
    shape = node.options.get(child.tag)
    if shape is None:
        raise StructureFault("element not allowed here", _name(child.tag))
    if child.tail and not child.tail.isspace():
        raise StructureFault("text between elements")
    try:
        _check(child, shape)
    except StructureFault as fault:
        fault.steps.append(child.tag)
        raise


def _check_anything(element: ElementTree.Element) -> None:
    for inside in element.iter():
        if inside.tag.startswith("{"):
            raise StructureFault("namespaces are not used", _name(inside.tag))
        if not len(inside) and not _PRINTABLE.fullmatch(inside.text or ""):
            raise StructureFault("characters outside printable ASCII")


def _check_attributes(element: ElementTree.Element, allowed: Mapping[str, re.Pattern[str] | None]) -> None:
    for name, pattern in allowed.items():
        value = element.attrib.get(name)
        if value is None:
            raise StructureFault(f"attribute {name} missing")
        if pattern is not None and not pattern.fullmatch(value):
            raise StructureFault(f"attribute {name} has a value not allowed")
    if len(element.attrib) > len(allowed):
        raise StructureFault("attribute not allowed here")


def _why(value: str | None) -> str:
    if not value or value.isspace():
        return "element is empty"
    if not _PRINTABLE.fullmatch(value):
        return "characters outside printable ASCII on one line"
    return f"length or form not allowed ({len(value)} characters)"


def _name(tag: str) -> str:
    return "".join(character for character in tag if " " <= character <= "~")[:80]
