"""What must hold for every state: no controlled or unknown drug automatic; less knowledge is never less caution."""

import dataclasses
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import conditions, policy, protocols, recipes, transcript
from rules import facts as f
from rules.decision import CAUTION, Outcome

GENTLE = settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
tri = st.sampled_from([True, False, None])
INGREDIENTS = [*sorted(protocols.load().by_ingredient), "unheard of"]


@st.composite
def drugs(draw: Any, near: f.Drug) -> f.Drug | None:
    if draw(st.integers(0, 9)) == 0:
        return None
    if draw(st.booleans()):
        return near
    return dataclasses.replace(
        near,
        schedule=draw(st.sampled_from(list(f.Schedule))),
        strength=draw(st.sampled_from([near.strength, "", "5 mg"])),
        ingredients=draw(st.sampled_from([near.ingredients, (), (draw(st.sampled_from(INGREDIENTS)),)])),
    )


@st.composite
def states(draw: Any, plain: f.Facts) -> f.Facts:
    """Mostly plain, with some facts spoiled, so that the interesting borders are met often."""
    changes: dict[str, Any] = {}
    entry, reading = plain.entry, plain.reading
    assert entry is not None
    drug = draw(drugs(entry.as_coded))
    if draw(st.booleans()):
        changes["drug"] = drug
        changes["entry"] = dataclasses.replace(
            entry, as_named=draw(drugs(entry.as_coded)), as_coded=drug, is_active=draw(tri)
        )
    if draw(st.booleans()):
        changes["visit"] = f.Visit(
            draw(st.one_of(st.none(), st.integers(0, 800).map(lambda d: plain.today - timedelta(days=d)))),
            None,
            draw(st.booleans()),
        )
    if draw(st.booleans()):
        changes["hours"] = f.Hours(draw(tri), draw(tri), plain.hours.next_opening_at, plain.hours.next_opening_on)
    if draw(st.booleans()):
        changes["reading"] = dataclasses.replace(
            reading,
            kind=draw(st.sampled_from(list(f.Kind))),
            tag=draw(st.sampled_from(list(f.Tag))),
            is_plain=draw(tri),
            is_emergency=draw(st.sampled_from([False, False, True, None])),
            has_symptom=draw(tri),
            strength_differs=draw(tri),
        )
    if draw(st.booleans()):
        changes["earlier"] = f.Earlier(
            draw(tri), draw(tri), draw(st.sampled_from([None, 5, 90000])), draw(tri), draw(tri)
        )
    if draw(st.booleans()):
        changes["patient"] = f.Patient(
            draw(st.sampled_from([None, 17, 30, 70])), draw(st.sampled_from(list(f.PatientStatus))), draw(tri)
        )
    if draw(st.booleans()):
        changes["fills_left"] = draw(st.sampled_from([None, 0, 3]))
    return dataclasses.replace(plain, **changes)


@st.composite
def random_recipes(draw: Any) -> tuple[recipes.Recipe, ...]:
    outcome = draw(st.sampled_from([one for one in Outcome if one is not Outcome.duplicate]))
    row = {"then": outcome.value, "tell_kind": "fills_left" if outcome is Outcome.tell else ""}
    trigger = draw(st.sampled_from(["refill", "pharmacy_change", "any_request"]))
    mine = recipes.parse(document={"key": "mine", "name": "m", "trigger": trigger, "start": "a", "nodes": {"a": row}})
    return draw(st.sampled_from([(mine,), (*recipes.SHIPPED, mine), recipes.SHIPPED]))


@GENTLE
@given(data=st.data())
def test_no_controlled_or_unknown_drug_is_ever_automatic(cast: Any, data: st.DataObject) -> None:
    given_ = data.draw(states(cast.facts()))
    limits = cast.policy(
        enabled_recipes=frozenset(data.draw(st.sets(st.sampled_from(policy.RECIPE_KEYS)))),
        untagged_refill_may_be_automatic=data.draw(st.booleans()),
    )
    made = cast.decide(given_, limits, data.draw(random_recipes()))
    held = [
        one
        for one in (given_.drug, given_.entry and given_.entry.as_named, given_.entry and given_.entry.as_coded)
        if one
    ]
    if made.outcome is Outcome.auto_approve:
        assert held
        assert all(one.schedule is f.Schedule.not_controlled for one in held)
        assert given_.reading.kind is f.Kind.refill
        assert given_.reading.is_emergency is False
        assert given_.reading.has_symptom is False
        assert given_.reading.is_plain is True
        assert given_.visit.last_qualifying_on is not None
        assert (given_.today - given_.visit.last_qualifying_on).days <= 365
        assert given_.patient.status is f.PatientStatus.active
        assert (given_.patient.age_years or 0) >= 18
    if given_.reading.is_emergency is not False:
        assert made.outcome is Outcome.person
    if made.outcome in (Outcome.hold, Outcome.ask_visit) and given_.reading.kind is f.Kind.refill:
        for one in held:
            assert protocols.load().is_never_hold(ingredients=one.ingredients) is False


def forgettable(given_: f.Facts) -> list[tuple[str, str]]:
    """Every fact that can be taken away. `fills_left` is left out: unknown is its ordinary state and must not block;
    so are dates whose absence is itself the chart's statement, and texts the message simply does not contain."""
    out: list[tuple[str, str]] = [
        ("", name)
        for name in (
            "entry",
            "drug",
            "entries_matching",
            "supplies",
            "prescriber",
            "other_drugs",
            "allergies",
            "mirror_age_minutes",
        )
    ]
    parts = {
        "reading": (
            "is_plain",
            "strength_differs",
            "form_differs",
            "is_identity_verified",
            "is_emergency",
            "has_symptom",
            "confidence_percent",
            "kind",
            "tag",
            "channel",
            "author",
        ),
        "patient": ("age_years", "status"),
        "visit": ("last_qualifying_on", "is_upcoming_known"),
        "entry": (
            "as_named",
            "as_coded",
            "sig_text",
            "days_supply",
            "number_refills",
            "is_active",
            "started_on",
            "is_over_the_counter",
            "is_administered",
            "is_by_other_doctor",
        ),
        "hours": ("was_closed_when_sent", "is_closed_now"),
        "switches": ("is_automatic_stopped", "is_sending_stopped"),
        "earlier": (
            "is_same_open",
            "is_same_in_every_point",
            "opened_seconds_ago",
            "was_denied_or_failed_in_24_h",
            "has_newer_message",
        ),
        "prescriber": ("is_ours", "is_active", "has_spi", "is_away"),
        "pharmacy": ("default_ncpdp", "is_current"),
    }
    for part, names in parts.items():
        if getattr(given_, part) is not None:
            out += [(part, name) for name in names]
    return out


UNKNOWN = {
    "kind": f.Kind.unknown,
    "tag": f.Tag.unknown,
    "channel": f.Channel.unknown,
    "author": f.Author.unknown,
    "status": f.PatientStatus.unknown,
    "is_upcoming_known": False,
    "sig_text": "",
    "default_ncpdp": "",
}


@GENTLE
@given(data=st.data())
def test_removing_a_fact_never_makes_an_outcome_less_cautious(cast: Any, data: st.DataObject) -> None:
    given_ = data.draw(states(cast.facts()))
    part, name = data.draw(st.sampled_from(forgettable(given_)))
    if part:
        less = dataclasses.replace(
            given_, **{part: dataclasses.replace(getattr(given_, part), **{name: UNKNOWN.get(name)})}
        )
    else:
        less = dataclasses.replace(given_, **{name: None})
    before, after = cast.decide(given_), cast.decide(less)
    assert CAUTION[after.outcome] >= CAUTION[before.outcome], (part, name, before.outcome, after.outcome)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_facts_survive_their_transcript(cast: Any, data: st.DataObject) -> None:
    given_ = data.draw(states(cast.facts()))
    assert transcript.from_document(document=transcript.to_document(facts=given_)) == given_


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["fact", "is", "visit.days_since"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "fact", "op", "value", "policy", "nodes", "if", "then", "key"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(document=JSON)
def test_hostile_documents_are_refused_or_read_never_an_accident(document: Any) -> None:
    try:
        read = conditions.parse(document=document)
        assert conditions.parse(document=conditions.to_document(condition=read)) == read
    except conditions.ConditionError as error:
        assert error.mend  # noqa: PT017 - a refusal is one of two right answers
    try:
        recipes.parse(document=document)
    except (recipes.RecipeError, conditions.ConditionError) as error:
        assert error.path  # noqa: PT017
