"""The listening socket. The supervisor owns it, so that no connection is lost when an api process crashes."""

import errno
import socket
import time

from sartor.errors import InvalidSetting

_BACKLOG = 2048
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def listen(host: str, port: int, *, patience_s: float = 5.0) -> socket.socket:
    """Listen on an address; port 0 takes a free one.

    Waits ``patience_s`` seconds for an address in use: the processes of an instance that was killed a moment
    ago may still be closing it.

    Raises:
        InvalidSetting: the address is not one of this machine, or stays in use.
    """
    until = time.monotonic() + patience_s
    while True:
        try:
            return _bind(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= until:
                reason = error.strerror or error
                raise InvalidSetting(f"Can't listen on {host} port {port}: {reason}.") from error
        time.sleep(0.05)


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def adopt_listener(descriptor: int) -> socket.socket:
    """Returns the listening socket that the supervisor passed on."""
    return socket.socket(fileno=descriptor)


def format_endpoint(listener: socket.socket, host: str, /, *, secure: bool = False) -> str:
    """Returns the URL by which a client on this machine reaches the listener. ``secure``: with TLS."""
    name = _WILDCARDS.get(host, host)
    return f"http{'s' if secure else ''}://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}"
