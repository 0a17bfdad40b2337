"""Reads the client's address from ``X-Forwarded-For`` where a trusted proxy calls."""

from collections.abc import Sequence

from sartor.access.allowed_networks import AllowedNetworks, client_address
from sartor.access.asgi import ASGIApp, Receive, Scope, Send
from sartor.errors import Forbidden

_FORWARDED = b"x-forwarded-for"


class TrustedProxies:
    """Wraps an application and sets the client to the last forwarded address that is no trusted proxy.

    What others write into ``X-Forwarded-For`` is not believed.
    """

    def __init__(self, app: ASGIApp, networks: Sequence[str], /) -> None:
        """``networks``: those of the proxies, in CIDR notation.

        Raises:
            InvalidSetting: one is no network.
        """
        self._app = app
        self._trusted = AllowedNetworks(networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        address = client_address(scope)
        if address and self._is_proxy(address):
            scope["client"] = (self._find_client(scope, address), 0)
        await self._app(scope, receive, send)

    def _find_client(self, scope: Scope, address: str) -> str:
        sent = [value.decode("ascii", "replace") for name, value in scope["headers"] if name == _FORWARDED]
        for hop in reversed([part.strip() for part in ",".join(sent).split(",") if part.strip()]):
            address = hop
            if not self._is_proxy(hop):
                break
        return address

    def _is_proxy(self, address: str) -> bool:
        try:
            self._trusted.check(address)
        except Forbidden:
            return False
        return True
