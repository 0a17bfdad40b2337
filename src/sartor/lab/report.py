"""The report of a run: what was earned beside what was possible, exactly, because a world knows its means."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct

POINTS = 200
"""How many points a curve has at most."""


class Turn(Struct, frozen=True, kw_only=True):
    """One turn: the options' ids and expected rewards, the index of the chosen one, and its reward."""

    ids: tuple[str, ...]
    expected_rewards: tuple[float, ...]
    chosen: int
    reward: float

    @property
    def earned(self) -> float:
        """The expected reward of the chosen option: the reward without its noise."""
        return self.expected_rewards[self.chosen]

    @property
    def best(self) -> float:
        """The expected reward of the best option."""
        return max(self.expected_rewards)


class CurveSegment(Struct, frozen=True, kw_only=True, rename="camel"):
    """Means over a part of a run. ``share_positive``: the share of rewards above 0."""

    mean_reward: float
    mean_expected: float
    share_positive: float
    share_of_best: float


class ReferenceMeans(Struct, frozen=True, kw_only=True, rename="camel"):
    """Mean expected rewards of other policies in the same turns.

    ``random``: every option has the same probability. ``baseline``: always the first option. ``best_fixed``:
    the best possible without looking at the context: one order of the ids for the whole run, known
    beforehand, always showing the first that is available. ``best``: always the best option.
    """

    random: float
    baseline: float
    best_fixed: float
    best: float


class TurnPoint(Struct, frozen=True, kw_only=True, rename="camel"):
    """The curve after ``turn`` turns: means over the turns of a moving window, and the regret so far."""

    turn: int
    earned: float
    random: float
    best_fixed: float
    best: float
    regret: float


class PlayReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """A whole run. ``regret``: expected reward missed, summed over all turns."""

    world: str
    reward_is: str
    seed: int
    iterations: int
    mean_reward: float
    share_positive: float
    mean_expected: float
    share_of_best: float
    regret: float
    first_quarter: CurveSegment
    last_quarter: CurveSegment
    reference: ReferenceMeans
    window: int
    curve: tuple[TurnPoint, ...]


def build_play_report(turns: Sequence[Turn], /, *, world: str, reward_is: str, seed: int) -> PlayReport:
    """Build the report of a run of at least one turn."""
    quarter = max(1, len(turns) // 4)
    fixed = best_fixed(turns)
    whole = _summarise(turns)
    return PlayReport(
        world=world,
        reward_is=reward_is,
        seed=seed,
        iterations=len(turns),
        mean_reward=whole.mean_reward,
        share_positive=whole.share_positive,
        mean_expected=whole.mean_expected,
        share_of_best=whole.share_of_best,
        regret=sum(turn.best - turn.earned for turn in turns),
        first_quarter=_summarise(turns[:quarter]),
        last_quarter=_summarise(turns[-quarter:]),
        reference=ReferenceMeans(
            random=_mean([sum(turn.expected_rewards) / len(turn.ids) for turn in turns]),
            baseline=_mean([turn.expected_rewards[0] for turn in turns]),
            best_fixed=_mean(fixed),
            best=_mean([turn.best for turn in turns]),
        ),
        window=_window_length(len(turns)),
        curve=tuple(_build_curve(turns, fixed)),
    )


def best_fixed(turns: Sequence[Turn], /) -> list[float]:
    """Returns what the best fixed order of ids would have earned (expected), turn by turn."""
    sums: dict[str, float] = defaultdict(float)
    offers: dict[str, int] = defaultdict(int)
    for turn in turns:
        for name, expected in zip(turn.ids, turn.expected_rewards, strict=True):
            sums[name] += expected
            offers[name] += 1
    means = {name: sums[name] / offers[name] for name in sums}
    return [
        max(zip(turn.ids, turn.expected_rewards, strict=True), key=lambda o: means[o[0]])[1] for turn in turns
    ]


def _summarise(turns: Sequence[Turn]) -> CurveSegment:
    earned = sum(turn.earned for turn in turns)
    return CurveSegment(
        mean_reward=_mean([turn.reward for turn in turns]),
        mean_expected=earned / len(turns),
        share_positive=_mean([float(turn.reward > 0) for turn in turns]),
        share_of_best=earned / sum(turn.best for turn in turns),
    )


def _build_curve(turns: Sequence[Turn], fixed: Sequence[float]) -> list[TurnPoint]:
    window = _window_length(len(turns))
    every = max(1, len(turns) // POINTS)
    regret = list(accumulate(turn.best - turn.earned for turn in turns))
    points = []
    for end in range(every, len(turns) + 1, every):
        start = max(0, end - window)
        seen = turns[start:end]
        points.append(
            TurnPoint(
                turn=end,
                earned=_mean([turn.earned for turn in seen]),
                random=_mean([sum(turn.expected_rewards) / len(turn.ids) for turn in seen]),
                best_fixed=_mean(fixed[start:end]),
                best=_mean([turn.best for turn in seen]),
                regret=regret[end - 1],
            )
        )
    return points


def _window_length(turns: int) -> int:
    return max(5, turns // 20)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
