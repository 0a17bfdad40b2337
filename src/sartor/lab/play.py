"""Playing a world against a running service, through the wire, as an application would."""

import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from sartor.lab.connection import ServiceClient
from sartor.lab.registry import open_world
from sartor.lab.report import PlayReport, Turn, build_play_report
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
    """Play a world: rank, reward, and again; then say how it went.

    Args:
        world_name: a name in ``sartor.lab.registry.WORLDS``.
        endpoint: where the service listens, without ``/personalizer``.
        key: one of the two keys of a loop.
        iterations: how many turns; as many as the world suggests when None.
        seed: which users come. The service's draws are its own.
        progress: called after each turn.
        turns_per_s: not faster than this; as fast as the service answers when None.

    Raises:
        CallerError: there is no such world, no turn, or the service refused a request.
        Unauthorized: the service does not know the key.
        Unavailable: no service answers at the endpoint.
    """
    world = open_world(world_name, seed=seed)
    turns = world.turns if iterations is None else iterations
    with ServiceClient(endpoint, key) as connection:
        played = _play(world, connection, turns=turns, progress=progress, turns_per_s=turns_per_s)
    return build_play_report(played, world=world.name, reward_is=world.reward_is, seed=seed)


def _play(
    world: World[Any],
    connection: ServiceClient,
    *,
    turns: int,
    progress: Progress | None,
    turns_per_s: float | None,
) -> list[Turn]:
    game = f"{world.name}-{secrets.token_hex(4)}"  # new event ids each time: an id joins one decision
    due: deque[tuple[str, float]] = deque()
    played = []
    started = time.monotonic()
    for turn in range(turns):
        event_id = f"{game}-{turn}"
        played.append(_turn(world, connection, turn, event_id))
        due.append((event_id, played[-1].reward))
        if len(due) > world.delay_turns:
            connection.reward(*due.popleft())
        if progress:
            progress(played[-1])
        if turns_per_s:
            time.sleep(max(0.0, started + (turn + 1) / turns_per_s - time.monotonic()))
    for event_id, value in due:
        connection.reward(event_id, value)
    return played


def _turn(world: World[Any], connection: ServiceClient, turn: int, event_id: str) -> Turn:
    situation = world.situation(turn)
    chosen = connection.rank(situation, event_id=event_id)
    return Turn(
        ids=tuple(option.id for option in situation.options),
        expectations=tuple(world.expectations(situation)),
        chosen=chosen,
        reward=world.reward(situation, chosen),
    )
