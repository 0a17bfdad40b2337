"""Requests and outcomes for engines: seeded ones, and strategies of whatever the wire lets through."""

import random
from collections.abc import Iterator, Sequence

import msgspec
from hypothesis import strategies as st

from sartor.dsjson import context_json, single_slot
from sartor.ports import Engine
from sartor.records import Action, Decision, LoggedDecision, Outcome

REWARDS = (1.0, 0.0, 0.3, -0.5)


def make_decision(seed: int) -> Decision:
    """A decision among two to six actions, with features of every kind, from a seed."""
    rng = random.Random(seed)
    count = rng.randint(2, 6)
    user = {"device": rng.choice("abcd"), "age": rng.randrange(80)}
    weights = [rng.random() + 0.05 for _ in range(count)]
    chosen = rng.randrange(count)
    order = [chosen, *(index for index in range(count) if index != chosen)]
    return Decision(
        event_id=f"event-{seed}",
        context=msgspec.json.encode([{"user": user}, {"hour": rng.randrange(24)}]),
        actions=tuple(_make_action(rng, place) for place in range(count)),
        excluded=(),
        probabilities=tuple(weight / sum(weights) for weight in weights),
        ranking=tuple(order),
        chosen=chosen,
        model_id="N/A",
        settings_version=1,
    )


def _make_action(rng: random.Random, place: int) -> Action:
    topic = {"name": rng.choice("pqr"), "vector": [1, rng.random()]}
    features = [{"kind": rng.choice("xyz"), "width": round(rng.random(), 3)}, {"topic": topic}]
    return Action(f"action-{rng.randrange(4) * 6 + place}", msgspec.json.encode(features))


def make_line(seed: int, *, reward: float | None = None) -> bytes:
    """What an engine learns of the decision of a seed."""
    decision = make_decision(seed)
    outcome = Outcome(
        decision_seq=seed,
        event_id=decision.event_id,
        reward=random.Random(seed).choice(REWARDS) if reward is None else reward,
        learnable=True,
        joined=(),
        settled_at_us=1,
        settings_version=1,
    )
    return single_slot.encode_outcome_line(LoggedDecision(seed, 1, decision), outcome)


def answer(engine: Engine, seed: int) -> list[float]:
    """The probabilities for the request of a seed."""
    decision = make_decision(seed)
    context = context_json.encode_context(decision.context, decision.actions)
    return engine.probabilities(context, len(decision.actions))


def answers(engine: Engine, seeds: Sequence[int]) -> list[list[float]]:
    """The probabilities for several requests."""
    return [answer(engine, seed) for seed in seeds]


def lines(first: int, last: int) -> Iterator[bytes]:
    """Lines to learn, ``last`` not included."""
    return (make_line(seed) for seed in range(first, last))


_number = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(-1e15, 1e15), st.sampled_from([1e15, -1e15, 5e-324])
)
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.sampled_from(
    ["_multi", "_label", "_slots", "_text", "_tag", "_inc", "_label_cost", "a", "c", "p", "FromUrl", "EventId"]
)
_scalar = _number | _text | st.booleans() | st.none() | st.lists(_number, max_size=4)
_object = st.dictionaries(
    _name, st.recursive(_scalar, lambda v: st.dictionaries(_name, v, max_size=3)), max_size=4
)

features = st.lists(_object, max_size=3).map(msgspec.json.encode)
"""Features of a context or an action, as they are after the wire has checked them."""

requests = st.tuples(features, st.lists(st.builds(Action, _name, features), min_size=1, max_size=5))
"""A context's features and the actions."""
