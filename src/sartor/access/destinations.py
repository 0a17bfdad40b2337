"""Which URLs of other services this one may reach on behalf of a caller, and the list that says so.

Whoever runs the instance may name any place; a caller of the HTTP API only what the instance's list allows. By
default that is a SAS URI over https, at a public address. A URL is checked twice: as text when it is given, and
its addresses when a connection is made (``public_addresses``, ``outgoing``).
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from sartor.access.public_addresses import is_public
from sartor.errors import DestinationRefused, InvalidSetting

PUBLIC_SAS = "public-sas"
"""The entry of the list that allows SAS URIs over https, on the usual port, at public addresses."""

Reach: TypeAlias = Literal["public", "any"]
"""Which addresses a connection may be made to: public ones only, or whatever the administrator's name means."""

_PORTS = {"http": 80, "https": 443}
_ENTRY = re.compile(r"([a-z][a-z0-9+.-]*)://(\*\.)?([^/?#\\\s*]+)")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_NAMES_INSIDE = (
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "arpa",
    "onion",
)
_HERE = frozenset(
    (
        *("file", "local", "asynclocal", "memory", "data", "dir", "wrapper", "generic", "reference", "git"),
        *("cached", "blockcache", "filecache", "simplecache", "zip", "tar", "libarchive"),
    )
)
"""Schemes that reach this machine, its memory, or another URL inside the URL."""

_LONGEST = 4096


class AllowedDestination(Struct, frozen=True):
    """An entry of the list: a scheme, and a host with its port, or what else stands after ``://``.

    ``subdomains``: the names below the host, and not the host.
    """

    scheme: str
    authority: str
    subdomains: bool = False

    def allows(self, scheme: str, authority: str, /) -> bool:
        """Whether a URL with this scheme and authority is meant."""
        if scheme != self.scheme:
            return False
        return authority.endswith(f".{self.authority}") if self.subdomains else authority == self.authority


class AllowedDestinations(Struct, frozen=True):
    """What callers of the HTTP API may name. ``public_sas``: SAS URIs over https at public addresses."""

    entries: tuple[AllowedDestination, ...] = ()
    public_sas: bool = True

    def check(self, url: str, /) -> Reach:
        """Check a URL that a caller gave; returns to which addresses a connection may be made.

        Raises:
            DestinationRefused: it is not allowed; the message goes on after the name of the URL: "must …".
        """
        scheme, authority = _split(url)
        for entry in self.entries:
            if entry.allows(scheme, authority):
                return "public" if entry.subdomains else "any"
        if not self.public_sas or scheme != "https" or not is_sas_uri(url):
            raise DestinationRefused(f"must be {self._describe()}; sartor serve --allowed-destinations says so")
        host, _, port = authority.rpartition(":")
        if int(port) != _PORTS["https"]:
            raise DestinationRefused(f"must be at port {_PORTS['https']}, not {port}")
        _check_public(host)
        return "public"

    def _describe(self) -> str:
        kinds = ["the SAS URI of a container, by https"] if self.public_sas else []
        return (
            " or ".join([*kinds, *(["at a place that this service allows"] if self.entries else [])]) or "empty"
        )


def parse_destinations(text: str, /) -> AllowedDestinations:
    """Parse the list: entries with commas between; an empty text allows nothing.

    An entry is ``public-sas``, or a scheme and a host: ``https://*.blob.core.windows.net`` for all names below
    it that have public addresses, ``http://127.0.0.1:10000``, ``s3://BUCKET``.

    Raises:
        InvalidSetting: an entry is not like that.
    """
    entries, public_sas = [], False
    for one in filter(None, (part.strip() for part in text.split(","))):
        if one == PUBLIC_SAS:
            public_sas = True
        else:
            entries.append(_parse_entry(one))
    return AllowedDestinations(tuple(entries), public_sas)


def is_sas_uri(url: str, /) -> bool:
    """Whether a URL is that of a container with its signature."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _PORTS and any(name == "sig" for name, _ in parse_qsl(parts.query))


def check_public_url(url: str, /) -> None:
    """Check that an http or https URL names a host outside, as far as its text tells.

    Raises:
        DestinationRefused: it names this machine or network, or can be read in several ways.
    """
    _, authority = _split(url)
    _check_public(authority.rpartition(":")[0])


def _parse_entry(text: str) -> AllowedDestination:
    found = _ENTRY.fullmatch(text.rstrip("/"))
    if found is None or _is_chain(text):
        raise InvalidSetting(
            f"{text!r} is no allowed destination: write a scheme and a host, such as https://store.example, or "
            f"{PUBLIC_SAS}."
        )
    scheme, subdomains, authority = found.groups()
    if scheme in _HERE:
        raise InvalidSetting(f"{text!r} can't be allowed to callers: {scheme} reaches into this machine.")
    if subdomains and scheme not in _PORTS:
        raise InvalidSetting(f"{text!r}: only hosts of http and https have names below them.")
    if scheme in _PORTS:
        authority = _with_port(scheme, authority)
    return AllowedDestination(scheme, authority, bool(subdomains))


def _split(url: str) -> tuple[str, str]:
    """Split off the scheme and the authority, for http with its port; of a URL with one meaning only."""
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        raise DestinationRefused("must be a URL of printable ASCII without spaces and backslashes")
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if not separator or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) or _is_chain(url):
        raise DestinationRefused("must be one URL with a scheme: no path of this machine, no chain of URLs")
    if scheme in _HERE or not authority:
        raise DestinationRefused("must be a remote URL; 'sartor loop set' takes local folders")
    return scheme, _with_port(scheme, authority) if scheme in _PORTS else authority


def _is_chain(url: str) -> bool:
    return "::" in re.sub(r"\[[^\]]*\]", "", url)


def _with_port(scheme: str, authority: str) -> str:
    """Return a host in one spelling, with its port: ``store.example:443``, ``[::1]:80``."""
    try:
        parts = parse_url(f"{scheme}://{authority}/")
        host, port, bare = parts.host, parts.port, urlsplit(f"{scheme}://{authority}/").hostname
    except (LocationParseError, ValueError) as error:
        raise DestinationRefused("is not a URL") from error
    if "@" in authority or "%" in authority or host is None or bare != host.strip("[]").lower():
        raise DestinationRefused("must name a host, without a user, a password or an escape")
    if port == 0 or authority.endswith(":") or host.endswith("."):
        raise DestinationRefused("must name a host without a dot at its end, and a port that exists")
    return f"{_spell(bare)}:{port or _PORTS[scheme]}"


def _spell(host: str) -> str:
    if ":" in host:
        return f"[{IPv6Address(host).compressed}]"
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        # 2130706433, 0177.0.0.1, 0x7f.1: resolvers read them as addresses, each in its way.
        try:
            return str(IPv4Address(host))
        except ValueError as error:
            raise DestinationRefused("must spell an address as four decimal numbers") from error
    return host.lower()


def _check_public(host: str) -> None:
    try:
        address: IPv4Address | IPv6Address | None = ip_address(host.strip("[]"))
    except ValueError:
        address = None
    if address is None:
        is_outside = _HOST.fullmatch(host) and host.rpartition(".")[2] not in _NAMES_INSIDE
    else:
        is_outside = is_public(address)
    if not is_outside:
        raise DestinationRefused("must be at a public address, not in the network of this service")
