"""Throttle: addresses that tried keys or tokens in vain, and how they are slowed down.

Guessing a key of 128 random bits is hopeless; this keeps it cheap for the service and visible to its people.
An address may come with some different wrong ones at once, and then with one a second. Past that it is refused
without a look at what it brings, save what was accepted from there lately: an application behind the same
address goes on. One that brings the same wrong key again and again guesses nothing, and takes nobody's turn.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from msgspec import Struct

from sartor.errors import TooManyRequests

FAILURES = 20
"""With how many wrong keys or tokens an address may come at once."""

PER_S = 1.0
"""How many more each second allows it."""

ADDRESSES = 4096
"""How many addresses are remembered; those that failed longest ago are forgotten first."""

_CREDENTIALS = 64
_log = logging.getLogger(__name__)


class _FailedAddress(Struct):
    left: float
    at_s: float
    accepted: set[int]
    refused: set[int]
    told: bool = False


class FailedAuthThrottle:
    """Remembers failures by address; of IPv6 by the 64 bits that one subscriber has."""

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._found: OrderedDict[str, _FailedAddress] = OrderedDict()

    @property
    def is_active(self) -> bool:
        """Whether any address is suspect."""
        return bool(self._found)

    def check(self, address: str, credential: bytes, /) -> None:
        """See that an address may try something.

        Raises:
            TooManyRequests: it failed too often, and was not let in with this lately.
        """
        self._forget_oldest()
        suspect = self._found.get(_subscriber(address))
        if suspect is None or self._refilled(suspect) >= 1 or hash(credential) in suspect.accepted:
            return
        if not suspect.told:
            suspect.told = True
            extra = {"action": "keys_tried", "address": address}
            _log.warning("An address tries one wrong key or token after another.", extra=extra)
        raise TooManyRequests("Too many wrong keys or tokens came from your address.", retry_after_s=1)

    def record_failure(self, address: str, credential: bytes, /) -> None:
        """An address brought something that was not accepted."""
        if not address:  # a local socket
            return
        name = _subscriber(address)
        suspect = self._found.get(name)
        if suspect is None:
            suspect = self._found[name] = _FailedAddress(float(FAILURES), self._clock_s(), set(), set())
            if len(self._found) > ADDRESSES:
                self._found.popitem(last=False)
        self._found.move_to_end(name)
        guess = hash(credential)
        if guess not in suspect.refused:
            suspect.left = max(0.0, self._refilled(suspect) - 1)
            if len(suspect.refused) >= _CREDENTIALS:
                suspect.refused.clear()
            suspect.refused.add(guess)

    def record_success(self, address: str, credential: bytes, /) -> None:
        """An address brought something that was accepted; forgets it when its failures are long ago."""
        name = _subscriber(address)
        suspect = self._found.get(name)
        if suspect is None:
            return
        if self._refilled(suspect) >= FAILURES:
            del self._found[name]
        elif len(suspect.accepted) < _CREDENTIALS:
            suspect.accepted.add(hash(credential))

    def _forget_oldest(self) -> None:
        """Let the address go that failed longest ago, if that is long ago; in the end none is left."""
        if self._found:
            oldest = next(iter(self._found))
            if self._refilled(self._found[oldest]) >= FAILURES:
                del self._found[oldest]

    def _refilled(self, suspect: _FailedAddress) -> float:
        now_s = self._clock_s()
        suspect.left = min(float(FAILURES), suspect.left + (now_s - suspect.at_s) * PER_S)
        suspect.at_s = now_s
        return suspect.left


def _subscriber(address: str) -> str:
    if ":" not in address:
        return address
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
