"""Retention and erasure in memory, in the plainest way: all at once."""

from collections.abc import Sequence

from msgspec.structs import replace

from sartor.testing.events import MemoryEvents
from sartor.testing.outcomes import MemoryOutcomes


def apply_retention(events: MemoryEvents, outcomes: MemoryOutcomes, /, *, before_us: int) -> int:
    """Remove what was settled before a time; returns how many rows."""
    gone = outcomes.forget(before_us=before_us)
    cursor = outcomes.counts().cursor
    kept = outcomes.first_decision()
    observed = events.observations(after=0, limit=cursor.observations)
    old = [one.seq for one in observed if one.at_us < before_us and one.seq <= cursor.observations]
    gone += events.forget(
        decisions=0 if kept is None else min(cursor.decisions, kept - 1),
        observations=max(old, default=0),
    )
    return gone + outcomes.forget_strays(until=events.horizon().first_observation - 1)


def erase(events: MemoryEvents, outcomes: MemoryOutcomes, /, decisions: Sequence[int]) -> Sequence[int]:
    """Blank decisions and what belongs to them; returns those that are still open."""
    cursor = outcomes.counts().cursor
    heads = events.heads(after=0, limit=events.horizon().decisions)
    found = {head.seq: head.event_id for head in heads if head.seq in decisions and head.event_id}
    observed = events.observations(after=cursor.observations, limit=events.horizon().observations)
    waiting = {one.observation.event_id for one in observed}
    of_decision = {number: outcomes.of_decision(number) for number in found}
    open_ = [
        number
        for number, event_id in found.items()
        if event_id in waiting or (of_decision[number] is None and number > cursor.decisions)
    ]
    settled = found.keys() - set(open_)
    amended = [one for number, one in of_decision.items() if one is not None and number in settled]
    if amended:
        outcomes.amend([replace(one, event_id="", learnable=False) for one in amended])
    events.blank(set(settled), {found[number] for number in settled})
    return open_
