"""What is written beside a drug's name, piece by piece, and the drug as found with its pieces: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from rules.intake import dose_forms, matching

# Words that may stand between a drug and what is said of it.
LINKS = frozenset("of de the my mi for on a supply pills tablets tabs capsules pill tablet strength".split())

PieceKind = Literal["amounts", "bare", "quantity", "days", "shape", "release", "salt", "directions", "filler"]


@dataclass(slots=True)
class Piece:
    """Something written about a drug, at token positions [first, last)."""

    kind: PieceKind
    first: int
    last: int
    amounts: tuple[dose_forms.Amount, ...] = ()
    number: Fraction | None = None
    text: str = ""
    hours: str = ""


@dataclass(slots=True)
class Found:
    """A named drug at token positions [first, last) with its pieces; `alias_of` is a list entry's own extra name."""

    first: int
    last: int
    named: matching.Named
    alias_of: str = ""
    pieces: list[Piece] = field(default_factory=list)

    def stated(self) -> matching.Stated:
        """The pieces as one value."""
        amounts: tuple[dose_forms.Amount, ...] = ()
        bare: list[Fraction] = []
        shape = release = salt = hours = ""
        for piece in self.pieces:
            amounts += piece.amounts
            if piece.kind == "bare" and piece.number is not None:
                bare.append(piece.number)
            shape = piece.text if piece.kind == "shape" else shape
            release = piece.text if piece.kind == "release" else release
            hours = piece.hours or hours
            salt = f"{salt} {piece.text}".strip() if piece.kind == "salt" else salt
        return matching.Stated(amounts=amounts, bare=tuple(bare), shape=shape, release=release, salt=salt, hours=hours)

    def number_of(self, kind: PieceKind) -> int | None:
        """The whole number of the first piece of a kind, or None."""
        for piece in self.pieces:
            if piece.kind == kind and piece.number is not None and piece.number.denominator == 1:
                return int(piece.number)
        return None

    def text_of(self, kind: PieceKind) -> str:
        """The text of the first piece of a kind, or empty."""
        return next((piece.text for piece in self.pieces if piece.kind == kind), "")
