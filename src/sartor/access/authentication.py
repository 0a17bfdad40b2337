"""Authenticates a request and returns the loop it addresses, or refuses it.

A key takes one look-up in a table. A bearer token may have to wait for its issuer; it says who calls but not
which loop is meant, so the loop is named by the path, ``/loops/{name}/personalizer/…``, or by the host,
``{name}.…``.
"""

import hmac
import secrets
from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol
from urllib.parse import parse_qs

from msgspec import Struct

from sartor.access.allowed_networks import client_address
from sartor.access.asgi import Header, Scope
from sartor.access.roles import EVERY_LOOP, Caller, Grant, Permission
from sartor.access.served_loops import LoopTable, ServedLoop, UnservedLoop, require_served
from sartor.access.throttle import FailedAuthThrottle
from sartor.errors import Forbidden, Unauthorized

SCOPE_LOOP = "loop"
"""The entry of the ASGI scope with the name of the loop that a path begins with."""

_OWNER = Caller(name="the owner key", grants=(Grant("Owner"),))
_AUTHORIZATION = b"authorization"
_BEARER = b"bearer "


class TokenVerifier(Protocol):
    """Verifies bearer tokens."""

    async def verify(self, token: bytes, /, *, address: str = "") -> Caller:
        """Verify a token and return its holder; it may wait for an issuer's keys.

        ``address``: of the client, on whose account computing is done.

        Raises:
            Unauthorized: the token is not valid here.
            TooManyRequests: too many tokens of that address wait to be verified.
        """


class AuthenticatedRequest(Struct, frozen=True):
    """The loop that a request addresses, and who sent it."""

    served_loop: ServedLoop
    caller: Caller


class Authenticator:
    """Authenticates requests for the loops of one process."""

    def __init__(
        self,
        loop_table: LoopTable,
        /,
        *,
        token_verifier: TokenVerifier | None = None,
        throttle: FailedAuthThrottle | None = None,
        owner_key: bytes = b"",
    ) -> None:
        """Prepare.

        Args:
            loop_table: the loops that it serves.
            token_verifier: verifies tokens; None: tokens are not accepted.
            throttle: slows down those who try wrong keys or tokens.
            owner_key: is an Owner, on the control plane and where a loop is named; empty: there is none.
        """
        self._secret = secrets.token_bytes(32)
        # Compared by its digest, so that not even its length shows in the time.
        self._owner_digest = self._digest(owner_key) if owner_key else None
        self._loop_table = loop_table
        self._token_verifier = token_verifier
        self._throttle = throttle or FailedAuthThrottle()

    def authenticate_key(self, scope: Scope, /) -> ServedLoop | None:
        """Find the loop of the key in a request, without waiting; None: there is no key, see ``authenticate``.

        Raises:
            Unauthorized: the key belongs to no loop, or not to the one that the path names.
            Forbidden: not from this network.
            TooManyRequests: the key is wrong, and too many such were tried.
            LoopUnavailable: the loop can't be opened now.
        """
        found = self._look_up_key(scope)
        return None if found is None else require_served(found)

    def _look_up_key(self, scope: Scope) -> ServedLoop | UnservedLoop | None:
        """``authenticate_key`` for a loop whether it is served or not."""
        key = find_key(scope["headers"], scope["query_string"])
        if not key:
            return None
        try:
            found = self._loop_table.look_up(key)
        except Unauthorized:
            self._throttle.record_wrong_key(client_address(scope), key)
            raise
        name = scope.get(SCOPE_LOOP)
        if name is not None and name != found.name:
            raise Unauthorized("Access denied: the key belongs to another loop than the one in the path.")
        if found.networks is not None:
            found.networks.check(client_address(scope))
        return found

    async def authenticate(self, scope: Scope, permission: Permission, /) -> AuthenticatedRequest:
        """Authenticate a request by key or by token, and check that the caller has a permission.

        The owner key is accepted where the path or the host names a loop, as a token with the role Owner is.

        Raises:
            Unauthorized: neither is there, or what is there is not valid here.
            Forbidden: the caller lacks the permission, or calls from a network that the loop does not allow.
            TooManyRequests: the key or token is wrong, and too many such were tried.
            LoopUnavailable: the loop can't be opened now.
        """
        key = find_key(scope["headers"], scope["query_string"])
        named = self._find_named_loop(scope) if self._is_owner_key(key) else None
        if named is not None:
            caller = _OWNER
        else:
            served_loop = self.authenticate_key(scope)
            if served_loop is not None:
                return AuthenticatedRequest(served_loop, _to_caller(served_loop, key))
            caller = await self.verify_token(scope)
            # Not before: a name may cost the opening of a loop, which is for those who were let in.
            named = self._find_named_loop(scope)
        if named is None or not caller.may(permission, named.name):
            raise Forbidden(
                f"Access denied: {caller.name} has no role that allows this on the loop that is named by the "
                "path (/loops/{name}/personalizer/…) or by the host ({name}.…)."
            )
        if named.networks is not None:
            named.networks.check(client_address(scope))
        return AuthenticatedRequest(require_served(named), caller)

    async def identify_caller(self, scope: Scope, /) -> Caller:
        """Identify the caller of the control plane, where a key of a loop allows less than on the wire.

        Raises:
            Unauthorized: neither a key nor a token is there, or what is there is not valid here.
            Forbidden: the loop of the key can't be called from this network.
            TooManyRequests: the key or token is wrong, and too many such were tried.
        """
        key = find_key(scope["headers"], scope["query_string"])
        if self._is_owner_key(key):
            return _OWNER
        found = self._look_up_key(scope)
        if found is None:
            return await self.verify_token(scope)
        grants = (Grant("Reader", found.name), Grant("User", found.name))
        return Caller(name=_to_caller(found, key).name, grants=grants, loop_id=found.loop_id)

    def _is_owner_key(self, key: bytes) -> bool:
        owner_digest = self._owner_digest
        return bool(key) and owner_digest is not None and hmac.compare_digest(self._digest(key), owner_digest)

    async def verify_token(self, scope: Scope, /) -> Caller:
        """Verify the bearer token of a request and return its holder.

        Raises:
            Unauthorized: there is none, or it is not valid here.
            TooManyRequests: the key or token is wrong, and too many such were tried.
        """
        token = find_bearer_token(scope["headers"])
        if not token or self._token_verifier is None:
            self._loop_table.find(b"")  # raises, in the words of a missing key
            raise Unauthorized
        address = client_address(scope)
        try:
            return await self._token_verifier.verify(token, address=address)
        except Unauthorized:
            self._throttle.record_wrong_token(address, token)
            raise

    def _digest(self, key: bytes) -> bytes:
        return blake2b(key, key=self._secret, digest_size=32).digest()

    def _find_named_loop(self, scope: Scope) -> ServedLoop | UnservedLoop | None:
        name = scope.get(SCOPE_LOOP) or find_host_label(scope["headers"])
        return self._loop_table.find_by_name(name)


def _to_caller(found: ServedLoop | UnservedLoop, key: bytes) -> Caller:
    which = 1 if key == found.keys[0].encode() else 2
    return Caller(name=f"key {which} of {found.name}", grants=(Grant("Contributor", found.name),))


def find_bearer_token(headers: Sequence[Header], /) -> bytes:
    """Read the bearer token of a request; empty if there is none."""
    for name, value in headers:
        if name == _AUTHORIZATION:
            return value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else b""
    return b""


def find_host_label(headers: Sequence[Header], /) -> str:
    """Read the first label of the host name, in small letters: the loop's name, where hosts name loops."""
    for name, value in headers:
        if name == b"host":
            return value.partition(b".")[0].decode("ascii", "replace").lower()
    return EVERY_LOOP  # the name of no loop


HEADER = b"ocp-apim-subscription-key"
QUERY = b"subscription-key"


def find_key(headers: Sequence[Header], query: bytes, /) -> bytes:
    """Read the key of a request; empty if there is none. Header names are in lower case, as ASGI has them."""
    for name, value in headers:
        if name == HEADER:
            return value
    if QUERY in query.lower():
        return _find_in_query(query)
    return b""


def _find_in_query(query: bytes) -> bytes:
    for name, values in parse_qs(query).items():
        if name.lower() == QUERY:
            return values[0]
    return b""
