"""The public keys of one issuer: fetched when first needed, kept, and fetched again when one is unknown."""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from sartor.access.deadline import Deadline
from sartor.access.destinations import check_public_url
from sartor.access.tokens.fetching import fetch_json
from sartor.access.tokens.issuers import Issuer, check_address
from sartor.errors import DestinationRefused, InvalidSetting

FRESH_S = 600.0
"""Within this time an issuer that answers is heard when it withdraws a key, in seconds."""

REFRESH_S = FRESH_S / 2
"""After this time the keys are fetched again in the background, while tokens are checked with the old ones."""

KEPT_S = 3_600.0
"""How long keys are believed while their issuer can't be reached; longer than most tokens last."""

PAUSE_S = 10.0
"""How long to wait before the keys are fetched again for one that is unknown: anybody can name a key."""

WAIT_S = 6.0
"""How long a token waits for its issuer's keys; an issuer that takes longer counts as away."""

STALE_WAIT_S = 0.5
"""How long a token waits for new keys where old ones are there: whoever answers at once can withdraw one."""

FETCH_S = 5.0
"""How long a fetch may take, from the first connection to the last byte of the keys, in seconds."""

_TYPES = ("RSA", "EC", "OKP")
_RSA_BITS = 8_192
_FORESEEN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    msgspec.DecodeError,
    InvalidSetting,
    DestinationRefused,
    ValueError,
    OSError,
)

PublicKey = RSAKey | ECKey | OKPKey
_log = logging.getLogger(__name__)


class IssuerKeys:
    """The keys of an issuer, by id. Nothing here blocks: keys are fetched on a thread."""

    def __init__(self, issuer: Issuer, /, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._clock_s = clock_s
        self._keys: dict[str | None, PublicKey] = {}
        self._fetched_s = float("-inf")
        self._tried_s = float("-inf")
        self._failed = False

    @property
    def is_usable(self) -> bool:
        """Whether the keys were fetched recently enough to be believed at all."""
        return self._clock_s() - self._fetched_s < KEPT_S

    @property
    def is_stale(self) -> bool:
        """Whether a key may have been withdrawn too long ago, by an issuer that is expected to answer now."""
        now_s = self._clock_s()
        is_away = self._failed or now_s - self._tried_s >= STALE_WAIT_S
        return now_s - self._fetched_s >= FRESH_S and not is_away

    def find(self, key_id: str | None, /) -> PublicKey | None:
        """Find the key of that id, or without an id the only one there is; none is found in keys too old."""
        if not self.is_usable:
            return None
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def should_fetch(self, key_id: str | None, /) -> bool:
        """Whether it is time to fetch: the keys are old, or this one is not among them."""
        now_s = self._clock_s()
        if now_s - self._tried_s < PAUSE_S:
            return False
        return now_s - self._fetched_s >= REFRESH_S or self.find(key_id) is None

    def start_fetch(self, threads: Executor, /) -> "Future[None]":
        """Fetch the keys on a thread; where it fails, those that there are stay until they are too old."""
        self._tried_s = self._clock_s()
        return threads.submit(self._fetch)

    def _fetch(self) -> None:
        try:
            with Deadline(FETCH_S) as deadline:
                self._keys = _parse_keys(self._fetch_keys(deadline))
        except Exception as error:
            self._failed = True
            extra = {"action": "keys_not_fetched", "issuer": self._issuer.issuer}
            unforeseen = None if isinstance(error, _FORESEEN) else error
            _log.warning(
                "The keys of an issuer can't be fetched: %s",
                type(error).__name__,
                exc_info=unforeseen,
                extra=extra,
            )
            return
        self._fetched_s = self._clock_s()
        self._failed = False

    def _fetch_keys(self, deadline: Deadline) -> dict[str, Any]:
        if self._issuer.jwks_uri is not None:
            return fetch_json(self._issuer.jwks_uri, deadline)
        document = fetch_json(self._issuer.discovery_uri, deadline)
        if document.get("issuer") != self._issuer.issuer or not isinstance(document.get("jwks_uri"), str):
            raise ValueError("The discovery document is for another issuer, or names no keys.")
        uri = str(document["jwks_uri"])
        check_address(uri)
        if urlsplit(uri).netloc == urlsplit(self._issuer.discovery_uri).netloc:
            return fetch_json(uri, deadline)
        # The operator named the issuer, the issuer names this: it may not send us into our own network.
        check_public_url(uri)
        return fetch_json(uri, deadline, reach="public")


def _parse_keys(document: Mapping[str, Any]) -> dict[str | None, PublicKey]:
    """Parse the public keys for signatures; others, symmetric ones above all, are passed over."""
    found: dict[str | None, PublicKey] = {}
    published = document.get("keys")
    for one in published if isinstance(published, list) else ():
        if not isinstance(one, dict) or one.get("kty") not in _TYPES or one.get("use", "sig") != "sig":
            continue
        try:
            key = import_key({name: value for name, value in one.items() if name != "d"})
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(key, RSAKey) and key.public_key.key_size > _RSA_BITS:
            continue  # each check would take milliseconds, at the expense of every request
        if isinstance(key, RSAKey | ECKey | OKPKey):
            found[one.get("kid")] = key
    if not found:
        raise ValueError("There is no usable key.")
    return found
