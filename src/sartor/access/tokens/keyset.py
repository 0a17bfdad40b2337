"""The public keys of one issuer: fetched when first needed, kept, and fetched again when one is unknown."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import requests
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from sartor.access.tokens.issuers import Issuer, check_address
from sartor.errors import InvalidSetting, Unavailable

FRESH_S = 600.0
"""How long the keys are believed; an issuer that withdraws one is heard within this time."""

PAUSE_S = 10.0
"""How long to wait before the keys are fetched again for one that is unknown: anybody can name a key."""

_TIMEOUT_S = 5.0
_MOST_BYTES = 1_048_576
_TYPES = ("RSA", "EC", "OKP")

PublicKey = RSAKey | ECKey | OKPKey
_log = logging.getLogger(__name__)


class IssuerKeys:
    """The keys of an issuer, by id. ``fetch`` blocks; the rest does not."""

    def __init__(self, issuer: Issuer, /, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._clock_s = clock_s
        self._keys: dict[str | None, PublicKey] = {}
        self._fetched_s = float("-inf")
        self._tried_s = float("-inf")

    @property
    def is_due(self) -> bool:
        """Whether the keys are too old to be believed, or were never fetched."""
        return self._clock_s() - self._fetched_s >= FRESH_S and self._may_try

    @property
    def _may_try(self) -> bool:
        return self._clock_s() - self._tried_s >= PAUSE_S

    def find(self, key_id: str | None, /) -> PublicKey | None:
        """The key of that id; without an id, the only one there is."""
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def wants(self, key_id: str | None, /) -> bool:
        """Whether fetching may help to find this key."""
        return self.find(key_id) is None and self._may_try

    def fetch(self) -> None:
        """Fetch the keys; where it fails, those that there are stay for a while.

        Raises:
            Unavailable: there are none, or they are too old, and new ones can't be fetched.
        """
        self._tried_s = self._clock_s()
        try:
            self._keys = _usable(_get(self._uri()))
        except (requests.RequestException, msgspec.DecodeError, InvalidSetting, ValueError) as error:
            extra = {"action": "keys_not_fetched", "issuer": self._issuer.issuer}
            _log.warning("The keys of an issuer can't be fetched: %s", type(error).__name__, extra=extra)
            if not self._keys:
                raise Unavailable("The keys of the token's issuer can't be fetched now.") from error
            return
        self._fetched_s = self._clock_s()

    def _uri(self) -> str:
        if self._issuer.jwks_uri is not None:
            return self._issuer.jwks_uri
        said = _get(self._issuer.discovery_uri)
        if said.get("issuer") != self._issuer.issuer or not isinstance(said.get("jwks_uri"), str):
            raise ValueError("The discovery document is for another issuer, or names no keys.")
        check_address(said["jwks_uri"])
        return str(said["jwks_uri"])


def _get(url: str) -> dict[str, Any]:
    with requests.get(url, timeout=_TIMEOUT_S, allow_redirects=False, stream=True) as answer:
        answer.raise_for_status()
        body = b""
        for part in answer.iter_content(65_536):
            body += part
            if len(body) > _MOST_BYTES:
                raise ValueError("The answer is too large.")
    return msgspec.json.decode(body, type=dict[str, Any])


def _usable(said: Mapping[str, Any]) -> dict[str | None, PublicKey]:
    """The public keys for signatures; a symmetric key has no business among published ones."""
    found: dict[str | None, PublicKey] = {}
    for one in said.get("keys", ()):
        if not isinstance(one, dict) or one.get("kty") not in _TYPES or one.get("use", "sig") != "sig":
            continue
        try:
            key = import_key({name: value for name, value in one.items() if name != "d"})
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            found[one.get("kid")] = key
    if not found:
        raise ValueError("There is no usable key.")
    return found
