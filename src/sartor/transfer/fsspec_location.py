"""File locations by path, or by a URL of any kind that ``fsspec`` knows.

``file://`` and ``memory://`` need nothing; ``s3://``, ``gs://``, ``abfs://`` and others need their packages.
Only this file knows fsspec; its errors, and those of whatever it loads, leave as ``LocationUnavailable``.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from sartor.errors import LocationUnavailable
from sartor.private_files import make_private_folder, write_private
from sartor.transfer.locations import File, strip_secrets


class _Redirected(Exception):
    """A server answered with a redirect."""


async def _open_client(**options: Any) -> Any:
    """Opens the client of fsspec's http, which else would follow redirects."""
    from fsspec.implementations.http import aiohttp

    async def refuse(*_: object) -> None:
        raise _Redirected

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(refuse)
    return aiohttp.ClientSession(trace_configs=[tracing], **options)


# For whatever fsspec opens by http, at the end of a chain of URLs too.
for _scheme in ("http", "https"):
    fsspec.config.conf.setdefault(_scheme, {})["get_client"] = _open_client


class FsspecLocation:
    """A ``FileLocation`` that fsspec knows."""

    def __init__(self, url: str, /) -> None:
        """Finds the file system; nothing is opened yet.

        Raises:
            LocationUnavailable: there is no such kind of location, or its package is not installed.
        """
        self.label = strip_secrets(url)
        self._url = url
        with self._translate_errors():
            self._files, self._root = fsspec.core.url_to_fs(url)
            if isinstance(self._files, LocalFileSystem):
                self._root = os.path.abspath(self._root)

    def files(self) -> Sequence[File]:
        """Returns all files below it, by path; see ``FileLocation``. A pattern (``*``) selects what matches."""
        with self._translate_errors():
            if "*" in self._root:
                found = self._files.glob(self._root, detail=True)
            else:
                found = self._files.find(self._root, detail=True)
            if not found:
                raise LocationUnavailable(f"There is nothing at {self.label}.")
            files = [info for info in found.values() if info["type"] == "file"]
            return sorted((File(info["name"], info["size"] or 0) for info in files), key=lambda file: file.path)

    def open(self, path: str, /) -> BinaryIO:
        """Opens a file at its beginning; see ``FileLocation``."""
        with self._translate_errors():
            return cast(BinaryIO, self._files.open(path, "rb"))

    def put(self, path: str, content: bytes, /) -> None:
        """Writes a whole file; see ``FileLocation``. Where renaming is possible, no reader sees half of it."""
        target = f"{self._root.rstrip('/')}/{path}"
        with self._translate_errors():
            if isinstance(self._files, LocalFileSystem):
                _replace(Path(target), content)
            else:
                self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
                self._files.pipe_file(target, content)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except LocationUnavailable:
            raise
        except Exception as error:  # each kind of file system has errors of its own
            # Without its cause, which may hold the whole URL.
            raise LocationUnavailable(f"{self.label} can't be used: {_describe(error, self._url)}.") from None


def _describe(error: Exception, url: str) -> str:
    if _was_redirected(error):
        return "it answered with a redirect, and redirects are not followed"
    if url != strip_secrets(url):  # which the text of an error may repeat
        return type(error).__name__
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__).partition("\n")[0].rstrip(".")


def _was_redirected(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, _Redirected):
        error = error.__cause__ or error.__context__
    return error is not None


def _replace(path: Path, content: bytes) -> None:
    make_private_folder(path.parent)
    draft = path.with_name(f".{uuid4().hex}")
    try:
        write_private(draft, content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
