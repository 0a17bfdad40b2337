"""Saved logs for tests: lines as another service wrote them."""

from sartor.dsjson.single_slot import encode_outcome_line
from sartor.explore.decide import decide
from sartor.explore.slots import decide_slots
from sartor.inference import uniform_probabilities
from sartor.records import (
    Action,
    Decision,
    JoinedObservation,
    LoggedDecision,
    MultiSlotInput,
    Outcome,
    RankInput,
    SlotInput,
)
from sartor.testing.builders import make_action

START_US = 1_600_000_000_000_000
ACTIONS = tuple(make_action(number) for number in range(3))


def line(number: int, *, actions: tuple[Action, ...] = ACTIONS) -> bytes:
    """The line of a decision made ``number`` seconds after the start; rewarded if it chose action 1."""
    decision = decide(
        RankInput(event_id=f"old-{number}", context=b'[{"device":"mobile"}]', actions=actions),
        probabilities=uniform_probabilities(len(actions)),
        loop_id="another",
        model_id="app/model",
        settings_version=1,
    )
    return _line(decision, number, float(decision.chosen == 1))


def slots_line(number: int) -> bytes:
    """The line of a decision of two slots."""
    request = MultiSlotInput(
        event_id=f"old-{number}",
        context=b"[]",
        actions=ACTIONS,
        slots=tuple(SlotInput(id=f"slot-{place}", features=b"[]", baseline=place) for place in range(2)),
    )
    decision = decide_slots(
        request,
        predict=lambda _, offered: uniform_probabilities(len(offered)),
        loop_id="another",
        model_id="N/A",
        settings_version=1,
    )
    return _line(decision, number, 0.5)


def _line(decision: Decision, number: int, reward: float) -> bytes:
    outcome = Outcome(
        decision_seq=number,
        event_id=decision.event_id,
        reward=reward,
        learnable=True,
        joined=(JoinedObservation(0, 0, reward),) if reward and not decision.slots else (),
        settled_at_us=0,
        settings_version=1,
        slot_rewards=(reward,) * len(decision.slots),
    )
    return encode_outcome_line(LoggedDecision(number, START_US + number * 1_000_000, decision), outcome)


def log(first: int, count: int) -> bytes:
    """So many lines with their ends."""
    return b"".join(line(number) + b"\n" for number in range(first, first + count))
