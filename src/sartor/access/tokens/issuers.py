"""Which issuers of tokens are trusted, and which roles their claims give: one JSON file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from sartor.access.roles import EVERY_LOOP, Caller, Grant, Role
from sartor.errors import InvalidSetting

Algorithm: TypeAlias = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
"""Those with two keys only: a secret that both sides share would let every holder of it make tokens."""

_NAME_CHARS = 128
_LOCAL = ("127.0.0.1", "localhost", "::1")


class RoleRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has a value in a claim has a role, on one loop or on all.

    ``claim``: its name, with dots into objects. It may hold a text, texts with spaces between, or an array.
    """

    claim: Annotated[str, Meta(min_length=1)]
    value: str
    role: Role
    loop: str = EVERY_LOOP

    def grant(self, claims: Mapping[str, object], /) -> Grant | None:
        """The grant that these claims give; None: none."""
        return Grant(self.role, self.loop) if self.value in _find_claim_values(claims, self.claim) else None


class Issuer(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Whose tokens are accepted.

    ``audiences``: at least one must be in the token. ``jwks_uri``: where its keys are; by default where its
    discovery document says. ``name_claim``: what the audit log calls a holder.
    """

    issuer: Annotated[str, Meta(min_length=1)]
    audiences: Annotated[tuple[str, ...], Meta(min_length=1)]
    roles: tuple[RoleRule, ...] = ()
    jwks_uri: str | None = None
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("RS256",)
    name_claim: str = "sub"

    @property
    def discovery_uri(self) -> str:
        """Where OpenID Connect says what the issuer is like."""
        return self.issuer.rstrip("/") + "/.well-known/openid-configuration"

    def caller(self, claims: Mapping[str, object], /) -> Caller:
        """Who has these claims."""
        found = claims.get(self.name_claim) or claims.get("sub") or "without a name"
        name = "".join(char if char.isprintable() else "?" for char in str(found))[:_NAME_CHARS]
        grants = tuple(grant for rule in self.roles if (grant := rule.grant(claims)) is not None)
        return Caller(name=f"token of {name}", grants=grants)


class TrustedIssuers(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The whole file. ``leeway_s``: how far clocks may be apart, seconds."""

    issuers: Annotated[tuple[Issuer, ...], Meta(min_length=1)]
    leeway_s: Annotated[int, Meta(ge=0, le=300)] = 60


def read_issuers(path: Path, /) -> TrustedIssuers:
    """The file of trusted issuers.

    Raises:
        InvalidSetting: it can't be read, or does not fit.
    """
    try:
        trusted = msgspec.json.decode(path.read_bytes(), type=TrustedIssuers)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"The file of trusted issuers, {path}, can't be used: {error}.") from error
    names = [issuer.issuer for issuer in trusted.issuers]
    if len(set(names)) < len(names):
        raise InvalidSetting(f"The file of trusted issuers, {path}, names an issuer twice.")
    for issuer in trusted.issuers:
        check_address(issuer.jwks_uri or issuer.discovery_uri)
    return trusted


def check_address(url: str, /) -> None:
    """See that keys come by a way on which nobody can exchange them.

    Raises:
        InvalidSetting: it is no ``https://`` URL, nor ``http://`` on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOCAL:
        return
    raise InvalidSetting(f"The keys of an issuer must come by https; {url!r} does not.")


def _find_claim_values(claims: Mapping[str, object], path: str) -> list[str]:
    value: object = claims
    if path in claims:
        value = claims[path]
    else:
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, str):
        return [value, *value.split()]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
