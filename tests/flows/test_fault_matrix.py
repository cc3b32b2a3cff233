"""The fault matrix in a seeded slice; `make fault-matrix` plays SEEDS of each fault, all kinds and kill points."""

import itertools
import os
import random
from collections import Counter
from typing import Any

import pytest

from integrations.models import PharmacyEntry
from review import directory
from tests.flows import fault_matrix as matrix

SEEDS = int(os.environ.get("SEEDS", "20"))
PLACES = list(itertools.product(matrix.KINDS, matrix.KILLS))
# A poll is answered by mail, not by a refusal of a message of ours.
OF_POLL = tuple(fault for fault in matrix.FAULTS if fault.nack is None)
RESULTS: list[matrix.Cell] = []


def cell(fault: matrix.Fault, seed: int) -> matrix.Cell:
    """The cell a seed stands for: every kind and kill point comes in turn, in an order of the fault's own."""
    order = random.Random(f"{fault.name}").sample(PLACES, len(PLACES))
    kind, kill = order[seed % len(order)]
    kind = "newrx" if kind == "poll" and fault not in OF_POLL else kind
    return matrix.Cell(kind=kind, fault=fault, kill=kill, seed=seed)


def ended(clinic: Any, monkeypatch: pytest.MonkeyPatch, made: matrix.Cell) -> matrix.Cell:
    return matrix.play(clinic=clinic, cell=made, patch=monkeypatch)


@pytest.mark.parametrize("fault", matrix.FAULTS, ids=lambda fault: fault.name)
def test_a_fault_ends_as_the_contract_says(clinic: Any, monkeypatch: pytest.MonkeyPatch, fault: matrix.Fault) -> None:
    done = ended(clinic, monkeypatch, cell(fault, random.Random(fault.name).randrange(len(PLACES))))
    assert done.wrong == "", (done.kind, done.kill, done)


def test_a_repeat_that_is_turned_away_is_made_again_and_not_given_up(
    clinic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fault,) = [one for one in matrix.FAULTS if one.name == "429"]
    done = ended(clinic, monkeypatch, matrix.Cell(kind="newrx", fault=fault, kill="claimed", seed=1))
    assert (done.wrong, done.at_network, done.is_arrived) == ("", 1, True)


@pytest.mark.parametrize("fault", [one for one in OF_POLL if one.order], ids=lambda fault: fault.name)
def test_a_fault_of_the_directory_leaves_the_old_one_whole_and_the_next_look_mends_it(
    clinic: Any, fault: matrix.Fault
) -> None:
    before = sorted(PharmacyEntry.objects.values_list("ncpdp_id", "directory_state"))
    clinic.fault(clinic.network, method="POST", path="/directory", times=1, **(fault.order or {}))
    directory.refresh(now=clinic.now)
    assert sorted(PharmacyEntry.objects.values_list("ncpdp_id", "directory_state")) == before
    clinic.clock.advance(seconds=700)
    assert directory.refresh(now=clinic.now) >= len(before)
    assert sorted(PharmacyEntry.objects.values_list("ncpdp_id", "directory_state")) == before


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("fault", matrix.FAULTS, ids=lambda fault: fault.name)
def test_every_cell(clinic: Any, monkeypatch: pytest.MonkeyPatch, fault: matrix.Fault, seed: int) -> None:
    done = ended(clinic, monkeypatch, cell(fault, seed))
    RESULTS.append(done)
    assert done.wrong == "", (done.kind, done.kill, done)


@pytest.mark.soak
def test_print_the_matrix() -> None:
    """Last of the file: what the runs before it found."""
    wrong = Counter(one.wrong for one in RESULTS)
    print(f"\n{'fault':32}" + "".join(f"{kind:>22}" for kind in matrix.KINDS))
    for fault in matrix.FAULTS:
        mine = [one for one in RESULTS if one.fault is fault]
        row = [
            " ".join(
                f"{one.kill[0]}:{'ok' if not one.wrong else one.wrong}" for one in mine if one.kind == kind
            )[:21]
            for kind in matrix.KINDS
        ]
        print(f"{fault.name:32}" + "".join(f"{text:>22}" for text in row))
    print(f"{len(RESULTS)} runs: lost {wrong['lost']}, doubled {wrong['doubled']}, gave up {wrong['gave up']}")
    assert not +Counter({key: count for key, count in wrong.items() if key})
