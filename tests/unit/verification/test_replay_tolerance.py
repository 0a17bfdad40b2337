"""A replay on a machine whose last bits are others: said, and not taken for damage; more than these bits is."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.cli.decisions import _describe_replay
from sartor.explore.draw import draw_point
from sartor.explore.recompute import is_drawn_by_rounding, recompute_decision
from sartor.explore.slots import slot_seed
from sartor.ports import Engine, EngineFactory, Loop, LoopStores
from sartor.records import Decision
from sartor.runtime import compose
from sartor.settings import VW_ARGUMENTS
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores
from sartor.verification import decision_replay, model_replay
from sartor.verification.decision_replay import DecisionReplay
from sartor.verification.doctor import check_loop
from tests.unit.explore.test_recompute import REQUEST, decide_request
from tests.unit.explore.test_slots import decide_request as decide_slots_request
from tests.unit.explore.test_slots import request as slots_request
from tests.unit.instance import learn, play

EXACT = compose.engine_factory()


class Moved:
    """An engine whose probabilities are others by so much."""

    def __init__(self, engine: Engine, by: float) -> None:
        self._engine, self._by = engine, by

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        first, second, *others = self._engine.probabilities(context, actions)
        sign = 1.0 if first < second else -1.0
        return [first + sign * self._by, second - sign * self._by, *others]


def moved_factory(by: float, *, only_learned: bool = False) -> EngineFactory:
    """Makes engines that are moved; ``only_learned``: not those that are loaded from stored bytes."""

    def make(arguments: str, blob: bytes | None = None, /) -> Engine:
        made = EXACT(arguments, blob)
        return made if only_learned and blob is not None else Moved(made, by)  # type: ignore[return-value]

    return make


def play_loop(arguments: str) -> tuple[Loop, LoopStores]:
    loop = make_loop(arguments=arguments)
    logs = MemoryStores().open(loop)
    for number in range(3):
        play(loop, logs, EXACT, first=10 * number, count=10)
        learn(loop, logs, EXACT, ahead_s=400 * number)
    return loop, logs


@pytest.fixture(scope="module")
def second_order() -> tuple[Loop, LoopStores]:
    return play_loop("--sartor")


def replay(played: tuple[Loop, LoopStores], by: float) -> DecisionReplay:
    loop, logs = played
    (logged,) = decision_replay.find_decisions(logs, "event-25")
    return decision_replay.replay_decision(loop, logs, logged, moved_factory(by))


def test_a_decision_with_other_last_bits_is_the_same_and_it_is_said(
    second_order: tuple[Loop, LoopStores],
) -> None:
    found = replay(second_order, 1e-9)
    assert (found.same, found.exact) == (True, False)
    assert "the same, within 1e-06, with model" in _describe_replay(found)
    assert "the same, bit for bit, with model" in _describe_replay(replay(second_order, 0.0))


def test_a_decision_with_more_than_other_last_bits_is_not_the_same(
    second_order: tuple[Loop, LoopStores],
) -> None:
    found = replay(second_order, 1e-4)
    assert not found.same
    assert not found.drawn_by_rounding
    assert "NOT the same" in _describe_replay(found)


def test_vowpal_wabbit_has_no_tolerance() -> None:
    found = replay(play_loop(VW_ARGUMENTS), 1e-9)
    assert (found.same, found.drawn_by_rounding) == (False, False)


@pytest.mark.parametrize(
    ("by", "problems", "notes"), [(0.0, 0, 0), (1e-9, 0, 1), (1e-4, 1, 0)], ids=["exact", "close", "far"]
)
def test_the_live_model_is_compared_within_the_tolerance(
    second_order: tuple[Loop, LoopStores], by: float, problems: int, notes: int
) -> None:
    loop, logs = second_order
    live = logs.models.live()
    assert live is not None
    factory = moved_factory(by, only_learned=True)
    found = model_replay.compare_with_replay(live, logs, factory, decisions=20)
    assert (len(found.problems), len(found.notes)) == (problems, notes)
    assert all("within 1e-06, not bit for bit" in note for note in found.notes)
    report = check_loop(loop, logs, factory, replay=True)
    assert report.healthy is not bool(problems)
    assert set(found.notes) <= {note.replace("30 of 30", "20 of 20") for note in report.notes}


class Fixed:
    """An engine with these probabilities for whatever it is asked."""

    def __init__(self, probabilities: Sequence[float]) -> None:
        self._probabilities = list(probabilities)

    def probabilities(self, _: bytes, __: int, /) -> list[float]:
        return self._probabilities


class FixedSlots:
    """An engine that gives the first action that is offered to a slot this probability."""

    def __init__(self, first: float) -> None:
        self._first = first

    def slot_probabilities(self, _: bytes, __: int, /, *, slots: int, offered: Sequence[int]) -> list[float]:
        if slots == 1:
            return [1.0] + [0.0] * (len(offered) - 1)
        rest = (1.0 - self._first) / max(1, len(offered) - 1)
        return [self._first, *[rest] * (len(offered) - 1)] if len(offered) > 1 else [1.0]


POINT = draw_point("l", REQUEST.event_id)


def recompute(decision: Decision, first: float) -> tuple[Decision, Engine]:
    engine: Engine = Fixed([first, 1.0 - first])  # type: ignore[assignment]
    return recompute_decision(decision, engine, loop_id="l"), engine


def decide_with(first: float) -> Decision:
    return recompute(decide_request(REQUEST), first)[0]


@pytest.mark.parametrize(("then", "now"), [(-1e-9, 1e-9), (1e-9, -1e-9)])
def test_another_action_may_be_drawn_by_the_last_bits_where_the_draw_falls_on_a_border(
    then: float, now: float
) -> None:
    decision = decide_with(POINT + then)
    again, engine = recompute(decision, POINT + now)
    assert decision.chosen != again.chosen
    assert is_drawn_by_rounding(decision, again, engine, loop_id="l", tolerance=1e-6)
    for far in (1e-12, 0.0):
        assert not is_drawn_by_rounding(decision, again, engine, loop_id="l", tolerance=far)


def test_another_action_in_a_later_slot_may_be_drawn_by_the_last_bits() -> None:
    asked = slots_request(3, (0, ()), (1, ()), (2, ()))
    border = draw_point("loop", slot_seed(asked.event_id, 1))
    made = []
    for by in (-1e-9, 1e-9):
        engine: Engine = FixedSlots(border + by)  # type: ignore[assignment]
        made.append((recompute_decision(decide_slots_request(asked), engine, loop_id="loop"), engine))
    (then, _), (now, engine) = made
    assert then.slots[0] == now.slots[0]
    assert then.slots[1].chosen != now.slots[1].chosen
    assert then.slots[2].probabilities != now.slots[2].probabilities
    assert is_drawn_by_rounding(then, now, engine, loop_id="loop", tolerance=1e-6)
    assert not is_drawn_by_rounding(then, now, engine, loop_id="loop", tolerance=1e-12)


def test_a_forged_choice_is_not_put_down_to_the_last_bits() -> None:
    decision = decide_with(POINT + 1e-3)
    forged = replace(decision, chosen=2, ranking=(2, 1, 0))
    for moved in (0.0, 1e-9):
        again, engine = recompute(decision, POINT + 1e-3 + moved)
        assert not is_drawn_by_rounding(forged, again, engine, loop_id="l", tolerance=1e-6)


def test_where_anything_else_differs_the_last_bits_are_no_reason() -> None:
    decision = decide_with(POINT + 1e-9)
    again, engine = recompute(decision, POINT - 1e-9)
    other = replace(again, settings_version=99)
    assert not is_drawn_by_rounding(decision, other, engine, loop_id="l", tolerance=1e-6)
