"""Loops served by this process, indexed by API key and by name."""

import hmac
import secrets
from collections.abc import Iterable
from hashlib import blake2b
from typing import Protocol

from msgspec import Struct

from sartor.access.allowed_networks import AllowedNetworks
from sartor.access.quota import QuotaLimiter
from sartor.errors import Unauthorized
from sartor.log.writer import Writer
from sartor.loops import has_several_slots
from sartor.ports import Engine, Loop


class ServedModel(Protocol):
    """The model that serves now; ``deploy.live_model.LiveModel`` is one."""

    @property
    def engine(self) -> Engine | None:
        """What ranks; None before the first model."""

    @property
    def model_id(self) -> str:
        """Its id; meaningless without an engine."""

    @property
    def arguments(self) -> str | None:
        """Its learning settings, which may not yet be those of the loop; None without an engine."""


class ServedLoop(Struct, frozen=True):
    """What it takes to answer a request for one loop: its settings, where events go, and the model that serves.

    ``networks``: from where it may be called; ``rate_limiter``: how often it may rank. None: no bounds.
    """

    loop: Loop
    writer: Writer
    live: ServedModel
    networks: AllowedNetworks | None = None
    rate_limiter: QuotaLimiter | None = None

    @property
    def has_slots(self) -> bool:
        """Whether the loop fills several slots at once: its learning settings say so (contract, 2.10)."""
        return self.loop.has_several_slots

    @property
    def slots_engine(self) -> Engine | None:
        """What ranks several slots; None also while the model from before the loop had several serves."""
        return self.live.engine if has_several_slots(self.live.arguments or "") else None


class LoopTable:
    """The served loops of a process, by key and name; either key of a loop finds it."""

    def __init__(self, loop_table: Iterable[ServedLoop] = ()) -> None:
        # The secret makes the order and the timing of the table useless for guessing keys.
        self._secret = secrets.token_bytes(32)
        self._by_key: dict[bytes, tuple[bytes, ServedLoop]] = {}
        self._by_name: dict[str, ServedLoop] = {}
        self.replace(loop_table)

    def replace(self, loop_table: Iterable[ServedLoop], /) -> None:
        """Serve these loops from the next request on, and no others."""
        table: dict[bytes, tuple[bytes, ServedLoop]] = {}
        names: dict[str, ServedLoop] = {}
        for served_loop in loop_table:
            names[served_loop.loop.name] = served_loop
            for key in (served_loop.loop.key1.encode(), served_loop.loop.key2.encode()):
                table[self._hash(key)] = (key, served_loop)
        self._by_key = table
        self._by_name = names

    def find(self, key: bytes, /) -> ServedLoop:
        """Find the loop that a key belongs to.

        Raises:
            Unauthorized: the key belongs to no loop.
        """
        found = self._by_key.get(self._hash(key))
        if found is None or not hmac.compare_digest(found[0], key):
            raise Unauthorized(
                "Access denied: the subscription key is missing or belongs to no loop of this service. "
                "Send a valid key in the Ocp-Apim-Subscription-Key header."
            )
        return found[1]

    def all(self) -> list[ServedLoop]:
        """List the served loops by name."""
        return [self._by_name[name] for name in sorted(self._by_name)]

    def find_by_name(self, name: str, /) -> ServedLoop | None:
        """Finds a served loop by its name, for callers who were authenticated by a token."""
        return self._by_name.get(name)

    def _hash(self, key: bytes) -> bytes:
        return blake2b(key, key=self._secret, digest_size=16).digest()
