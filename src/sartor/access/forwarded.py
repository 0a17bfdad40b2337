"""Reads for whom a proxy calls: ``X-Forwarded-For`` and ``Forwarded`` (RFC 7239). No text makes it fail.

Both are lists to whose end each proxy appends the address that called it, so both are read from the end: what a
client wrote at the beginning can't change what is read of the proxies' own entries.
"""

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address, ip_address

from sartor.access.asgi import Header

X_FORWARDED_FOR = b"x-forwarded-for"
FORWARDED = b"forwarded"

# A port is a number, or in RFC 7239 a name that hides it; some write the colon alone.
_BRACKETED = re.compile(r"\[([^\[\]]+)\](?::(?:\d{1,5}|_[\w.-]+)?)?")
_BARE_WITH_PORT = re.compile(r"([0-9A-Fa-f:]+:[0-9A-Fa-f:.]*):\d{1,5}")
_WITH_PORT = re.compile(r"([^:\[\]]+):(?:\d{1,5}|_[\w.-]+)?")


def parse_address(text: str, /) -> str | None:
    """Return the address of an entry, with or without a port; IPv6 with or without brackets.

    None: it is another text. An IPv4 address in IPv6 is given as IPv4; a zone is dropped. IPv6 with a port but
    without brackets is read where it can't be anything else.
    """
    found = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    if found is not None:
        return normalise_address(found[1])
    address = normalise_address(text)
    if address is None and (found := _BARE_WITH_PORT.fullmatch(text)) is not None:
        address = normalise_address(found[1])
    return address


def normalise_address(text: str, /) -> str | None:
    """Return an IP address as it is written shortest; None: it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def read_x_forwarded_for(headers: Sequence[Header], /) -> Iterator[str | None]:
    """Give the entries from the last to the first; None for one that is no address."""
    for entry in reversed(_join(headers, X_FORWARDED_FOR).split(",")):
        if stripped := entry.strip():
            yield parse_address(stripped.strip('"'))


def read_forwarded(headers: Sequence[Header], /) -> Iterator[str | None]:
    """Give the ``for`` of the elements from the last to the first; None where it names no address."""
    for element in _split_from_end(_join(headers, FORWARDED), ","):
        if element.strip():
            yield _read_for(element)


def _join(headers: Sequence[Header], wanted: bytes) -> str:
    return ",".join(value.decode("latin-1") for name, value in headers if name == wanted)


def _read_for(element: str) -> str | None:
    named: list[str] = []
    for pair in _split_from_end(element, ";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            named.append(value.strip())
    if len(named) != 1:  # it says nothing, or two things
        return None
    value = named[0]
    if value[:1] == '"' and value[-1:] == '"' and len(value) > 1:
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return parse_address(value)


def _split_from_end(text: str, separator: str) -> Iterator[str]:
    """Split a text at separators outside quotes, which are paired from the end; last part first."""
    end, is_quoted = len(text), False
    for place in range(len(text) - 1, -1, -1):
        if text[place] == '"' and text[place - 1 : place] != "\\":
            is_quoted = not is_quoted
        elif text[place] == separator and not is_quoted:
            yield text[place + 1 : end]
            end = place
    yield text[:end]
