"""Playing a world against an engine in this process: the same decisions and the same log lines, no service."""

from collections import deque
from typing import Any

import msgspec

from sartor.dsjson import context_json, single_slot
from sartor.explore.decide import decide
from sartor.inference import uniform_probabilities
from sartor.lab.report import PlayReport, Turn, build_play_report
from sartor.lab.world import Situation, World
from sartor.ports import Engine
from sartor.records import NO_MODEL, Action, Decision, LoggedDecision, Outcome, RankInput

_encode = msgspec.json.Encoder().encode


def simulate(world: World[Any], engine: Engine | None, /, *, iterations: int, draws: int = 0) -> PlayReport:
    """Play a world; every reward is learned as soon as it is known, and serves in the next turn.

    Args:
        world: who comes, and what it pays.
        engine: decides and learns; None: every option is as likely as the others, as before the first model.
        iterations: how many turns, at least one.
        draws: other numbers give other draws of the actions.
    """
    due: deque[bytes] = deque()
    played = []
    for turn in range(iterations):
        situation = world.situation(turn)
        decision = _decide(engine, situation, f"{turn}-{world.seed}-{draws}")
        reward = world.reward(situation, decision.chosen)
        played.append(
            Turn(
                ids=tuple(option.id for option in situation.options),
                expectations=tuple(world.expectations(situation)),
                chosen=decision.chosen,
                reward=reward,
            )
        )
        due.append(_line(decision, turn, reward))
        if engine and len(due) > world.delay_turns:
            engine.learn(due.popleft())
    return build_play_report(played, world=world.name, reward_is=world.reward_is, seed=world.seed)


def _decide(engine: Engine | None, situation: Situation[Any], event_id: str) -> Decision:
    actions = tuple(Action(option.id, _encode(option.features)) for option in situation.options)
    request = RankInput(event_id=event_id, context=_encode(situation.context), actions=actions)
    if engine is None:
        probabilities = uniform_probabilities(len(actions))
    else:
        probabilities = engine.probabilities(
            context_json.encode_context(request.context, actions), len(actions)
        )
    return decide(request, probabilities=probabilities, loop_id="lab", model_id=NO_MODEL, settings_version=1)


def _line(decision: Decision, turn: int, reward: float) -> bytes:
    outcome = Outcome(
        decision_seq=turn + 1,
        event_id=decision.event_id,
        reward=reward,
        learnable=True,
        joined=(),
        settled_at_us=turn,
        settings_version=1,
    )
    return single_slot.outcome_line(LoggedDecision(turn + 1, turn, decision), outcome)
