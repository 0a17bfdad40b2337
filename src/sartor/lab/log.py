"""A world played into the stores of a loop, without a service: decisions, rewards and outcomes."""

from collections.abc import Iterator
from typing import Any

import msgspec

from sartor.dsjson import context_json, single_slot
from sartor.explore.decide import decide
from sartor.inference import uniform_probabilities
from sartor.lab.world import World
from sartor.ports import Engine, LoopStores
from sartor.records import (
    NO_MODEL,
    Action,
    Cursor,
    Decision,
    JoinedObservation,
    LoggedDecision,
    Observation,
    Outcome,
    RankInput,
    Settlement,
)

_encode = msgspec.json.Encoder().encode
_BATCH = 500


def fill_log(
    logs: LoopStores,
    world: World[Any],
    engine: Engine | None,
    /,
    *,
    loop_id: str,
    turns: int,
    first: int = 0,
) -> None:
    """Play a world into an empty log: every reward is settled at once, and learned by the engine.

    Args:
        logs: where it is written.
        world: who comes, and what it pays.
        engine: decides and learns; None: every option is as likely as the others.
        loop_id: seeds the draws.
        turns: how many turns.
        first: the first turn of the world.
    """
    after = logs.events.horizon()
    number, seen = after.decisions, after.observations
    waiting: list[tuple[Decision, float]] = []
    for turn in range(first, first + turns):
        waiting.append(_played(world, engine, turn, loop_id))
        if len(waiting) == _BATCH or turn == first + turns - 1:
            number, seen = _written(logs, waiting, number, seen)
            waiting.clear()


def _played(world: World[Any], engine: Engine | None, turn: int, loop_id: str) -> tuple[Decision, float]:
    situation = world.situation(turn)
    actions = tuple(Action(option.id, _encode(option.features)) for option in situation.options)
    request = RankInput(event_id=f"{turn}-{world.seed}", context=_encode(situation.context), actions=actions)
    probabilities = (
        uniform_probabilities(len(actions))
        if engine is None
        else engine.probabilities(context_json.encode_context(request.context, actions), len(actions))
    )
    decision = decide(
        request, probabilities=probabilities, loop_id=loop_id, model_id=NO_MODEL, settings_version=1
    )
    reward = world.reward(situation, decision.chosen)
    if engine is not None:
        logged = LoggedDecision(turn + 1, turn, decision)
        engine.learn(single_slot.outcome_line(logged, _outcome(turn + 1, decision, reward, 1, turn)))
    return decision, reward


def _written(logs: LoopStores, played: list[tuple[Decision, float]], number: int, seen: int) -> tuple[int, int]:
    events = [event for pair in played for event in _events(*pair)]
    logs.events.append(events)
    now_us = logs.events.horizon().now_us
    outcomes = tuple(
        _outcome(number + 1 + place, decision, reward, seen + 1 + place, now_us)
        for place, (decision, reward) in enumerate(played)
    )
    number, seen = number + len(played), seen + len(played)
    logs.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor(number, seen)))
    return number, seen


def _events(decision: Decision, reward: float) -> Iterator[Decision | Observation]:
    yield decision
    yield Observation(event_id=decision.event_id, reward=reward)


def _outcome(number: int, decision: Decision, reward: float, observation: int, now_us: int) -> Outcome:
    return Outcome(
        decision_seq=number,
        event_id=decision.event_id,
        reward=reward,
        learnable=True,
        joined=(JoinedObservation(observation, now_us, reward),),
        settled_at_us=now_us,
        settings_version=1,
    )
