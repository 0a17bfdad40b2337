"""Writes a played world into the stores of a loop, without a service: decisions, rewards and outcomes."""

from collections.abc import Iterator
from typing import Any

from sartor.dsjson import single_slot
from sartor.lab.simulate import decide_situation
from sartor.lab.world import World
from sartor.ports import Engine, LoopStores
from sartor.records import (
    Cursor,
    Decision,
    JoinedObservation,
    LoggedDecision,
    Observation,
    Outcome,
    Settlement,
)

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
        logs: the stores to write to.
        world: the simulated users and their rewards.
        engine: decides and learns; None gives every option the same probability.
        loop_id: seeds the draws.
        turns: how many turns.
        first: the first turn of the world.
    """
    after = logs.events.horizon()
    decisions, observations = after.decisions, after.observations
    batch: list[tuple[Decision, float]] = []
    for turn in range(first, first + turns):
        batch.append(_play_turn(world, engine, turn, loop_id))
        if len(batch) == _BATCH or turn == first + turns - 1:
            decisions, observations = _write_batch(logs, batch, decisions, observations)
            batch.clear()


def _play_turn(world: World[Any], engine: Engine | None, turn: int, loop_id: str) -> tuple[Decision, float]:
    situation = world.situation(turn)
    decision = decide_situation(situation, engine, event_id=f"{turn}-{world.seed}", loop_id=loop_id)
    reward = world.reward(situation, decision.chosen)
    if engine is not None:
        logged = LoggedDecision(turn + 1, turn, decision)
        engine.learn(single_slot.encode_outcome_line(logged, _to_outcome(turn + 1, decision, reward, 1, turn)))
    return decision, reward


def _write_batch(
    logs: LoopStores, batch: list[tuple[Decision, float]], decisions: int, observations: int
) -> tuple[int, int]:
    """Append a batch after the given numbers of decisions and observations; returns the new numbers."""
    logs.events.append([event for pair in batch for event in _to_events(*pair)])
    now_us = logs.events.horizon().now_us
    outcomes = tuple(
        _to_outcome(decisions + 1 + index, decision, reward, observations + 1 + index, now_us)
        for index, (decision, reward) in enumerate(batch)
    )
    decisions, observations = decisions + len(batch), observations + len(batch)
    cursor = Cursor(decisions, observations)
    logs.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=cursor))
    return decisions, observations


def _to_events(decision: Decision, reward: float) -> Iterator[Decision | Observation]:
    yield decision
    yield Observation(event_id=decision.event_id, reward=reward)


def _to_outcome(number: int, decision: Decision, reward: float, observation: int, now_us: int) -> Outcome:
    return Outcome(
        decision_seq=number,
        event_id=decision.event_id,
        reward=reward,
        learnable=True,
        joined=(JoinedObservation(observation, now_us, reward),),
        settled_at_us=now_us,
        settings_version=1,
    )
