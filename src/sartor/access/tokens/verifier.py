"""Verifies bearer tokens: signature, issuer, audience, times; and reads which roles their claims give.

A token that was accepted is remembered for a minute, so that most requests cost one look-up. What may wait for
an issuer happens on a thread. Signatures cost: an address whose tokens have wrong ones gets so many checks a
second and waits for further ones, so that a good token among bad ones is late at most.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from joserfc import jws
from joserfc.errors import JoseError

from sartor.access.rate_table import RateTable
from sartor.access.roles import Caller
from sartor.access.throttle import find_subscriber
from sartor.access.tokens.issuers import Issuer, TrustedIssuers
from sartor.access.tokens.keyset import STALE_WAIT_S, WAIT_S, IssuerKeys, PublicKey
from sartor.errors import TooManyRequests, Unauthorized, Unavailable

REMEMBERED_S = 60.0
"""How long an accepted token is not checked again."""

CHECKS_PER_S = 2_000.0
"""How many wrong signatures an address may have checked in a second: a fifth of a core."""

QUEUE_S = 2.0
"""How long a token may wait for its check, seconds; beyond that it is refused unchecked, and may come again."""

MOST_WAITING = 100
"""How many tokens of one issuer may wait for its keys; further ones are told to come again."""

_COSTS = {"ES384": 8.0, "ES512": 8.0}
_REMEMBERED = 4096
_TOKEN_BYTES = 16_384


_WRONG_SIGNATURE = "The signature of the token is not valid."
_T = TypeVar("_T")


class _TokenHeader(msgspec.Struct, frozen=True):
    alg: str
    kid: str | None = None


class JwtVerifier:
    """Serves ``authentication.TokenVerifier`` for the issuers that are trusted."""

    def __init__(self, trusted: TrustedIssuers, /, *, clock_s: Callable[[], float] = time.time) -> None:
        """``clock_s``: seconds since 1970."""
        self._leeway_s = trusted.leeway_s
        self._issuers = {issuer.issuer: (issuer, IssuerKeys(issuer)) for issuer in trusted.issuers}
        self._clock_s = clock_s
        self._accepted: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._refused: OrderedDict[bytes, PublicKey] = OrderedDict()
        self._checks = RateTable(burst=CHECKS_PER_S, per_s=CHECKS_PER_S)
        # A thread for each issuer, so that none waits while another one is slow.
        self._threads = ThreadPoolExecutor(len(self._issuers), thread_name_prefix="issuers")
        self._fetches: dict[str, Future[None]] = {}
        self._waiting: Counter[str] = Counter()

    async def verify(self, token: bytes, /, *, address: str = "") -> Caller:
        """Verify a token and return its holder. ``address``: of the client, on whose account it is checked.

        Raises:
            Unauthorized: it is not valid here.
            Unavailable: the keys of its issuer can't be fetched, and those at hand are too old.
            TooManyRequests: too many tokens of that address wait to be verified.
        """
        digest = blake2b(token, digest_size=32).digest()
        known = self._accepted.get(digest)
        now_s = self._clock_s()
        if known is not None and now_s < known[0]:
            return known[1]
        issuer, claims = await self._verify_anew(token, digest, address)
        caller = issuer.caller(claims)
        _remember(self._accepted, digest, (min(now_s + REMEMBERED_S, self._find_expiry_s(claims)), caller))
        return caller

    async def _verify_anew(self, token: bytes, digest: bytes, address: str) -> tuple[Issuer, Mapping[str, Any]]:
        header, claims = _decode_unverified(token)
        issuer, keys = self._issuer_of(claims)
        # Before any key is looked at: the token must not choose how it is checked.
        if header.alg not in issuer.algorithms:
            raise Unauthorized(f"The token is signed with {header.alg!r}, which is not accepted.")
        key = await self._find_key(issuer, keys, header.kid)
        await self._check_signature(token, digest, key, header.alg, address)
        self._check_claims(issuer, claims)
        return issuer, claims

    async def _check_signature(
        self, token: bytes, digest: bytes, key: PublicKey, algorithm: str, address: str
    ) -> None:
        if self._refused.get(digest) is key:
            raise Unauthorized(_WRONG_SIGNATURE)
        account, cost = find_subscriber(address).encode(), _COSTS.get(algorithm, 1.0)
        # Counted before it waits, so that many at once wait one after another.
        wait_s = self._checks.take(account, cost=cost)
        if wait_s > QUEUE_S:
            self._checks.give_back(account, cost=cost)
            raise TooManyRequests("Too many tokens of your address wait to be verified.", retry_after_s=1)
        if wait_s:
            await asyncio.sleep(wait_s)
        try:
            _check_signature(token, key, algorithm)
        except Unauthorized:
            _remember(self._refused, digest, key)
            raise
        self._checks.give_back(account, cost=cost)

    def _issuer_of(self, claims: Mapping[str, Any]) -> tuple[Issuer, IssuerKeys]:
        name = claims.get("iss")
        found = self._issuers.get(name) if isinstance(name, str) else None
        if found is None:
            raise Unauthorized("The token is of an issuer that is not trusted here.")
        return found

    async def _find_key(self, issuer: Issuer, keys: IssuerKeys, key_id: str | None) -> PublicKey:
        """Find the key of a token, and wait for a fetch only where the keys at hand don't do."""
        fetch = self._fetches.get(issuer.issuer)
        if (fetch is None or fetch.done()) and keys.should_fetch(key_id):
            # One for all who need it.
            fetch = self._fetches[issuer.issuer] = keys.start_fetch(self._threads)
        if fetch is not None and not fetch.done():
            if keys.find(key_id) is None:
                await self._wait_for_keys(issuer, fetch)
            elif keys.is_stale:
                await asyncio.wait([asyncio.wrap_future(fetch)], timeout=STALE_WAIT_S)
        key = keys.find(key_id)
        if key is not None:
            return key
        if not keys.is_usable:
            raise Unavailable("The keys of the token's issuer can't be fetched now.")
        raise Unauthorized("The token is signed with a key that its issuer does not publish.")

    async def _wait_for_keys(self, issuer: Issuer, fetch: "Future[None]") -> None:
        """Wait for the end of a fetch; only so many at a time, since each holds a connection of the service."""
        if self._waiting[issuer.issuer] >= MOST_WAITING:
            raise Unavailable("Many tokens wait for the keys of their issuer.")
        self._waiting[issuer.issuer] += 1
        try:
            await asyncio.wait([asyncio.wrap_future(fetch)], timeout=WAIT_S)
        finally:
            self._waiting[issuer.issuer] -= 1

    def _check_claims(self, issuer: Issuer, claims: Mapping[str, Any]) -> None:
        now_s = self._clock_s()
        if now_s >= self._find_expiry_s(claims):
            raise Unauthorized("The token has expired.")
        for name in ("nbf", "iat"):
            if name in claims and now_s < _read_time(claims, name) - self._leeway_s:
                raise Unauthorized("The token is not valid yet.")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if not set(issuer.audiences) & {one for one in audiences if isinstance(one, str)}:
            raise Unauthorized("The token is for another service.")

    def _find_expiry_s(self, claims: Mapping[str, Any]) -> float:
        return _read_time(claims, "exp") + self._leeway_s


def _read_time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unauthorized(f"The token has no time {name!r}.")
    return float(value)


def _decode_unverified(token: bytes) -> tuple[_TokenHeader, Mapping[str, Any]]:
    """Decode the header and the claims of a token, before any of them is verified."""
    if len(token) > _TOKEN_BYTES or token.count(b".") != 2:
        raise Unauthorized("The bearer token is not a signed JSON web token.")
    try:
        signature = jws.extract_compact(token)
        header = msgspec.convert(signature.headers(), _TokenHeader)
        claims = msgspec.json.decode(signature.payload, type=dict[str, Any])
    except (JoseError, msgspec.DecodeError, msgspec.ValidationError, ValueError, RecursionError) as error:
        raise Unauthorized("The bearer token is not a signed JSON web token.") from error
    return header, claims


def _check_signature(token: bytes, key: PublicKey, algorithm: str) -> None:
    try:
        jws.deserialize_compact(token, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError) as error:
        raise Unauthorized(_WRONG_SIGNATURE) from error


def _remember(table: OrderedDict[bytes, _T], digest: bytes, value: _T) -> None:
    table[digest] = value
    table.move_to_end(digest)
    if len(table) > _REMEMBERED:
        table.popitem(last=False)
