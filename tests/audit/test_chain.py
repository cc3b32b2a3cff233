"""The arithmetic of the chain, without a database."""

import dataclasses
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import chain
from audit.chain import FaultKind, Row
from audit.events import Actor, ActorKind, Draft

PRACTICE = uuid.UUID("5f1d3a0e-0000-4000-8000-000000000001")
AT = chain.moment(datetime(2026, 11, 10, 15, 0, tzinfo=UTC))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
drafts = st.builds(
    Draft,
    practice_id=st.just(PRACTICE),
    event=st.sampled_from(["request.opened", "dispatch.queued"]),
    actor=st.builds(Actor, st.sampled_from(ActorKind), st.text(max_size=10)),
    request_id=st.none() | st.uuids(),
    patient_ref=st.sampled_from(["", "p_0123"]),
    data=st.dictionaries(st.text(max_size=5), json_values, max_size=3),
)


def rows_of(many: list[Draft]) -> list[Row]:
    rows, previous = [], chain.GENESIS
    for number, draft in enumerate(many, start=1):
        body = chain.canonical(draft=draft, number=number, at=AT)
        own = chain.link(previous=previous, body=body)
        rows.append(
            Row(
                number,
                body.decode(),
                previous,
                own,
                str(PRACTICE),
                AT,
                draft.event,
                draft.actor.kind.value,
                draft.actor.id,
                str(draft.request_id) if draft.request_id else None,
                draft.patient_ref,
            )
        )
        previous = own
    return rows


def fault_of(rows: list[Row], head: Row | None) -> chain.Fault | None:
    return chain.verify(rows=rows, head_number=head.number if head else None, head_hash=head.hash if head else "").fault


def relinked(rows: list[Row], start: int) -> list[Row]:
    """Redo the hash of one entry, as a tamperer would, without redoing those after it."""
    row = rows[start]
    return [
        *rows[:start],
        row._replace(hash=chain.link(previous=row.previous_hash, body=row.body.encode())),
        *rows[start + 1 :],
    ]


@given(st.lists(drafts, max_size=8))
def test_an_untouched_chain_is_whole(many: list[Draft]) -> None:
    rows = rows_of(many)
    assert fault_of(rows, rows[-1] if rows else None) is None


@given(st.lists(drafts, min_size=1, max_size=6), st.data())
def test_one_flipped_bit_of_a_body_is_named(many: list[Draft], data: st.DataObject) -> None:
    rows = rows_of(many)
    index = data.draw(st.integers(0, len(rows) - 1))
    raw = bytearray(rows[index].body.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1
    altered = bytes(raw).decode(errors="replace")
    head = rows[-1]
    rows[index] = rows[index]._replace(body=altered)
    assert fault_of(rows, head) == chain.Fault(index + 1, FaultKind.changed, "its hash does not fit it")


@given(st.lists(drafts, min_size=2, max_size=6), st.data())
def test_a_removed_entry_is_missing_or_cut_off(many: list[Draft], data: st.DataObject) -> None:
    rows = rows_of(many)
    index = data.draw(st.integers(0, len(rows) - 1))
    fault = fault_of(rows[:index] + rows[index + 1 :], rows[-1])
    assert fault is not None
    assert fault.number == index + 1
    assert fault.kind == (FaultKind.cut_off if index == len(rows) - 1 else FaultKind.missing)


@given(st.lists(drafts, min_size=2, max_size=6), st.data())
def test_two_swapped_entries_are_reordered(many: list[Draft], data: st.DataObject) -> None:
    rows = rows_of(many)
    head = rows[-1]
    index = data.draw(st.integers(0, len(rows) - 2))
    first, second = rows[index], rows[index + 1]
    rows[index], rows[index + 1] = second._replace(number=first.number), first._replace(number=second.number)
    fault = fault_of(rows, head)
    assert fault is not None
    assert (fault.number, fault.kind) == (index + 1, FaultKind.reordered)


@pytest.mark.parametrize(
    "column", ["event", "actor_kind", "actor_id", "request_id", "patient_ref", "at", "practice_id"]
)
def test_a_column_that_differs_from_its_body_is_changed(column: str) -> None:
    rows = rows_of([Draft(PRACTICE, "request.opened", Actor(ActorKind.system, "x"), uuid.uuid4()) for _ in range(3)])
    rows[1] = rows[1]._replace(**{column: "other"})
    fault = fault_of(rows, rows[-1])
    assert fault is not None
    assert (fault.number, fault.kind) == (2, FaultKind.changed)


def test_an_entry_rewritten_with_its_hash_breaks_the_link_to_the_next() -> None:
    rows = rows_of([Draft(PRACTICE, "request.opened", Actor(ActorKind.system, "x")) for _ in range(4)])
    rows[1] = rows[1]._replace(body=rows[1].body.replace('"outcome":""', '"outcome":"no"'))
    fault = fault_of(relinked(rows, 1), rows[-1])
    assert fault is not None
    assert (fault.number, fault.kind) == (2, FaultKind.changed)


def test_the_last_entry_rewritten_with_its_hash_does_not_fit_the_head() -> None:
    rows = rows_of([Draft(PRACTICE, "request.opened", Actor(ActorKind.system, "x")) for _ in range(3)])
    head = rows[-1]
    rows[2] = rows[2]._replace(body=rows[2].body.replace('"outcome":""', '"outcome":"no"'))
    fault = fault_of(relinked(rows, 2), head)
    assert fault is not None
    assert (fault.number, fault.kind) == (3, FaultKind.changed)


def test_entries_without_a_head_are_cut_off_and_an_empty_practice_is_whole() -> None:
    rows = rows_of([Draft(PRACTICE, "request.opened", Actor(ActorKind.system, "x"))])
    fault = fault_of(rows, None)
    assert fault is not None
    assert fault.kind == FaultKind.cut_off
    assert fault_of([], None) is None


def test_a_run_may_start_behind_a_known_good_entry() -> None:
    rows = rows_of([Draft(PRACTICE, "request.opened", Actor(ActorKind.system, "x")) for _ in range(4)])
    run = chain.verify(rows=rows[2:], head_number=4, head_hash=rows[3].hash, after=2, after_hash=rows[1].hash)
    assert run.fault is None
    assert (run.entries, run.number) == (2, 4)


def test_keys_are_sorted_so_that_the_same_event_has_the_same_bytes() -> None:
    draft = Draft(PRACTICE, "request.opened", Actor(ActorKind.system, "x"), data={"b": 1, "a": 2})
    other = dataclasses.replace(draft, data={"a": 2, "b": 1})
    assert chain.canonical(draft=draft, number=1, at=AT) == chain.canonical(draft=other, number=1, at=AT)


@pytest.mark.parametrize("data", [{"a": 1.5}, {"a": [{"b": 0.1}]}, {1: "a"}, {"a": {1: 2}}, {"a": object()}])
def test_what_has_no_single_spelling_is_refused(data: dict) -> None:
    draft = Draft(PRACTICE, "request.opened", Actor(ActorKind.system, "x"), data=data)
    with pytest.raises(chain.NotCanonical):
        chain.canonical(draft=draft, number=1, at=AT)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(chain.NotCanonical):
        chain.moment(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
