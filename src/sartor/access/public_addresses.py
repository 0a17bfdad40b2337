"""Which addresses are public, and the look-up of a host that has such addresses only."""

import socket
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from sartor.errors import DestinationRefused

Address = IPv4Address | IPv6Address

_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "100.64.0.0/10",  # behind the translation of a provider; the metadata of one cloud too
            "168.63.129.16/32",  # looks public: the platform service of one cloud, for its machines only
            "192.0.0.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "240.0.0.0/4",
            "::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "3fff::/20",
            "5f00::/16",
            "fec0::/10",
        ),
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)


def is_public(address: Address, /) -> bool:
    """Whether an address is one of the public network, and so are those that are embedded in it."""
    return all(map(_is_public, (address, *_find_embedded(address))))


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _NAT64):
        return True  # as its embedded address is
    if address.is_multicast or address.is_unspecified or address.is_reserved or not address.is_global:
        return False
    return not any(address.version == one.version and address in one for one in _NOT_PUBLIC)


def _find_embedded(address: Address) -> Iterator[IPv4Address]:
    """Find the IPv4 addresses at which an IPv6 address ends up: mapped, 6to4, NAT64, ISATAP."""
    if not isinstance(address, IPv6Address):
        return
    value = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _NAT64 or (value >> 32) & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(value & 0xFFFFFFFF)


def find_public_addresses(host: str, port: int, /) -> Sequence[str]:
    """Look a host up; returns its addresses, all of them public.

    One that is not public is enough to refuse: who mixes them hopes that another one is taken next time.

    Raises:
        DestinationRefused: one is not public.
        OSError: there is none, or the resolver does not answer.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for text in addresses:
        if "%" in text or not is_public(ip_address(text)):
            raise DestinationRefused("must be at a public address, not in the network of this service")
    return addresses
