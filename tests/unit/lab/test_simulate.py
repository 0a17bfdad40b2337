import json

import pytest

from sartor.lab.registry import open_world
from sartor.lab.simulate import simulate
from sartor.testing.fakes import SingleSlot


class Stubborn(SingleSlot):
    """An engine that always wants the last action, and remembers what it was told and when."""

    def __init__(self) -> None:
        self.asked = 0
        self.learned: list[tuple[int, dict[str, object]]] = []

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        assert len(json.loads(context)["_multi"]) == actions
        self.asked += 1
        return [0.0] * (actions - 1) + [1.0]

    def learn(self, line: bytes, /) -> None:
        self.learned.append((self.asked, json.loads(line)))

    def dump(self) -> bytes:
        return b""

    def close(self) -> None:
        return


def test_the_engine_decides_and_its_choice_is_paid() -> None:
    engine = Stubborn()
    world = open_world("tutorial", seed=2)
    report = simulate(world, engine, iterations=50)
    situations = [world.situation(turn) for turn in range(50)]
    assert report.mean_expected == pytest.approx(sum(world.expected_reward(s, 2) for s in situations) / 50)
    assert [line["_label_cost"] for _, line in engine.learned] == [-world.reward(s, 2) for s in situations]


def test_each_reward_is_learned_before_the_next_turn() -> None:
    engine = Stubborn()
    simulate(open_world("tutorial"), engine, iterations=5)
    assert [asked for asked, _ in engine.learned] == [1, 2, 3, 4, 5]
    assert {line["_label_probability"] for _, line in engine.learned} == {1.0}


def test_delayed_rewards_are_learned_when_they_are_known() -> None:
    engine = Stubborn()
    simulate(open_world("feature-nudge"), engine, iterations=202)
    assert [asked for asked, _ in engine.learned] == [201, 202]


def test_without_an_engine_every_option_is_as_likely() -> None:
    report = simulate(open_world("onboarding-step"), None, iterations=3_000)
    assert report.mean_expected == pytest.approx(report.reference.random, rel=0.05)
    assert report == simulate(open_world("onboarding-step"), None, iterations=3_000)
    assert report != simulate(open_world("onboarding-step"), None, iterations=3_000, draws=1)
