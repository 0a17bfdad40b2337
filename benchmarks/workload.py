"""Builds the workload: ranks of 10 actions with 3 features each, in a context of 5 features."""

import json
import random
from pathlib import Path

from sartor.records import Action, Decision

MARK = "@ID@"
"""Where the event id goes in a path or a body."""

_TOPICS = ("sports", "finance", "travel", "science", "food")


def draw_context(source: random.Random, /) -> dict[str, object]:
    """Draw a context of five features."""
    return {
        "device": source.choice(("mobile", "desktop", "tablet")),
        "hour": source.randrange(24),
        "page": source.choice(("home", "article", "section")),
        "returning": source.choice((True, False)),
        "visits": round(source.random() * 20, 2),
    }


def list_actions(count: int, /) -> list[tuple[str, dict[str, object]]]:
    """Returns ids and features, three for each action."""
    return [
        (f"article-{i}", {"topic": _TOPICS[i % 5], "length": ("short", "long")[i % 2], "age_h": 1.5 * i})
        for i in range(count)
    ]


def build_rank_bodies(*, action_count: int = 10, variants: int = 64, seed: int = 7) -> list[str]:
    """Build rank bodies with ``MARK`` as the event id, each with another context."""
    source = random.Random(seed)
    ranked = [{"id": name, "features": [features]} for name, features in list_actions(action_count)]
    return [
        json.dumps({"eventId": MARK, "contextFeatures": [draw_context(source)], "actions": ranked})
        for _ in range(variants)
    ]


def build_reward_bodies() -> list[str]:
    """Build reward bodies; one in four is 1."""
    return [json.dumps({"value": value}) for value in (1.0, 0.0, 0.0, 0.0)]


def write_lines(bodies: list[str], path: Path, /) -> Path:
    """Write the bodies to a file, one per line; returns its path."""
    path.write_text("".join(f"{body}\n" for body in bodies))
    return path


def build_decisions(count: int, /, *, first: int = 0, seed: int = 7) -> list[Decision]:
    """Build uniform decisions of 10 actions, as they are logged."""
    source = random.Random(seed + first)
    known = tuple(Action(name, json.dumps([features]).encode()) for name, features in list_actions(10))
    return [_build_decision(f"stored-{first + i:010d}", known, source) for i in range(count)]


def _build_decision(event_id: str, known: tuple[Action, ...], source: random.Random) -> Decision:
    count = len(known)
    chosen = source.randrange(count)
    order = [chosen, *(i for i in range(count) if i != chosen)]
    return Decision(
        event_id=event_id,
        context=json.dumps([draw_context(source)]).encode(),
        actions=known,
        excluded=(),
        probabilities=(1.0 / count,) * count,
        ranking=tuple(order),
        chosen=chosen,
        model_id="N/A",
        settings_version=1,
    )
