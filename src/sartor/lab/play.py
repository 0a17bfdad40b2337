"""Plays a world against a running service over HTTP, as an application would."""

import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from sartor.lab.registry import open_world
from sartor.lab.report import PlayReport, Turn, build_play_report
from sartor.lab.service_client import ServiceClient
from sartor.lab.world import World

Progress = Callable[[Turn], None]
"""Called after each turn."""


def play_world(
    world_name: str,
    /,
    *,
    endpoint: str,
    key: str,
    iterations: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    turns_per_s: float | None = None,
) -> PlayReport:
    """Play a world, one rank and one reward per turn, and report what was earned.

    Args:
        world_name: a name in ``sartor.lab.registry.WORLDS``.
        endpoint: where the service listens, without ``/personalizer``.
        key: one of the two keys of a loop.
        iterations: how many turns; the default of the world when None.
        seed: of the simulated users; it does not affect the draws of the service.
        progress: called after each turn.
        turns_per_s: the maximum rate; None for as fast as the service answers.

    Raises:
        CallerError: there is no such world, or the service rejected a request.
        Unauthorized: the service does not know the key.
        Unavailable: no service answers at the endpoint.
    """
    world = open_world(world_name, seed=seed)
    turns = world.turns if iterations is None else iterations
    with ServiceClient(endpoint, key) as client:
        played = _play_turns(world, client, turns=turns, progress=progress, turns_per_s=turns_per_s)
    return build_play_report(played, world=world.name, reward_is=world.reward_is, seed=seed)


def _play_turns(
    world: World[Any],
    client: ServiceClient,
    *,
    turns: int,
    progress: Progress | None,
    turns_per_s: float | None,
) -> list[Turn]:
    run_id = f"{world.name}-{secrets.token_hex(4)}"  # event ids must be new in each run
    due: deque[tuple[str, float]] = deque()
    played = []
    started = time.monotonic()
    for turn in range(turns):
        event_id = f"{run_id}-{turn}"
        played.append(_play_turn(world, client, turn, event_id))
        due.append((event_id, played[-1].reward))
        if len(due) > world.delay_turns:
            client.reward(*due.popleft())
        if progress:
            progress(played[-1])
        if turns_per_s:
            time.sleep(max(0.0, started + (turn + 1) / turns_per_s - time.monotonic()))
    for event_id, value in due:
        client.reward(event_id, value)
    return played


def _play_turn(world: World[Any], client: ServiceClient, turn: int, event_id: str) -> Turn:
    situation = world.situation(turn)
    chosen = client.rank(situation, event_id=event_id)
    return Turn(
        ids=tuple(option.id for option in situation.options),
        expected_rewards=tuple(world.expected_rewards(situation)),
        chosen=chosen,
        reward=world.reward(situation, chosen),
    )
