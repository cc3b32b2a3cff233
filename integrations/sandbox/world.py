"""The world document: the practices, people, charts and pharmacies all three vendors share.

It is one JSON value, so it can be written to a file, posted to a running vendor and made by `seeding.generate`.
It is never changed by a vendor: each builds its own store from it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHART = ("medications", "appointments", "prescription_messages", "allergies", "problems", "patient_lab_results")


class BadWorld(ValueError):
    """A world document that lacks what every vendor needs."""


class World:
    """The document and quick ways into it. Shapes are in docs/sandbox.md."""

    def __init__(self, *, document: dict[str, Any]) -> None:
        if not isinstance(document, dict) or not isinstance(document.get("practices"), list):
            raise BadWorld("a world document is an object with a list of practices")
        keys = [practice.get("key") for practice in document["practices"]]
        if None in keys or len(set(keys)) != len(keys):
            raise BadWorld("every practice needs a key of its own")
        self.document = document

    @property
    def practices(self) -> list[dict[str, Any]]:
        """All practices, in document order."""
        practices: list[dict[str, Any]] = self.document["practices"]
        return practices

    @property
    def pharmacies(self) -> list[dict[str, Any]]:
        """All pharmacies of the network's directory."""
        pharmacies: list[dict[str, Any]] = self.document.get("pharmacies", [])
        return pharmacies

    def practice(self, key: str) -> dict[str, Any]:
        """One practice by key; raises KeyError."""
        for practice in self.practices:
            if practice["key"] == key:
                return practice
        raise KeyError(f"no practice {key!r} in this world")

    def doctors(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Every (practice, doctor)."""
        for practice in self.practices:
            for doctor in practice.get("doctors", []):
                yield practice, doctor

    def summary(self) -> dict[str, Any]:
        """Counts, for people and for readiness checks."""
        return {
            "seed": self.document.get("seed"),
            "pharmacies": len(self.pharmacies),
            "practices": [
                {
                    "key": practice["key"],
                    "name": practice.get("name", ""),
                    "doctors": len(practice.get("doctors", [])),
                    "patients": len(practice.get("patients", [])),
                    **{kind: len(practice.get(kind, [])) for kind in CHART},
                }
                for practice in self.practices
            ],
        }


def read(path: Path) -> World:
    """Read a world document from a file; raises BadWorld."""
    try:
        return World(document=json.loads(path.read_text("utf-8")))
    except ValueError as problem:
        raise BadWorld(f"{path}: {problem}") from problem
