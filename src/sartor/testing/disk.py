"""A disk that can be full: what the stores in memory ask before each call."""

from sartor.errors import StoreUnavailable


class Disk:
    """While ``failing`` is set, every call on the stores raises ``StoreUnavailable`` and changes nothing."""

    def __init__(self) -> None:
        self.failing = False

    def check(self) -> None:
        """Fail if the disk fails.

        Raises:
            StoreUnavailable: ``failing`` is set.
        """
        if self.failing:
            raise StoreUnavailable("The disk is full, as a test asked.")
