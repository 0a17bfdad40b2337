"""A container of Azure's blob storage, by its SAS URI: the kind of location that every migration needs.

Three requests of its REST API: list, get, put. A blob is always put whole.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import ElementTree

import requests

from sartor.errors import LocationUnavailable
from sartor.transfer.locations import File, strip_secrets

_VERSION = "2021-12-02"
_TIMEOUT_S = (10.0, 60.0)
"""How long a connection may take, and how long it may be silent."""


class AzureContainer:
    """A ``FileLocation``: a container, or a folder in it."""

    def __init__(self, sas_uri: str, /) -> None:
        """Parses the URI; nothing is requested yet."""
        parts = urlsplit(sas_uri)
        account, _, inside = parts.path.lstrip("/").partition("/")
        self.label = strip_secrets(sas_uri)
        self._container = parts._replace(path=f"/{account}", query="", fragment="").geturl()
        self._folder = inside.strip("/")
        self._signature = parse_qsl(parts.query)
        self._session = requests.Session()
        self._session.headers["x-ms-version"] = _VERSION

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
        with self._translate_errors():
            self._check(
                self._session.put(
                    self._blob(name),
                    params=self._signature,
                    data=content,
                    headers={"x-ms-blob-type": "BlockBlob", "Content-Type": "application/x-ndjson"},
                    timeout=_TIMEOUT_S,
                )
            )

    def _is_inside(self, path: str) -> bool:
        return not self._folder or path == self._folder or path.startswith(f"{self._folder}/")

    def _check(self, answer: requests.Response) -> None:
        if not answer.ok:
            answer.close()
            raise LocationUnavailable(f"{self.label} answered {answer.status_code} {answer.reason}.")

    def _blob(self, path: str) -> str:
        return f"{self._container}/{quote(path)}"

    def _page(self, marker: str) -> ElementTree.Element:
        query = {"restype": "container", "comp": "list", "prefix": self._folder, "marker": marker}
        parameters = [(name, value) for name, value in query.items() if value]
        with self._translate_errors():
            answer = self._session.get(self._container, params=parameters + self._signature, timeout=_TIMEOUT_S)
            self._check(answer)
            return ElementTree.fromstring(answer.content)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Translates errors, without the address, which holds the signature."""
        try:
            yield
        except requests.RequestException as error:
            raise LocationUnavailable(f"{self.label} can't be reached ({type(error).__name__}).") from None
        except ElementTree.ParseError:
            raise LocationUnavailable(f"{self.label} does not answer as a container does.") from None


def _to_file(blob: ElementTree.Element) -> File:
    return File(blob.findtext("Name") or "", int(blob.findtext("Properties/Content-Length") or 0))
