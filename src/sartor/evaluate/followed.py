"""Which fixed actions are followed: those last on offer, a bounded number, each with its share of doubt."""

from msgspec import Struct

MOST = 128
"""How many actions are followed at once; a new one takes the place of the one that was on offer longest ago."""


class Followed(Struct, kw_only=True):
    """The followed actions. ``seen`` counts all that ever were; a function of the order of offers alone."""

    most: int = MOST
    seen: int = 0
    ordinals: dict[str, int] = {}
    """For each followed action the how-manieth it was, from 1, in the order of its last offer: oldest first."""

    def offer(self, ids: tuple[str, ...], /) -> list[str]:
        """These are on offer; returns the actions that are followed no more."""
        dropped = []
        for name in ids:
            ordinal = self.ordinals.pop(name, None)
            if ordinal is None:
                self.seen += 1
                ordinal = self.seen
                if len(self.ordinals) >= self.most:
                    oldest = next(iter(self.ordinals))
                    del self.ordinals[oldest]
                    dropped.append(oldest)
            self.ordinals[name] = ordinal
        return dropped

    def alpha(self, name: str, /, *, alpha: float) -> float:
        """The share of ``alpha`` that is this action's.

        The shares alpha / (j (j + 1)) of all actions that will ever be followed sum to ``alpha``, however many
        they are: with anytime intervals at these levels, all of them hold at all times at once, and so does
        the interval of whichever action looks best.
        """
        ordinal = self.ordinals[name]
        return alpha / (ordinal * (ordinal + 1))
