"""The head of a request: checked for what the parser lets pass, and turned into an ASGI scope."""

import re
from typing import TYPE_CHECKING

import httptools

from sartor.access.asgi import Header, Scope
from sartor.api.http.error_responses import error_response
from sartor.api.http.response import Response

if TYPE_CHECKING:
    from uvicorn._types import ASGIVersions

_ASGI: "ASGIVersions" = {"version": "3.0", "spec_version": "2.3"}
_HOST = re.compile(
    rb"(\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?"
)
_SPACES = b" \t"


class BadHead(Exception):
    """The head of a request is refused; ``response`` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.response: Response = error_response(400, "BadRequest", message)


class RequestHead:
    """One head: its target and headers, as far as they have come."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[Header] = []
        self.length = 0
        self.is_chunked = False
        self.expects_continue = False
        self._hosts: list[bytes] = []

    def add_header(self, name: bytes, value: bytes, /) -> None:
        """Take a header. Spaces around its value, of which the parser leaves some, are no part of it.

        Raises:
            BadHead: it announces a coding of the body that is not spoken here.
        """
        name, value = name.lower(), value.strip(_SPACES)
        if name == b"host":
            self._hosts.append(value)
        elif name == b"content-length":
            self.length = int(value)  # the parser has checked that these are digits, and one number
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked":
                raise BadHead("The only Transfer-Encoding that is understood is chunked.")
            self.is_chunked = True
        elif name == b"expect":
            self.expects_continue = value.lower() == b"100-continue"
        self.headers.append((name, value))

    @property
    def body_length(self) -> int | None:
        """How long the body is; None: it comes in chunks."""
        return None if self.is_chunked else self.length

    def to_scope(
        self,
        method: str,
        version: str,
        /,
        *,
        client: tuple[str, int] | None,
        server: tuple[str, int | None] | None,
        scheme: str | None,
    ) -> Scope:
        """Build the ASGI scope.

        Raises:
            BadHead: the version of HTTP, the host or the target can't be used.
        """
        if version not in ("1.1", "1.0"):
            raise BadHead("The version of HTTP must be 1.1 or 1.0.")
        try:
            target = httptools.parse_url(self.target)
        except httptools.HttpParserInvalidURLError:
            raise BadHead("The target of the request is not a path or a URL.") from None
        self._check_host(version, target.host)
        raw_path = target.path or b"/"
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": method,
            "scheme": scheme,
            "path": raw_path.decode("ascii"),
            "raw_path": raw_path,
            "query_string": target.query or b"",
            "root_path": "",
            "headers": self.headers,
            "client": client,
            "server": server,
            "state": {},
        }

    def _check_host(self, version: str, named: bytes | None) -> None:
        hosts = self._hosts
        if not hosts and version == "1.0":
            return
        if len(hosts) != 1:
            raise BadHead(f"The header Host must be sent once, not {len(hosts)} times.")
        host = _HOST.fullmatch(hosts[0])
        if host is None:
            raise BadHead("The header Host must be a host name or an address, with a port if need be.")
        # What goes by the one and what goes by the other would see two different hosts.
        if named is not None and named.strip(b"[]").lower() != host[1].strip(b"[]").lower():
            raise BadHead("The target of the request names another host than the header Host.")
