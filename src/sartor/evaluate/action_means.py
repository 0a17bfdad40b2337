"""The smallest reward model for DR: the mean reward of each action so far. It predicts before it learns."""

from collections.abc import Sequence

_PRIOR = 10.0
"""How many decisions of the overall mean each action begins with."""
_MOST = 100_000


class ActionMeans:
    """Mean rewards by the id of the action; ids beyond ``most`` share the overall mean."""

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._sums: dict[str, tuple[float, int]] = {}
        self._total, self._count = 0.0, 0

    def predictions(self, ids: Sequence[str], /) -> list[float]:
        """The reward that is expected of each action, from what was learned until now."""
        start = _PRIOR * (self._total / self._count if self._count else 0.0)
        sums = self._sums
        found = []
        for name in ids:
            total, count = sums.get(name, (0.0, 0))
            found.append((start + total) / (_PRIOR + count))
        return found

    def learn(self, name: str, reward: float, /) -> None:
        """This action was chosen and paid."""
        self._total += reward
        self._count += 1
        total, count = self._sums.get(name, (0.0, 0))
        if count or len(self._sums) < self._most:
            self._sums[name] = (total + reward, count + 1)
