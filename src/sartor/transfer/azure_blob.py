"""A container of Azure's blob storage, by its SAS URI: the kind of location that every migration needs.

Three requests of its REST API: list, get, put. A blob is always put whole.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import responses
from socket import socket
from typing import BinaryIO, cast
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import ElementTree

import requests
from urllib3.exceptions import HTTPError

from sartor.access.deadline import Deadline
from sartor.access.destinations import Reach
from sartor.access.outgoing import OutgoingSession
from sartor.errors import DestinationRefused, LocationUnavailable
from sartor.transfer.locations import File, strip_secrets

_VERSION = "2021-12-02"
_TIMEOUT_S = (10.0, 60.0)
"""How long a connection may take, and how long it may be silent."""
_PUT_S = 600.0
"""How long a blob may take as a whole: who takes a byte now and then would keep it in memory for hours."""
_PAGE_BYTES = 64 * 2**20
"""How much a page of the list may hold: 5,000 blobs with names of 1,024 characters, escaped."""
_CHUNK = 65_536


class AzureContainer:
    """A ``FileLocation``: a container, or a folder in it."""

    def __init__(self, sas_uri: str, /, *, reach: Reach = "any") -> None:
        """Parses the URI; nothing is requested yet. ``reach``: to which addresses a connection may be made.

        Raises:
            LocationUnavailable: it is no URL.
        """
        try:
            parts = urlsplit(sas_uri)
        except ValueError:
            raise LocationUnavailable("The target is not a URL.") from None
        account, _, inside = parts.path.lstrip("/").partition("/")
        self.label = strip_secrets(sas_uri)
        self._container = parts._replace(path=f"/{account}", query="", fragment="").geturl()
        self._folder = inside.strip("/")
        self._signature = parse_qsl(parts.query)
        self._reach: Reach = reach
        self._session = self._open_session()

    def _open_session(self, on_connect: Callable[[socket], None] = lambda _: None) -> OutgoingSession:
        session = OutgoingSession(self._reach, on_connect=on_connect)
        session.headers["x-ms-version"] = _VERSION
        return session

    def files(self) -> Sequence[File]:
        """Returns all files below it, by path; see ``FileLocation``."""
        found: list[File] = []
        marker = ""
        while True:
            page = self._page(marker)
            found += [file for file in map(_to_file, page.iter("Blob")) if self._is_inside(file.path)]
            marker = page.findtext("NextMarker") or ""
            if not marker:
                break
        if not found:
            raise LocationUnavailable(f"There is nothing at {self.label}.")
        return sorted(found, key=lambda file: file.path)

    def open(self, path: str, /) -> BinaryIO:
        """Opens a file at its beginning; see ``FileLocation``."""
        with self._translate_errors():
            answer = self._session.get(
                self._blob(path), params=self._signature, stream=True, timeout=_TIMEOUT_S
            )
            self._check(answer)
            answer.raw.decode_content = True
            return cast(BinaryIO, answer.raw)

    def put(self, path: str, content: bytes, /) -> None:
        """Writes a whole file; see ``FileLocation``."""
        name = f"{self._folder}/{path}" if self._folder else path
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/x-ndjson"}
        with (
            self._translate_errors(),
            Deadline(_PUT_S) as deadline,
            self._open_session(deadline.watch) as session,
            session.put(
                self._blob(name),
                params=self._signature,
                data=content,
                headers=headers,
                timeout=_TIMEOUT_S,
                stream=True,  # what it says of a success may be of any length
            ) as answer,
        ):
            with suppress(HTTPError, OSError):  # its status counts, whatever becomes of the rest of its answer
                answer.raw.read(_CHUNK, decode_content=False)
            self._check(answer)

    def _is_inside(self, path: str) -> bool:
        return not self._folder or path == self._folder or path.startswith(f"{self._folder}/")

    def _check(self, answer: requests.Response) -> None:
        status = answer.status_code
        if not 200 <= status < 300:
            answer.close()
            hint = "; redirects are not followed" if 300 <= status < 400 else ""
            raise LocationUnavailable(f"{self.label} answered {status} {responses.get(status, '')}{hint}.")

    def _blob(self, path: str) -> str:
        return f"{self._container}/{quote(path)}"

    def _page(self, marker: str) -> ElementTree.Element:
        query = {"restype": "container", "comp": "list", "prefix": self._folder, "marker": marker}
        parameters = [(name, value) for name, value in query.items() if value]
        with self._translate_errors():
            answer = self._session.get(
                self._container, params=parameters + self._signature, timeout=_TIMEOUT_S, stream=True
            )
            self._check(answer)
            return ElementTree.fromstring(self._read_page(answer))

    def _read_page(self, answer: requests.Response) -> bytes:
        page = b""
        with answer:
            for part in answer.iter_content(_CHUNK):
                page += part
                if len(page) > _PAGE_BYTES:
                    raise LocationUnavailable(f"{self.label} answers with more than a list of blobs.")
        return page

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Translates errors, without the address, which holds the signature."""
        try:
            yield
        except DestinationRefused as error:
            raise LocationUnavailable(f"{self.label} {error.message}.") from None
        except requests.RequestException as error:
            raise LocationUnavailable(f"{self.label} can't be reached ({type(error).__name__}).") from None
        except ElementTree.ParseError:
            raise LocationUnavailable(f"{self.label} does not answer as a container does.") from None


def _to_file(blob: ElementTree.Element) -> File:
    return File(blob.findtext("Name") or "", int(blob.findtext("Properties/Content-Length") or 0))
