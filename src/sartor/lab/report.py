"""What came of a game: what was earned beside what could have been, exactly, because a world knows."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct

POINTS = 200
"""How many points a curve has at most."""


class Turn(Struct, frozen=True, kw_only=True):
    """One turn: what was on offer, what each was worth (expected), what was chosen, what it paid."""

    ids: tuple[str, ...]
    expectations: tuple[float, ...]
    chosen: int
    reward: float

    @property
    def earned(self) -> float:
        """The expected reward of the choice: what was paid, without the luck."""
        return self.expectations[self.chosen]

    @property
    def best(self) -> float:
        """The expected reward of the best option."""
        return max(self.expectations)


class CurveSegment(Struct, frozen=True, kw_only=True, rename="camel"):
    """A stretch of a game. ``share_positive``: of the rewards that were paid, those above 0."""

    mean_reward: float
    mean_expected: float
    share_positive: float
    share_of_best: float


class ReferenceMeans(Struct, frozen=True, kw_only=True, rename="camel"):
    """Mean expected rewards of other policies in the same turns.

    ``random``: every option is as likely as the others. ``baseline``: always the first option. ``best_fixed``:
    the best that can be done without looking at the context: one order of the ids for the whole game, always
    the first of them that is on offer, the order known beforehand. ``best``: always the best option.
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
    """A whole game. ``regret``: expected reward missed, summed over all turns."""

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
    """The report of a game of at least one turn."""
    quarter = max(1, len(turns) // 4)
    fixed = best_fixed(turns)
    whole = _part(turns)
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
        first_quarter=_part(turns[:quarter]),
        last_quarter=_part(turns[-quarter:]),
        reference=ReferenceMeans(
            random=_mean([sum(turn.expectations) / len(turn.ids) for turn in turns]),
            baseline=_mean([turn.expectations[0] for turn in turns]),
            best_fixed=_mean(fixed),
            best=_mean([turn.best for turn in turns]),
        ),
        window=_window(len(turns)),
        curve=tuple(_curve(turns, fixed)),
    )


def best_fixed(turns: Sequence[Turn], /) -> list[float]:
    """What the best order of ids, the same in every turn, would have earned (expected), turn by turn."""
    sums: dict[str, float] = defaultdict(float)
    offers: dict[str, int] = defaultdict(int)
    for turn in turns:
        for name, expected in zip(turn.ids, turn.expectations, strict=True):
            sums[name] += expected
            offers[name] += 1
    worth = {name: sums[name] / offers[name] for name in sums}
    return [max(zip(turn.ids, turn.expectations, strict=True), key=lambda o: worth[o[0]])[1] for turn in turns]


def _part(turns: Sequence[Turn]) -> CurveSegment:
    earned = sum(turn.earned for turn in turns)
    return CurveSegment(
        mean_reward=_mean([turn.reward for turn in turns]),
        mean_expected=earned / len(turns),
        share_positive=_mean([float(turn.reward > 0) for turn in turns]),
        share_of_best=earned / sum(turn.best for turn in turns),
    )


def _curve(turns: Sequence[Turn], fixed: Sequence[float]) -> list[TurnPoint]:
    window = _window(len(turns))
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
                random=_mean([sum(turn.expectations) / len(turn.ids) for turn in seen]),
                best_fixed=_mean(fixed[start:end]),
                best=_mean([turn.best for turn in seen]),
                regret=regret[end - 1],
            )
        )
    return points


def _window(turns: int) -> int:
    return max(5, turns // 20)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
