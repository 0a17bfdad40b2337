"""A container of Azure's blob storage, by its SAS URI: the one kind of place that migrating needs at once.

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
    """A ``Place``: a container, or a folder in it."""

    def __init__(self, sas_uri: str, /) -> None:
        """Nothing is asked yet."""
        parts = urlsplit(sas_uri)
        account, _, inside = parts.path.lstrip("/").partition("/")
        self.label = strip_secrets(sas_uri)
        self._container = parts._replace(path=f"/{account}", query="", fragment="").geturl()
        self._folder = inside.strip("/")
        self._signature = parse_qsl(parts.query)
        self._session = requests.Session()
        self._session.headers["x-ms-version"] = _VERSION

    def files(self) -> Sequence[File]:
        """See ``places.Place``."""
        found: list[File] = []
        marker = ""
        while True:
            page = self._page(marker)
            found += [file for file in map(_file, page.iter("Blob")) if self._is_inside(file.path)]
            marker = page.findtext("NextMarker") or ""
            if not marker:
                break
        if not found:
            raise LocationUnavailable(f"There is nothing at {self.label}.")
        return sorted(found, key=lambda file: file.path)

    def open(self, path: str, /) -> BinaryIO:
        """See ``places.Place``."""
        with self._translated():
            answer = self._session.get(
                self._blob(path), params=self._signature, stream=True, timeout=_TIMEOUT_S
            )
            self._check(answer)
            answer.raw.decode_content = True
            return cast(BinaryIO, answer.raw)

    def put(self, path: str, content: bytes, /) -> None:
        """See ``places.Place``."""
        name = f"{self._folder}/{path}" if self._folder else path
        with self._translated():
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
        asked = {"restype": "container", "comp": "list", "prefix": self._folder, "marker": marker}
        given = [(name, value) for name, value in asked.items() if value]
        with self._translated():
            answer = self._session.get(self._container, params=given + self._signature, timeout=_TIMEOUT_S)
            self._check(answer)
            return ElementTree.fromstring(answer.content)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Errors without the address, in which the signature is."""
        try:
            yield
        except requests.RequestException as error:
            raise LocationUnavailable(f"{self.label} can't be reached ({type(error).__name__}).") from None
        except ElementTree.ParseError:
            raise LocationUnavailable(f"{self.label} does not answer as a container does.") from None


def _file(blob: ElementTree.Element) -> File:
    return File(blob.findtext("Name") or "", int(blob.findtext("Properties/Content-Length") or 0))
