"""The gate: how many connections are open, and how long each may keep the service waiting."""

from typing import Protocol

from msgspec import Struct

HEAD_TIMEOUT_S = 10.0
"""How long the head of a request may take, from the opening of the connection or the head's first byte."""

KEEP_ALIVE_S = 75
"""How long a connection may rest between two requests."""

STUCK_S = 10.0
"""How long a client may leave its answers unread."""

HEAD_BYTES = 65_536
"""How large the head of a request may be."""


BODY_RATE = 262_144
"""How many bytes of a body must arrive in each second, on the average, after the time that every body has."""


class Timeouts(Struct, frozen=True, kw_only=True):
    """What one connection may take."""

    head_s: float = HEAD_TIMEOUT_S
    body_s: float
    rest_s: float = KEEP_ALIVE_S
    stuck_s: float = STUCK_S
    head_bytes: int = HEAD_BYTES
    body_bytes: int
    body_rate: int = BODY_RATE


class ClientConnection(Protocol):
    """A connection, as the gate sees it."""

    @property
    def waiting_since_s(self) -> float:
        """Since when it waits for its client; infinite while a request is worked on."""

    @property
    def has_asked(self) -> bool:
        """Whether it ever sent a whole request."""

    def check(self, now_s: float, /) -> None:
        """Give up the client if it took too long."""

    def close(self) -> None:
        """Close the connection to make room."""


class ConnectionLimits:
    """Keeps at most ``most`` connections; a new one takes the place of those that did least for longest.

    So a crowd of silent connections can't lock out clients that ask. A connection whose request is being worked
    on is never closed for another.
    """

    def __init__(self, patience: Timeouts, /, *, most: int) -> None:
        self.patience = patience
        self._most = most
        self._guests: set[ClientConnection] = set()

    def __len__(self) -> int:
        return len(self._guests)

    def admit(self, guest: ClientConnection, /) -> bool:
        """Let a connection in; False: there is no room, because all others are being served."""
        if len(self._guests) >= self._most:
            self._make_room()
        if len(self._guests) >= self._most:
            return False
        self._guests.add(guest)
        return True

    def release(self, guest: ClientConnection, /) -> None:
        """A connection is closed; idempotent."""
        self._guests.discard(guest)

    def sweep(self, now_s: float, /) -> None:
        """Let each connection look at the clock; to be called about once a second."""
        for guest in list(self._guests):
            guest.check(now_s)

    def _make_room(self) -> None:
        # Several at once, so that a flood of new connections does not cost a scan each.
        waiting = [guest for guest in self._guests if guest.waiting_since_s != float("inf")]
        waiting.sort(key=lambda guest: (guest.has_asked, guest.waiting_since_s))
        for guest in waiting[: max(1, self._most // 50)]:
            self._guests.discard(guest)
            guest.close()
