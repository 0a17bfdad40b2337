"""From which networks a loop may be called."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from sartor.access.asgi import Scope
from sartor.access.forwarded import normalise_address
from sartor.errors import Forbidden, InvalidSetting

_REMEMBERED = 4096


def client_address(scope: Scope, /) -> str:
    """Return the address of the client; empty where it has none (a local socket).

    One client has one address, however it is written: an IPv4 client at a socket of both kinds comes as IPv6.
    """
    client = scope.get("client")
    address = str(client[0]) if client else ""
    return (normalise_address(address) or address) if ":" in address else address


def parse_networks(texts: Sequence[str], /) -> tuple[IPv4Network | IPv6Network, ...]:
    """Parse a list of networks in CIDR notation.

    Raises:
        InvalidSetting: one is none; host bits must be 0.
    """
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise InvalidSetting(f"Not a network in CIDR notation: {error}.") from error


class AllowedNetworks:
    """Allows calls from some networks. The result for an address is remembered."""

    def __init__(self, texts: Sequence[str], /) -> None:
        self._networks = parse_networks(texts)
        self._results: dict[str, bool] = {}

    def check(self, address: str, /) -> None:
        """Check that an address is in one of the networks.

        Raises:
            Forbidden: it is not.
        """
        inside = self._results.get(address)
        if inside is None:
            inside = self._contains(address)
            if len(self._results) >= _REMEMBERED:
                self._results.clear()
            self._results[address] = inside
        if not inside:
            raise Forbidden("Access denied: this loop can't be called from your network.")

    def _contains(self, address: str) -> bool:
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        # A client that came by IPv4 to a socket of both kinds.
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)
