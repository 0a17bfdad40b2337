import msgspec
import pytest

from sartor.lab.report import Turn, best_fixed, build_play_report


def played(*means: float, chosen: int = 0, reward: float = 0.0, ids: str = "abc") -> Turn:
    return Turn(ids=tuple(ids[: len(means)]), expected_rewards=means, chosen=chosen, reward=reward)


GAME = [
    played(0.2, 0.8, chosen=0, reward=0.0),
    played(0.6, 0.2, chosen=0, reward=1.0),
    played(0.2, 0.8, chosen=1, reward=1.0),
    played(0.4, 0.2, chosen=0, reward=-1.0),
]


def test_a_report_counts_what_was_paid_and_what_was_expected() -> None:
    made = build_play_report(GAME, world="w", reward_is="a click", seed=3)
    assert (made.world, made.reward_is, made.seed, made.iterations) == ("w", "a click", 3, 4)
    assert made.mean_reward == pytest.approx(0.25)
    assert made.share_positive == pytest.approx(0.5)
    assert made.mean_expected == pytest.approx(0.5)
    assert made.regret == pytest.approx(0.6)
    assert made.share_of_best == pytest.approx(2.0 / 2.6)


def test_a_report_knows_what_other_policies_would_have_earned() -> None:
    reference = build_play_report(GAME, world="w", reward_is="", seed=0).reference
    assert reference.random == pytest.approx((0.5 + 0.4 + 0.5 + 0.3) / 4)
    assert reference.baseline == pytest.approx(1.4 / 4)
    assert reference.best_fixed == pytest.approx(2.0 / 4)
    assert reference.best == pytest.approx(2.6 / 4)


def test_quarters_are_the_first_and_the_last_of_the_turns() -> None:
    made = build_play_report(GAME, world="w", reward_is="", seed=0)
    assert (made.first_quarter.mean_reward, made.first_quarter.share_positive) == (0.0, 0.0)
    assert made.first_quarter.share_of_best == pytest.approx(0.25)
    assert (made.last_quarter.mean_reward, made.last_quarter.share_positive) == (-1.0, 0.0)
    assert made.last_quarter.share_of_best == pytest.approx(1.0)


def test_the_best_fixed_order_falls_back_to_what_is_on_offer() -> None:
    turns = [played(0.5, 0.9, ids="ab"), played(0.4, 0.3, ids="ac"), played(0.2, 0.9, ids="cb")]
    assert best_fixed(turns) == [0.9, 0.4, 0.9]


def test_a_game_of_one_turn_has_a_report() -> None:
    made = build_play_report(GAME[:1], world="w", reward_is="", seed=0)
    assert made.first_quarter == made.last_quarter
    assert len(made.curve) == 1


def test_the_curve_has_a_bounded_number_of_points_and_ends_with_the_regret() -> None:
    made = build_play_report(GAME * 1_000, world="w", reward_is="", seed=0)
    assert 150 <= len(made.curve) <= 200
    assert made.curve[-1].turn == 4_000
    assert made.curve[-1].regret == pytest.approx(made.regret)
    assert made.curve[-1].earned == pytest.approx(0.5)
    assert made.window == 200


def test_a_report_is_json_with_the_names_of_the_wire() -> None:
    said = msgspec.json.decode(msgspec.json.encode(build_play_report(GAME, world="w", reward_is="", seed=0)))
    assert {"shareOfBest", "meanReward", "regret", "firstQuarter", "reference", "curve"} <= set(said)
    assert said["reference"]["bestFixed"] == pytest.approx(0.5)
