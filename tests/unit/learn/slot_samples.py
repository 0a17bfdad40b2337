"""Decisions about several slots for engines, from seeds, and what an engine says to them."""

import random
from collections.abc import Iterator, Sequence

import msgspec

from sartor.dsjson import single_slot
from sartor.inference import decision_probabilities
from sartor.ports import Engine
from sartor.records import Decision, LoggedDecision, Outcome, Slot
from tests.unit.learn.samples import REWARDS, make_decision


def make_slots_decision(seed: int) -> Decision:
    """The decision of a seed with one to four slots, some with exclusions."""
    rng = random.Random(seed)
    single = make_decision(seed)
    count = len(single.actions)
    chosen = rng.sample(range(count), rng.randint(1, min(4, count)))
    slots = tuple(_make_slot(rng, count, chosen, number) for number in range(len(chosen)))
    return msgspec.structs.replace(single, slots=slots, chosen=chosen[0])


def _make_slot(rng: random.Random, count: int, chosen: Sequence[int], number: int) -> Slot:
    index = chosen[number]
    others = [i for i in range(count) if i != index]
    weights = [rng.random() + 0.05 for _ in range(count)]
    order = [index, *others]
    return Slot(
        id=f"slot-{number}",
        features=msgspec.json.encode([{"place": {"size": rng.choice("sml"), "row": rng.randrange(5)}}]),
        excluded=tuple(sorted(rng.sample(others, rng.randint(0, len(others) // 3)))),
        baseline=index,
        probabilities=tuple(weight / sum(weights) for weight in weights),
        ranking=tuple(order),
        chosen=index,
    )


def make_slots_line(seed: int, *, decision: Decision | None = None, reward: float | None = None) -> bytes:
    """What an engine learns of the decision of a seed, or of another one."""
    decision = decision or make_slots_decision(seed)
    rng = random.Random(seed)
    rewards = tuple(rng.choice(REWARDS) if reward is None else reward for _ in decision.slots)
    outcome = Outcome(
        decision_seq=seed,
        event_id=decision.event_id,
        reward=rewards[0],
        learnable=True,
        joined=(),
        settled_at_us=1,
        settings_version=1,
        slot_rewards=rewards,
    )
    return single_slot.encode_outcome_line(LoggedDecision(seed, 1, decision), outcome)


def slot_lines(first: int, last: int) -> Iterator[bytes]:
    """Lines to learn, ``last`` not included."""
    return (make_slots_line(seed) for seed in range(first, last))


def slot_answers(engine: Engine, seeds: Sequence[int]) -> list[list[list[float]]]:
    """The probabilities of every slot of several decisions."""
    return [decision_probabilities(engine, make_slots_decision(seed)) for seed in seeds]
