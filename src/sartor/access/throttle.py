"""Throttling of failed authentication, by the address of the client.

Guessing a key of 128 random bits is hopeless; this keeps attempts cheap for the service and visible to its
operators. An address may try some different wrong keys or tokens at once, and then one a second. Beyond that it
is refused before its credential is looked at, except those that were accepted from there lately: an application
behind the same address goes on. The same wrong key sent again and again is no guess, and is not counted.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from msgspec import Struct

from sartor.errors import TooManyRequests

FAILURES = 20
"""How many wrong keys or tokens an address may try at once."""

PER_S = 1.0
"""How many more it may try each second."""

ADDRESSES = 4096
"""How many addresses are remembered; those whose last failure is oldest are forgotten first."""

_CREDENTIALS = 64
_log = logging.getLogger(__name__)


class _FailedAddress(Struct):
    left: float
    at_s: float
    accepted: set[int]
    refused: set[int]
    is_logged: bool = False


class FailedAuthThrottle:
    """Remembers failures by address; by the first 64 bits of IPv6 addresses, which one subscriber has."""

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._addresses: OrderedDict[str, _FailedAddress] = OrderedDict()

    @property
    def is_active(self) -> bool:
        """Whether failures of any address are remembered."""
        return bool(self._addresses)

    def check(self, address: str, credential: bytes, /) -> None:
        """Check that an address may try a credential.

        Raises:
            TooManyRequests: it failed too often, and this credential was not accepted from there lately.
        """
        self._forget_oldest()
        failures = self._addresses.get(_find_subscriber(address))
        if failures is None or self._refill(failures) >= 1 or hash(credential) in failures.accepted:
            return
        if not failures.is_logged:
            failures.is_logged = True
            extra = {"action": "keys_tried", "address": address}
            _log.warning("An address tries one wrong key or token after another.", extra=extra)
        raise TooManyRequests("Too many wrong keys or tokens came from your address.", retry_after_s=1)

    def record_failure(self, address: str, credential: bytes, /) -> None:
        """Remember that a credential from an address was not accepted."""
        if not address:  # a local socket
            return
        name = _find_subscriber(address)
        failures = self._addresses.get(name)
        if failures is None:
            failures = self._addresses[name] = _FailedAddress(float(FAILURES), self._clock_s(), set(), set())
            if len(self._addresses) > ADDRESSES:
                self._addresses.popitem(last=False)
        self._addresses.move_to_end(name)
        guess = hash(credential)
        if guess not in failures.refused:
            failures.left = max(0.0, self._refill(failures) - 1)
            if len(failures.refused) >= _CREDENTIALS:
                failures.refused.clear()
            failures.refused.add(guess)

    def record_success(self, address: str, credential: bytes, /) -> None:
        """Remember that a credential was accepted; forgets the address if its failures are long ago."""
        name = _find_subscriber(address)
        failures = self._addresses.get(name)
        if failures is None:
            return
        if self._refill(failures) >= FAILURES:
            del self._addresses[name]
        elif len(failures.accepted) < _CREDENTIALS:
            failures.accepted.add(hash(credential))

    def _forget_oldest(self) -> None:
        """Forget the address whose last failure is oldest, if that is long ago; in the end none is left."""
        if self._addresses:
            oldest = next(iter(self._addresses))
            if self._refill(self._addresses[oldest]) >= FAILURES:
                del self._addresses[oldest]

    def _refill(self, failures: _FailedAddress) -> float:
        now_s = self._clock_s()
        failures.left = min(float(FAILURES), failures.left + (now_s - failures.at_s) * PER_S)
        failures.at_s = now_s
        return failures.left


def _find_subscriber(address: str) -> str:
    if ":" not in address:
        return address
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
