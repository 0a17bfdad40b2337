"""What is written is read back, and written again byte for byte; whatever is read, nothing is raised."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.dsjson import single_slot
from sartor.dsjson.parse.lines import RejectedLine, parse_line
from sartor.explore.decide import decide
from sartor.explore.slots import decide_slots
from sartor.records import (
    Action,
    Decision,
    ImportedDecision,
    JoinedObservation,
    LoggedDecision,
    Mode,
    MultiSlotInput,
    Outcome,
    RankInput,
    SlotInput,
)

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=6)
numbers = st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15)
scalars = st.booleans() | st.none() | texts | numbers | st.lists(numbers, max_size=3)
objects = st.dictionaries(texts, scalars | st.dictionaries(texts, scalars, max_size=2), max_size=3)
features = st.lists(objects, max_size=2).map(msgspec.json.encode)
rewards = st.floats(-100, 100)
MODES: tuple[Mode, ...] = ("Online", "Apprentice", "LoggingOnly")
modes = st.sampled_from(MODES)


@st.composite
def actions(draw: st.DrawFn) -> tuple[Action, ...]:
    ids = draw(st.lists(texts, min_size=1, max_size=5, unique=True))
    return tuple(Action(name, draw(features)) for name in ids)


@st.composite
def single(draw: st.DrawFn) -> Decision:
    offered = draw(actions())
    places = list(range(len(offered)))
    excluded = draw(st.lists(st.sampled_from(places), max_size=len(offered) - 1, unique=True))
    count = len(offered) - len(excluded)
    weights = draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count))
    return decide(
        RankInput(
            event_id=draw(texts),
            context=draw(features),
            actions=offered,
            excluded=tuple(sorted(excluded)),
            deferred=draw(st.booleans()),
        ),
        probabilities=[weight / sum(weights) for weight in weights],
        loop_id="loop",
        model_id=draw(texts),
        settings_version=1,
        mode=draw(modes),
    )


@st.composite
def several(draw: st.DrawFn) -> Decision:
    offered = draw(actions())
    names = draw(st.lists(texts, min_size=1, max_size=len(offered), unique=True))
    slots = tuple(
        SlotInput(id=name, features=draw(features), baseline=place) for place, name in enumerate(names)
    )
    return decide_slots(
        MultiSlotInput(event_id=draw(texts), context=draw(features), actions=offered, slots=slots),
        predict=lambda _, open_: [1 / len(open_)] * len(open_),
        loop_id="loop",
        model_id=draw(texts),
        settings_version=1,
        mode=draw(modes),
    )


@st.composite
def outcomes(draw: st.DrawFn, decision: Decision) -> Outcome:
    slots: list[str | None] = [slot.id for slot in decision.slots] or [None]
    given_rewards = [draw(rewards) for _ in slots]
    joined = [
        JoinedObservation(0, 0, draw(rewards), slot) for slot in slots for _ in range(draw(st.integers(0, 2)))
    ]
    activated = [JoinedObservation(0, 0, None)] if draw(st.booleans()) else []
    return Outcome(
        decision_seq=1,
        event_id=decision.event_id,
        reward=given_rewards[0],
        learnable=draw(st.booleans()),
        joined=(*activated, *joined),
        settled_at_us=0,
        settings_version=1,
        slot_rewards=tuple(given_rewards) if decision.slots else (),
    )


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(0, 4_000_000_000_000_000))
def test_a_line_comes_back_byte_for_byte(data: st.DataObject, at_us: int) -> None:
    decision = data.draw(single() | several())
    line = single_slot.encode_outcome_line(LoggedDecision(1, at_us, decision), data.draw(outcomes(decision)))
    found = parse_line(line)
    assert isinstance(found, ImportedDecision), found
    assert found.made_at_us == at_us
    assert single_slot.encode_outcome_line(LoggedDecision(1, at_us, found.decision), found.outcome) == line


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_decision_that_is_open_is_said_to_be(data: st.DataObject) -> None:
    found = parse_line(single_slot.encode_pending_line(LoggedDecision(1, 0, data.draw(single() | several()))))
    assert isinstance(found, RejectedLine)
    assert found.kind == "pending"


@settings(max_examples=200, deadline=None)
@given(
    st.binary() | st.recursive(scalars, lambda inner: st.dictionaries(texts, inner)).map(msgspec.json.encode)
)
def test_nothing_is_raised(line: bytes) -> None:
    assert isinstance(parse_line(line), RejectedLine)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_line_raises_nothing(data: st.DataObject) -> None:
    decision = data.draw(single() | several())
    line = single_slot.encode_outcome_line(LoggedDecision(1, 0, decision), data.draw(outcomes(decision)))
    place = data.draw(st.integers(0, len(line)))
    piece = data.draw(st.sampled_from([b"", b"1", b"-", b"9" * 30, b'"', b"null", b"[]", b"{}", b"true,"]))
    parse_line(line[:place] + piece + line[place + data.draw(st.integers(0, 3)) :])
