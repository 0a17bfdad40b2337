"""Throttling of failed authentication, by the address of the client and by what a wrong key begins with.

Guessing a key of 128 random bits is hopeless; this keeps attempts cheap for the service and visible to its
operators. Only what was looked up and is wrong comes here: a key that is valid is served, whatever else its
address does. What is right is never asked for, so neither an answer nor its time depends on which keys exist.

The same wrong key again and again is no guess and is counted once: an application that goes on with a key that
was replaced uses up nobody's attempts. No key at all is no guess either.
"""

import logging
import math
import secrets
import time
from array import array
from collections.abc import Callable
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address

from sartor.access.rate_table import RateTable
from sartor.errors import TooManyRequests

FAILURES = 20
"""How many wrong keys or tokens an address may try at once."""

PER_S = 1.0
"""How many more it may try each second."""

PREFIX_BYTES = 4
"""How much of a wrong key is its beginning. A key has 32 digits, so this says nothing about the rest."""

PREFIX_FAILURES = 50
"""How many wrong keys with the same beginning may be tried at once, from all addresses together."""

PREFIX_PER_S = 5.0
"""How many more each second; five times those of an address, so that one alone does not use them up."""

_REMEMBERED = 4096
_LOG_EVERY_S = 10.0
_log = logging.getLogger(__name__)


class FailedAuthThrottle:
    """Counts failures by address, of IPv6 by the first 64 bits, which one subscriber has; memory is fixed."""

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """``clock_s``: seconds, never going back."""
        self._clock_s = clock_s
        self._addresses = RateTable(burst=FAILURES, per_s=PER_S, clock_s=clock_s)
        self._prefixes = RateTable(burst=PREFIX_FAILURES, per_s=PREFIX_PER_S, clock_s=clock_s)
        self._secret = secrets.token_bytes(32)
        self._recent = array("Q", bytes(8 * _REMEMBERED))
        self._logged_s = -math.inf
        self._refused = 0

    def record_wrong_key(self, address: str, key: bytes, /) -> None:
        """Count a key that belongs to nobody.

        Raises:
            TooManyRequests: too many were tried from this address, or with this beginning.
        """
        self._record(address, key, prefix=key[:PREFIX_BYTES])

    def record_wrong_token(self, address: str, token: bytes, /) -> None:
        """Count a token that is not valid. All tokens begin alike, so only the address counts.

        Raises:
            TooManyRequests: too many were tried from this address.
        """
        self._record(address, token, prefix=b"")

    def _record(self, address: str, credential: bytes, *, prefix: bytes) -> None:
        digest = int.from_bytes(blake2b(credential, key=self._secret, digest_size=8).digest())
        place = digest % _REMEMBERED
        if self._recent[place] == digest:
            return
        subscriber = find_subscriber(address).encode()
        wait_s = self._addresses.wait_s(subscriber) if address else 0.0  # a local socket has none
        if prefix:
            wait_s = max(wait_s, self._prefixes.wait_s(prefix))
        if wait_s:
            self._note_refusal(address)
            raise TooManyRequests("Too many wrong keys or tokens were tried.", retry_after_s=math.ceil(wait_s))
        # What is refused counts nowhere and is not remembered: it would push out what was tried in good faith.
        self._recent[place] = digest
        if address:
            self._addresses.take(subscriber)
        if prefix:
            self._prefixes.take(prefix)

    def _note_refusal(self, address: str) -> None:
        self._refused += 1
        now_s = self._clock_s()
        if now_s - self._logged_s < _LOG_EVERY_S:
            return
        extra = {"action": "keys_tried", "address": address, "refused": self._refused}
        _log.warning(
            "One wrong key or token after another is tried, the last one from %s.", address, extra=extra
        )
        self._logged_s, self._refused = now_s, 0


def find_subscriber(address: str, /) -> str:
    """Return what an address counts as: itself, or the /64 network of an IPv6 address."""
    if ":" not in address:
        return address
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
