"""The client of other services' HTTP: it follows no redirect, and may connect to public addresses only.

Every request that this service makes by itself goes through ``OutgoingSession``. A redirect is an answer like
any other: whoever sends one would choose where the next request goes, with its body and its secrets.
"""

import socket
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from sartor.access.destinations import Reach
from sartor.access.public_addresses import find_public_addresses

_Connect: TypeAlias = Callable[[HTTPConnection, Callable[[], socket.socket]], socket.socket]


class OutgoingSession(requests.Session):
    """A session of ``requests`` that follows no redirect.

    Where it reaches public addresses only, a host is looked up once for each connection, which is made to the
    address that was checked: what the name means a moment later does not matter. Such a session goes through no
    proxy, which would look the name up again, and knows no password of this machine's user.
    """

    def __init__(
        self, reach: Reach = "any", /, *, on_connect: Callable[[socket.socket], None] = lambda _: None
    ) -> None:
        """Prepare. Its requests raise ``DestinationRefused`` where an address is not public.

        Args:
            reach: to which addresses it connects.
            on_connect: called with each new connection, before the handshake of TLS.
        """
        super().__init__()
        self._reach = reach
        self._on_connect = on_connect
        if reach == "public":
            self.trust_env = False
        adapter = _Adapter(self._connect)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def _connect(
        self, connection: HTTPConnection, connect_anywhere: Callable[[], socket.socket]
    ) -> socket.socket:
        opened = _connect_to_public(connection) if self._reach == "public" else connect_anywhere()
        self._on_connect(opened)
        return opened

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where a redirect leads: nowhere."""
        return None

    def merge_environment_settings(self, *args: Any, **settings: Any) -> Any:
        """Take from the environment which certificates are trusted, and a proxy only where one is right."""
        if self._reach == "any":
            return super().merge_environment_settings(*args, **settings)
        return requests.Session().merge_environment_settings(*args, **settings) | {"proxies": {}}


class _Adapter(HTTPAdapter):
    """Opens connections in a way of our own, also to a proxy."""

    def __init__(self, connect: _Connect) -> None:
        self._pools = _create_pools(connect)
        super().__init__()

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        super().init_poolmanager(*args, **settings)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **settings: Any) -> Any:
        manager = super().proxy_manager_for(*args, **settings)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _create_pools(connect: _Connect) -> dict[str, type[HTTPConnectionPool]]:
    class OurConnection(HTTPConnection):
        # The one place where the socket is there before the handshake of TLS, which asks for the host's name.
        def _new_conn(self) -> socket.socket:
            return connect(self, super()._new_conn)

    class OurTlsConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self, super()._new_conn)

    class OurPool(HTTPConnectionPool):
        ConnectionCls = OurConnection

    class OurTlsPool(HTTPSConnectionPool):
        ConnectionCls = OurTlsConnection

    return {"http": OurPool, "https": OurTlsPool}


def _connect_to_public(connection: HTTPConnection) -> socket.socket:
    """Connect to the first address that answers, as urllib3 does by the host's name, with its errors."""
    host, port = connection.host, connection.port
    try:
        addresses = find_public_addresses(host, port)
    except OSError as error:
        raise NameResolutionError(host, connection, _as_lookup_error(error)) from error
    failure: OSError = OSError("There is no address.")
    for address in addresses:
        try:
            opened = create_connection(
                (address, port),
                connection.timeout,
                source_address=connection.source_address,
                socket_options=connection.socket_options,
            )
        except OSError as error:
            failure = error
        else:
            sys.audit("http.client.connect", connection, host, port)
            return opened
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"Connection to {host} timed out.") from failure
    raise NewConnectionError(connection, f"Failed to establish a new connection: {failure}") from failure


def _as_lookup_error(error: OSError) -> socket.gaierror:
    return error if isinstance(error, socket.gaierror) else socket.gaierror(*error.args)
