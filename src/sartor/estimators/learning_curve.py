"""How the score came about: cumulated sums at evenly spaced outcomes, at most so many of them for ever."""

from msgspec import Struct

from sartor.estimators.ips import Ips
from sartor.estimators.reference_policies import ReferencePolicies

MOST = 128


class CurvePoint(Struct, frozen=True, kw_only=True):
    """The sums of all that was settled up to a time."""

    at_us: int
    events: int
    online: Ips
    baseline: Ips
    random: Ips
    lowest: float
    highest: float


class LearningCurve(Struct, kw_only=True):
    """A point every ``stride`` choices; of too many, every other one goes and the stride doubles."""

    most: int = MOST
    stride: int = 1
    points: list[CurvePoint] = []

    def wants(self, events: int, /) -> bool:
        """Whether a point is due after so many choices."""
        return events % self.stride == 0

    def add(self, tally: ReferencePolicies, /, *, at_us: int) -> None:
        """Note where things stand."""
        self.points.append(curve_point(tally, at_us=at_us))
        if len(self.points) > self.most:
            self.stride *= 2
            self.points = [kept for kept in self.points if kept.events % self.stride == 0]


def curve_point(tally: ReferencePolicies, /, *, at_us: int) -> CurvePoint:
    """Where things stand."""
    return CurvePoint(
        at_us=at_us,
        events=tally.online.rows,
        online=tally.online,
        baseline=tally.baseline,
        random=tally.random,
        lowest=tally.lowest,
        highest=tally.highest,
    )
