"""How many bytes one owner, and all owners together, may hold in a process."""

from collections import Counter

from sartor.errors import TooManyRequests, Unavailable

RETRY_AFTER_S = 2
"""How long a caller should wait that was refused: bodies take a moment to arrive."""


class ByteBudget:
    """Bytes that are taken and given back; those of one owner leave most of them to the others."""

    def __init__(self, what: str, /, *, per_owner: int, total: int) -> None:
        """Prepare.

        Args:
            what: the bytes, for messages: "request bodies".
            per_owner: how many one may hold.
            total: how many all may hold.
        """
        self._what = what
        self._per_owner = per_owner
        self._total = total
        self._held: Counter[str] = Counter()
        self.held = 0

    def __len__(self) -> int:
        """How many owners hold any."""
        return len(self._held)

    def take(self, owner: str, size: int, /) -> None:
        """Take bytes.

        Raises:
            TooManyRequests: the owner would hold more than it may.
            Unavailable: all together would.
        """
        mine = self._held.get(owner, 0)
        if mine + size > self._per_owner:
            message = (
                f"Too many {self._what} at a time: {mine} bytes are in flight for this loop or caller, {size} "
                f"would be added, and {self._per_owner} are allowed."
            )
            raise TooManyRequests(message, retry_after_s=RETRY_AFTER_S)
        if self.held + size > self._total:
            raise Unavailable(f"The service holds as many {self._what} as it can; send the request again.")
        self._held[owner] = mine + size
        self.held += size

    def give_back(self, owner: str, size: int, /) -> None:
        """Give bytes back that were taken."""
        self.held -= size
        self._held[owner] -= size
        if not self._held[owner]:
            del self._held[owner]
