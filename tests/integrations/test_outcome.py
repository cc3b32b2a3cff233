"""The value of one write's end."""

import dataclasses

import pytest

from integrations.outcome import Outcome, OutcomeKind


@pytest.mark.parametrize(
    ("kind", "may_have_arrived"),
    [
        (OutcomeKind.ACCEPTED, True),
        (OutcomeKind.DELIVERED, True),
        (OutcomeKind.REJECTED, False),
        (OutcomeKind.NOT_SENT, False),
        (OutcomeKind.UNKNOWN, True),
        (OutcomeKind.HANDED_OVER, True),
    ],
)
def test_only_a_refusal_or_an_unsent_message_surely_did_not_arrive(kind: OutcomeKind, may_have_arrived: bool) -> None:
    assert Outcome(kind=kind).may_have_arrived is may_have_arrived


def test_an_outcome_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Outcome(kind=OutcomeKind.UNKNOWN).kind = OutcomeKind.ACCEPTED  # type: ignore[misc]
