"""The loops of this process, served or not, indexed by API key and by name."""

import hmac
import secrets
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Protocol

from msgspec import Struct

from sartor.access.allowed_networks import AllowedNetworks
from sartor.access.quota import QuotaLimiter
from sartor.errors import LoopUnavailable, Unauthorized
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
    def name(self) -> str:
        """The name of the loop."""
        return self.loop.name

    @property
    def keys(self) -> tuple[str, ...]:
        """Its keys."""
        return self.loop.key1, self.loop.key2

    @property
    def loop_id(self) -> str:
        """The loop's id."""
        return self.loop.loop_id

    @property
    def has_slots(self) -> bool:
        """Whether the loop fills several slots at once: its learning settings say so (contract, 2.10)."""
        return self.loop.has_several_slots

    @property
    def slots_engine(self) -> Engine | None:
        """What ranks several slots; None also while the model from before the loop had several serves."""
        return self.live.engine if has_several_slots(self.live.arguments or "") else None


class UnservedLoop(Struct, frozen=True):
    """A loop that can't be opened now, or was not opened yet: its callers are authenticated, and told why.

    ``networks``: from where it may be called; None: no bounds, or not known. ``open_now``: opens it, where that
    was not tried yet, and returns its new entry.
    """

    name: str
    loop_id: str
    keys: tuple[str, ...]
    reason: str
    networks: AllowedNetworks | None = None
    open_now: "Callable[[], ServedLoop | UnservedLoop] | None" = None


class LoopTable:
    """The loops of a process, by key and name; either key of a loop finds it."""

    def __init__(self, loop_table: Iterable[ServedLoop] = ()) -> None:
        # The secret makes the order and the timing of the table useless for guessing keys.
        self._secret = secrets.token_bytes(32)
        self._by_key: dict[bytes, tuple[bytes, ServedLoop | UnservedLoop]] = {}
        self._by_name: dict[str, ServedLoop | UnservedLoop] = {}
        self._by_id: dict[str, ServedLoop | UnservedLoop] = {}
        self.catch_up: Callable[[], None] = _do_nothing
        """Called where a key or a name is not known: puts in what was made since the table was changed."""
        self.replace(loop_table)

    def replace(self, loop_table: Iterable[ServedLoop], /) -> None:
        """Serve these loops from the next request on, and no others."""
        self._by_key, self._by_name, self._by_id = {}, {}, {}
        for served_loop in loop_table:
            self.put(served_loop)

    def put(self, entry: ServedLoop | UnservedLoop, /) -> None:
        """Replace the entry of one loop from the next request on."""
        self.remove(entry.loop_id)
        self._by_id[entry.loop_id] = entry
        self._by_name[entry.name] = entry
        for key in entry.keys:
            self._by_key[self._hash(key.encode())] = (key.encode(), entry)

    def remove(self, loop_id: str, /) -> None:
        """Remove the entry of one loop, if there is one; another loop may have taken its name."""
        entry = self._by_id.pop(loop_id, None)
        if entry is None:
            return
        if self._by_name.get(entry.name) is entry:
            del self._by_name[entry.name]
        for hashed in [self._hash(key.encode()) for key in entry.keys]:
            if hashed in self._by_key and self._by_key[hashed][1] is entry:
                del self._by_key[hashed]

    def find(self, key: bytes, /) -> ServedLoop:
        """Find the served loop that a key belongs to.

        Raises:
            Unauthorized: the key belongs to no loop.
            LoopUnavailable: the loop can't be opened now.
        """
        return require_served(self.look_up(key))

    def look_up(self, key: bytes, /) -> ServedLoop | UnservedLoop:
        """Find the loop that a key belongs to, whether it is served or not.

        Raises:
            Unauthorized: the key belongs to no loop.
        """
        found = self._find_key(key)
        if found is None and key:
            self.catch_up()
            found = self._find_key(key)
        entry = None if found is None else self._open_waiting(found)
        if entry is None:
            raise Unauthorized(
                "Access denied: the subscription key is missing or belongs to no loop of this service. "
                "Send a valid key in the Ocp-Apim-Subscription-Key header."
            )
        return entry

    def all(self) -> list[ServedLoop]:
        """List the served loops by name."""
        return [found for _, found in sorted(self._by_name.items()) if isinstance(found, ServedLoop)]

    def find_by_name(self, name: str, /) -> ServedLoop | UnservedLoop | None:
        """Finds a loop by its name, served or not, for callers who were authenticated by a token."""
        if name not in self._by_name:
            self.catch_up()
        found = self._by_name.get(name)
        return None if found is None else self._open_waiting(found)

    def _open_waiting(self, found: ServedLoop | UnservedLoop) -> ServedLoop | UnservedLoop | None:
        """Opens a loop that was not opened yet, now that somebody asks for it; None: it was deleted."""
        if not isinstance(found, UnservedLoop) or found.open_now is None:
            return found
        entry = found.open_now()
        return entry if entry.loop_id in self._by_id else None

    def _find_key(self, key: bytes) -> ServedLoop | UnservedLoop | None:
        found = self._by_key.get(self._hash(key))
        return found[1] if found is not None and hmac.compare_digest(found[0], key) else None

    def _hash(self, key: bytes) -> bytes:
        return blake2b(key, key=self._secret, digest_size=16).digest()


def _do_nothing() -> None:
    """The table is changed by whoever made it."""


def require_served(found: ServedLoop | UnservedLoop, /) -> ServedLoop:
    """Returns a loop that is served.

    Raises:
        LoopUnavailable: it can't be opened now.
    """
    if isinstance(found, UnservedLoop):
        raise LoopUnavailable(f"The loop {found.name!r} can't be served now: {found.reason}")
    return found
