"""Plays a world against an engine in this process: the decisions and log lines of a service, without one."""

from collections import deque
from typing import Any

import msgspec

from sartor.dsjson import single_slot
from sartor.explore.decide import decide
from sartor.inference import request_probabilities
from sartor.lab.report import PlayReport, Turn, build_play_report
from sartor.lab.world import Situation, World
from sartor.mixture import NO_MIXTURE, MixtureRules
from sartor.ports import Engine
from sartor.records import NO_MODEL, Action, Decision, LoggedDecision, Outcome, RankInput

_encode = msgspec.json.Encoder().encode


def simulate(world: World[Any], engine: Engine | None, /, *, iterations: int, draws: int = 0) -> PlayReport:
    """Play a world; every reward is learned as soon as it is known, before the next turn.

    Args:
        world: the simulated users and their rewards.
        engine: decides and learns; None gives every option the same probability, as before the first model.
        iterations: how many turns, at least one.
        draws: another number gives other draws of the actions.
    """
    due: deque[bytes] = deque()
    played = []
    for turn in range(iterations):
        situation = world.situation(turn)
        event_id = f"{turn}-{world.seed}-{draws}"
        decision = decide_situation(situation, engine, event_id=event_id, loop_id="lab")
        reward = world.reward(situation, decision.chosen)
        played.append(
            Turn(
                ids=tuple(option.id for option in situation.options),
                expected_rewards=tuple(world.expected_rewards(situation)),
                chosen=decision.chosen,
                reward=reward,
            )
        )
        due.append(encode_rewarded(decision, turn, reward))
        if engine and len(due) > world.delay_turns:
            engine.learn(due.popleft())
    return build_play_report(played, world=world.name, reward_is=world.reward_is, seed=world.seed)


def decide_situation(
    situation: Situation[Any],
    engine: Engine | None,
    /,
    *,
    event_id: str,
    loop_id: str,
    rules: MixtureRules = NO_MIXTURE,
) -> Decision:
    """Decide a situation as a service would.

    Args:
        situation: its options become the actions.
        engine: gives the probabilities; None for the same probability of every option.
        event_id: the id of the decision; with ``loop_id`` it determines the draw.
        loop_id: seeds the draw.
        rules: what is mixed into the probabilities; nothing by default.
    """
    actions = tuple(Action(option.id, _encode(option.features)) for option in situation.options)
    request = RankInput(event_id=event_id, context=_encode(situation.context), actions=actions)
    probabilities = request_probabilities(engine, request)
    return decide(
        request,
        probabilities=probabilities,
        loop_id=loop_id,
        model_id=NO_MODEL,
        settings_version=1,
        rules=rules,
    )


def encode_rewarded(decision: Decision, turn: int, reward: float, /) -> bytes:
    """Encode the line of a decision that got its reward at once: what an engine learns."""
    outcome = Outcome(
        decision_seq=turn + 1,
        event_id=decision.event_id,
        reward=reward,
        learnable=True,
        joined=(),
        settled_at_us=turn,
        settings_version=1,
    )
    return single_slot.encode_outcome_line(LoggedDecision(turn + 1, turn, decision), outcome)
