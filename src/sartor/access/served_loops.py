"""Desks: one for each loop that this process serves, found by the key that a caller presents."""

import hmac
import secrets
from collections.abc import Iterable
from hashlib import blake2b
from typing import Protocol

from msgspec import Struct

from sartor.access.allowed_networks import Fence
from sartor.access.quota import Meter
from sartor.errors import Unauthorized
from sartor.log.writer import Writer
from sartor.ports import Engine, Loop

_SEVERAL = "--ccb_explore_adf"


class Serving(Protocol):
    """The model that serves now; ``deploy.live.Live`` is one."""

    @property
    def engine(self) -> Engine | None:
        """What ranks; None before the first model."""

    @property
    def model_id(self) -> str:
        """Its id; meaningless without an engine."""

    @property
    def arguments(self) -> str | None:
        """Its learning settings, which may not yet be those of the loop; None without an engine."""


class Desk(Struct, frozen=True):
    """What answering a request of one loop takes: its settings, where events go, and the model that serves.

    ``fence``: from where it may be called; ``meter``: how often it may rank. None: no bounds.
    """

    loop: Loop
    writer: Writer
    live: Serving
    fence: Fence | None = None
    meter: Meter | None = None

    @property
    def has_slots(self) -> bool:
        """Whether the loop fills several slots at once: its learning settings say so (contract, 2.10)."""
        return _SEVERAL in self.loop.arguments

    @property
    def slots_engine(self) -> Engine | None:
        """What ranks several slots; None also while the model from before the loop had several serves."""
        return self.live.engine if _SEVERAL in (self.live.arguments or "") else None


class Desks:
    """The desks of a process, by key; both keys of a loop open its desk."""

    def __init__(self, desks: Iterable[Desk] = ()) -> None:
        # The secret makes the order and the timing of the table useless for guessing keys.
        self._secret = secrets.token_bytes(32)
        self._by_key: dict[bytes, tuple[bytes, Desk]] = {}
        self._by_name: dict[str, Desk] = {}
        self.replace(desks)

    def replace(self, desks: Iterable[Desk], /) -> None:
        """Serve these from the next request on, and no others."""
        table: dict[bytes, tuple[bytes, Desk]] = {}
        names: dict[str, Desk] = {}
        for desk in desks:
            names[desk.loop.name] = desk
            for key in (desk.loop.key1.encode(), desk.loop.key2.encode()):
                table[self._slot(key)] = (key, desk)
        self._by_key = table
        self._by_name = names

    def find(self, key: bytes, /) -> Desk:
        """The desk that a key opens.

        Raises:
            Unauthorized: the key belongs to no loop.
        """
        found = self._by_key.get(self._slot(key))
        if found is None or not hmac.compare_digest(found[0], key):
            raise Unauthorized(
                "Access denied: the subscription key is missing or belongs to no loop of this service. "
                "Send a valid key in the Ocp-Apim-Subscription-Key header."
            )
        return found[1]

    def all(self) -> list[Desk]:
        """Each desk once, by the name of its loop."""
        return [self._by_name[name] for name in sorted(self._by_name)]

    def named(self, name: str, /) -> Desk | None:
        """The desk of the loop of that name; for callers who were let in by something else than a key."""
        return self._by_name.get(name)

    def _slot(self, key: bytes) -> bytes:
        return blake2b(key, key=self._secret, digest_size=16).digest()
