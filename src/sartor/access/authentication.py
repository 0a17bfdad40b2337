"""The gatekeeper: turns the head of a request into the desk of a loop, or refuses it.

A key is one look-up in a table. Everything else is slower and may wait: a bearer token says who calls but not
which loop is meant, so the loop is named by the path, ``/loops/{name}/personalizer/…``, or by the host,
``{name}.…``.
"""

import hmac
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import parse_qs

from msgspec import Struct

from sartor.access.allowed_networks import client_of
from sartor.access.asgi import Header, Scope
from sartor.access.roles import EVERY_LOOP, Caller, Grant, Need
from sartor.access.served_loops import Desk, Desks
from sartor.access.throttle import Suspects
from sartor.errors import Forbidden, Unauthorized

LOOP = "loop"
"""Under which the application leaves, in the scope, the name of the loop that a path begins with."""

_OWNER = Caller(name="the owner key", grants=(Grant("Owner"),))
_AUTHORIZATION = b"authorization"
_BEARER = b"bearer "


class Bearers(Protocol):
    """Knows the holders of bearer tokens."""

    async def holder(self, token: bytes, /) -> Caller:
        """Who holds a token; it may wait for an issuer's keys.

        Raises:
            Unauthorized: the token is not valid here.
        """


class Pass(Struct, frozen=True):
    """A request that was let in: the desk it is for, and who sent it."""

    desk: Desk
    caller: Caller


class Gatekeeper:
    """Lets requests in to the loops of one process."""

    def __init__(
        self,
        desks: Desks,
        /,
        *,
        bearers: Bearers | None = None,
        suspects: Suspects | None = None,
        owner_key: bytes = b"",
    ) -> None:
        """Guard some desks.

        Args:
            desks: what can be reached.
            bearers: knows tokens; None: tokens are not accepted.
            suspects: remembers addresses that tried keys in vain.
            owner_key: opens the control plane of all loops; empty: no key does.
        """
        self._owner_key = owner_key
        self._desks = desks
        self._bearers = bearers
        self._suspects = suspects or Suspects()

    def with_key(self, scope: Scope, /) -> Desk | None:
        """The desk that the key in a request opens, at once; None: it presents none, ask ``admit``.

        Raises:
            Unauthorized: the key belongs to no loop, or not to the one that the path names.
            Forbidden: not from this network.
            TooManyRequests: too many wrong keys came from there.
        """
        key = presented(scope["headers"], scope["query_string"])
        if not key:
            return None
        suspects = self._suspects
        if suspects.any:
            suspects.check(client_of(scope), key)
        try:
            desk = self._desks.find(key)
        except Unauthorized:
            suspects.failed(client_of(scope), key)
            raise
        if suspects.any:
            suspects.succeeded(client_of(scope), key)
        name = scope.get(LOOP)
        if name is not None and name != desk.loop.name:
            raise Unauthorized("Access denied: the key belongs to another loop than the one in the path.")
        if desk.fence is not None:
            desk.fence.check(client_of(scope))
        return desk

    async def admit(self, scope: Scope, need: Need, /) -> Pass:
        """Let a request in that takes a right, by key or by token.

        Raises:
            Unauthorized: neither is there, or what is there is not valid here.
            Forbidden: the caller lacks the right, or comes from another network than the loop allows.
            TooManyRequests: too much was tried from there in vain.
        """
        desk = self.with_key(scope)
        if desk is not None:
            return Pass(desk, _key_holder(desk, presented(scope["headers"], scope["query_string"])))
        caller = await self.holder(scope)
        desk = self._named(scope)
        if desk is None or not caller.may(need, desk.loop.name):
            raise Forbidden(
                f"Access denied: {caller.name} has no role that allows this on the loop that is named by the "
                "path (/loops/{name}/personalizer/…) or by the host ({name}.…)."
            )
        if desk.fence is not None:
            desk.fence.check(client_of(scope))
        return Pass(desk, caller)

    async def caller(self, scope: Scope, /) -> Caller:
        """Who sends a request to the control plane, where a key of a loop opens less than at its desk.

        Raises:
            Unauthorized: neither a key nor a token is there, or what is there is not valid here.
            Forbidden: the loop of the key can't be called from this network.
            TooManyRequests: too much was tried from there in vain.
        """
        key = presented(scope["headers"], scope["query_string"])
        if key and self._owner_key:
            if self._suspects.any:
                self._suspects.check(client_of(scope), key)
            if hmac.compare_digest(key, self._owner_key):
                if self._suspects.any:
                    self._suspects.succeeded(client_of(scope), key)
                return _OWNER
        desk = self.with_key(scope)
        if desk is None:
            return await self.holder(scope)
        holder = _key_holder(desk, key)
        name = desk.loop.name
        return Caller(name=holder.name, grants=(Grant("Reader", name), Grant("User", name)))

    async def holder(self, scope: Scope, /) -> Caller:
        """Who holds the bearer token of a request.

        Raises:
            Unauthorized: there is none, or it is not valid here.
            TooManyRequests: too much was tried from there in vain.
        """
        token = bearer(scope["headers"])
        if not token or self._bearers is None:
            self._desks.find(b"")  # raises, in the words of a missing key
            raise Unauthorized
        client = client_of(scope)
        if self._suspects.any:
            self._suspects.check(client, token)
        try:
            caller = await self._bearers.holder(token)
        except Unauthorized:
            self._suspects.failed(client, token)
            raise
        if self._suspects.any:
            self._suspects.succeeded(client, token)
        return caller

    def _named(self, scope: Scope) -> Desk | None:
        name = scope.get(LOOP) or host_label(scope["headers"])
        return self._desks.named(name)


def _key_holder(desk: Desk, key: bytes) -> Caller:
    loop = desk.loop
    which = 1 if key == loop.key1.encode() else 2
    return Caller(name=f"key {which} of {loop.name}", grants=(Grant("Contributor", loop.name),))


def bearer(headers: Sequence[Header], /) -> bytes:
    """The bearer token of a request; empty if there is none."""
    for name, value in headers:
        if name == _AUTHORIZATION:
            return value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else b""
    return b""


def host_label(headers: Sequence[Header], /) -> str:
    """The first part of the host name, in small letters: the loop's name, where hosts name loops."""
    for name, value in headers:
        if name == b"host":
            return value.partition(b".")[0].decode("ascii", "replace").lower()
    return EVERY_LOOP  # the name of no loop


HEADER = b"ocp-apim-subscription-key"
QUERY = b"subscription-key"


def presented(headers: Sequence[Header], query: bytes, /) -> bytes:
    """The key of a request; empty if there is none. Header names are in lower case, as ASGI has them."""
    for name, value in headers:
        if name == HEADER:
            return value
    if QUERY in query.lower():
        return _in_query(query)
    return b""


def _in_query(query: bytes) -> bytes:
    for name, values in parse_qs(query).items():
        if name.lower() == QUERY:
            return values[0]
    return b""
