"""Finds the client's address where a trusted proxy calls for it."""

from collections.abc import Iterator, Sequence

from sartor.access.allowed_networks import AllowedNetworks, client_address
from sartor.access.asgi import ASGIApp, Header, Receive, Scope, Send
from sartor.access.forwarded import X_FORWARDED_FOR, read_forwarded, read_x_forwarded_for
from sartor.errors import Forbidden
from sartor.settings import ForwardedHeader

_HOPS = 32
"""How many proxies in a row are followed."""


class TrustedProxies:
    """Wraps an application and sets the client to the last forwarded address that is no trusted proxy.

    What others forward is not believed. Where a proxy does not say for whom it calls, or in words that are no
    address, the client is that proxy: the last address that somebody trustworthy vouches for.
    """

    def __init__(self, app: ASGIApp, networks: Sequence[str], /, *, header: ForwardedHeader = "either") -> None:
        """Wrap an application.

        Args:
            app: the application.
            networks: those of the proxies, in CIDR notation.
            header: which header they write. ``either``: ``X-Forwarded-For`` where it is there, else
                ``Forwarded``.

        Raises:
            InvalidSetting: one is no network.
        """
        self._app = app
        self._trusted = AllowedNetworks(networks)
        self._header = header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        address = client_address(scope)
        if address and self._is_proxy(address):
            scope["client"] = (self._find_client(scope["headers"], address), 0)
        await self._app(scope, receive, send)

    def _find_client(self, headers: Sequence[Header], address: str) -> str:
        for hop, _ in zip(self._read(headers), range(_HOPS), strict=False):
            if hop is None:
                break
            address = hop
            if not self._is_proxy(hop):
                break
        return address

    def _read(self, headers: Sequence[Header]) -> Iterator[str | None]:
        """Give the forwarded addresses, the latest first."""
        if self._header == "forwarded":
            return read_forwarded(headers)
        # Most proxies write this one alone, and pass on what a client wrote into the other.
        is_there = any(name == X_FORWARDED_FOR and value.strip(b" \t,") for name, value in headers)
        if is_there or self._header == "x-forwarded-for":
            return read_x_forwarded_for(headers)
        return read_forwarded(headers)

    def _is_proxy(self, address: str) -> bool:
        try:
            self._trusted.check(address)
        except Forbidden:
            return False
        return True
