"""How many connections are open, and how long each may keep the service waiting."""

from collections import Counter
from typing import Protocol

from msgspec import Struct

HEAD_TIMEOUT_S = 10.0
"""How long the head of a request may take, from the opening of the connection or the head's first byte."""

KEEP_ALIVE_S = 75
"""How long a connection may stay idle between two requests."""

STUCK_S = 10.0
"""How long a client may leave its answers unread."""

HEAD_BYTES = 65_536
"""How large the head of a request may be."""


BODY_RATE = 262_144
"""How many bytes of a body must arrive a second, on average, after the time that every body has."""

UNREAD_BYTES = 268_435_456
"""How much may be held of what was received on all connections, and which nobody has asked for yet."""


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long a connection may take for each step, in seconds, and how much it may send."""

    head_s: float = HEAD_TIMEOUT_S
    body_s: float
    idle_s: float = KEEP_ALIVE_S
    stuck_s: float = STUCK_S
    head_bytes: int = HEAD_BYTES
    body_bytes: int
    body_rate: int = BODY_RATE
    unread_bytes: int = UNREAD_BYTES

    @property
    def discarded_bytes(self) -> int:
        """How long the rest of a body may be that is read and thrown away, so that the connection goes on."""
        return 8 * self.body_bytes

    @property
    def ending_bytes(self) -> int:
        """How much is thrown away of what a client still sends on a connection that is being closed.

        Closed at once, the client might lose the response that says why.
        """
        return 32 * self.body_bytes


class ClientConnection(Protocol):
    """A connection, as far as the limits are concerned."""

    @property
    def waiting_since_s(self) -> float:
        """Since when (event loop's clock) it waits for its client; infinite while a request is handled."""

    @property
    def has_sent_request(self) -> bool:
        """Whether its client ever sent a whole request."""

    def close_if_late(self, now_s: float, /) -> None:
        """Close the connection if its client took too long."""

    def close(self) -> None:
        """Close the connection to make room."""


class ConnectionLimits:
    """Keeps at most ``max_connections`` open; for a new one, those that were silent for longest are closed.

    So a crowd of silent connections can't lock out clients that send requests. A connection whose request is
    being handled is never closed for another.
    """

    def __init__(self, timeouts: Timeouts, /, *, max_connections: int) -> None:
        self.timeouts = timeouts
        self._max = max_connections
        self._connections: set[ClientConnection] = set()
        self._unread: Counter[str] = Counter()
        self._unread_bytes = 0

    def __len__(self) -> int:
        return len(self._connections)

    def admit(self, connection: ClientConnection, /) -> bool:
        """Admit a connection; False: there is no room, because the requests of all others are being handled."""
        if len(self._connections) >= self._max:
            self._make_room()
        if len(self._connections) >= self._max:
            return False
        self._connections.add(connection)
        return True

    def release(self, connection: ClientConnection, /) -> None:
        """Forget a connection that was closed; idempotent."""
        self._connections.discard(connection)

    def hold(self, address: str, change: int, /) -> bool:
        """Count bytes that are held for a client before anything is known of it, or that no longer are.

        Returns:
            Whether all, and those from one address, are within their bounds; one may have a quarter.
        """
        self._unread_bytes += change
        self._unread[address] += change
        if not self._unread[address]:
            del self._unread[address]
        most = self.timeouts.unread_bytes
        return self._unread_bytes <= most and self._unread[address] <= most // 4

    def check_all(self, now_s: float, /) -> None:
        """Close the connections whose clients took too long; to be called about once a second."""
        for connection in list(self._connections):
            connection.close_if_late(now_s)

    def _make_room(self) -> None:
        # Several at once, so that a flood of new connections does not cost a scan each.
        waiting = [connection for connection in self._connections if connection.waiting_since_s != float("inf")]
        waiting.sort(key=lambda connection: (connection.has_sent_request, connection.waiting_since_s))
        for connection in waiting[: max(1, self._max // 50)]:
            self._connections.discard(connection)
            connection.close()
