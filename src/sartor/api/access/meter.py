"""The meter of a loop: whether it may rank once more under its quotas."""

from typing import Protocol


class Meter(Protocol):
    """Counts the ranks of a loop; a loop without quotas has none."""

    def take(self) -> None:
        """Count one more rank.

        Raises:
            TooManyRequests: the quota of this second or this month is used up.
        """
