"""The tally's weights are those of the contract, and its fixed actions those of the same log scored by hand."""

import random

import numpy as np
import pytest

from sartor.estimators.columns import Columns
from sartor.estimators.ips import Ips
from sartor.estimators.logged_choices import LoggedChoice
from sartor.estimators.reference_policies import ReferencePolicies, TrackedActions

NAMES = ("a", "b", "c", "d")


def played(count: int, *, seed: int = 1, dropped: bool = False) -> list[LoggedChoice]:
    """Choices among two to four of the actions, some of which stand for several rows."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        ids = tuple(rng.sample(NAMES, rng.randint(2, 4)))
        shares = [rng.uniform(0.2, 1.0) for _ in ids]
        probabilities = tuple(share / sum(shares) for share in shares)
        chosen = rng.choices(range(len(ids)), probabilities)[0]
        left_out = rng.choice([0.0, 0.5]) if dropped else 0.0
        found.append(
            LoggedChoice(
                reward=rng.uniform(-0.5, 1.0),
                ids=ids,
                probabilities=probabilities,
                chosen=chosen,
                dropped=left_out,
            )
        )
    return found


def tally(found: list[LoggedChoice]) -> ReferencePolicies:
    made = ReferencePolicies()
    for choice in found:
        made.add(choice, tracked=set(NAMES))
    return made


def scored(found: list[LoggedChoice], targets: list[float]) -> Ips:
    """The same by the estimators' own way: columns."""
    ips = Ips()
    ips.add(
        Columns(
            reward=np.array([choice.reward for choice in found]),
            propensity=np.array([choice.propensity for choice in found]),
            target=np.array(targets),
            drop_probability=np.array([choice.dropped for choice in found]),
        )
    )
    return ips


def same(found: Ips, expected: Ips) -> None:
    for name in Ips.__struct_fields__:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-9), name


@pytest.mark.parametrize("dropped", [False, True])
def test_weights_are_those_of_the_estimators(dropped: bool) -> None:
    found = played(200, dropped=dropped)
    made = tally(found)
    same(made.online, scored(found, [choice.propensity for choice in found]))
    same(made.baseline, scored(found, [float(choice.chosen == 0) for choice in found]))
    same(made.random, scored(found, [1 / len(choice.ids) for choice in found]))
    assert (made.lowest, made.highest) == (min(d.reward for d in found), max(d.reward for d in found))
    assert made.smallest_propensity == min(choice.propensity for choice in found)


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_fixed_action_is_shown_where_it_is_on_offer_and_elsewhere_what_was_shown(
    name: str, dropped: bool
) -> None:
    found = played(300, seed=2, dropped=dropped)
    made = tally(found)
    targets = [
        float(choice.ids[choice.chosen] == name) if name in choice.ids else choice.propensity
        for choice in found
    ]
    same(made.fixed_actions[name].to_ips(made.online), scored(found, targets))


def test_an_action_on_offer_always_has_nowhere_else() -> None:
    found = [
        LoggedChoice(reward=1.0, ids=("a", "b"), probabilities=(0.5, 0.5), chosen=place) for place in (0, 1, 1)
    ]
    made = tally(found)
    sums = made.fixed_actions["b"].to_ips(made.online)
    assert (sums.matched, sums.largest_weight, sums.smallest_weight) == (2, 2.0, 0.0)


def test_parts_make_the_whole() -> None:
    found = played(100, seed=3)
    whole, parts = tally(found), tally(found[:40]) + tally(found[40:])
    same(parts.online, whole.online)
    same(parts.fixed_actions["a"].to_ips(parts.online), whole.fixed_actions["a"].to_ips(whole.online))
    assert parts.lowest == whole.lowest


def test_only_what_is_followed_is_counted_and_it_can_be_forgotten() -> None:
    made = ReferencePolicies()
    choice = LoggedChoice(reward=1.0, ids=("a", "b"), probabilities=(0.5, 0.5), chosen=0)
    made.add(choice, tracked={"b"})
    assert set(made.fixed_actions) == {"b"}
    made.stop_tracking("b")
    made.stop_tracking("b")
    assert made.fixed_actions == {}


def test_the_one_that_was_on_offer_longest_ago_gives_way() -> None:
    followed = TrackedActions(capacity=2)
    assert followed.track(("a", "b")) == []
    assert followed.track(("a",)) == []
    assert followed.track(("c",)) == ["b"]
    assert list(followed.ordinals.items()) == [("a", 1), ("c", 3)]
    assert followed.track(("b",)) == ["a"]
    assert followed.ordinals["b"] == 4, "it is a new one now, with a doubt of its own"


def test_the_doubts_of_all_that_ever_come_sum_to_the_whole() -> None:
    followed = TrackedActions(capacity=5_000)
    followed.track(tuple(map(str, range(5_000))))
    shares = [followed.alpha(str(number), alpha=0.05) for number in range(5_000)]
    assert shares[0] == pytest.approx(0.025)
    assert sum(shares) == pytest.approx(0.05, rel=1e-3)
    assert sum(shares) < 0.05
