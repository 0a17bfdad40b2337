"""The official Python client of 2022-09-01-preview, synchronous and asynchronous, behind one face."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from azure.ai import personalizer
from azure.ai.personalizer import aio
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError

from sartor.ports import Loop
from tests.wire.clients.record import Record

CLASSES = ("PersonalizerClient", "PersonalizerAdministrationClient")


class Pieces:
    """A body in pieces, for both kinds of client."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


class Caller(Protocol):
    """Has the operations of both clients as methods; lists and files come whole."""

    def __getattr__(self, operation: str) -> Callable[..., Any]: ...

    def close(self) -> None: ...


Connect = Callable[[Loop], Caller]


class Synchronous:
    """The clients of ``azure.ai.personalizer``."""

    def __init__(self, endpoint: str, key: str, record: Record) -> None:
        self._clients = [getattr(personalizer, name)(endpoint, AzureKeyCredential(key)) for name in CLASSES]
        self._record = record

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return partial(self._call, operation)

    def _call(self, operation: str, *arguments: object, **options: object) -> Any:
        seen: list[Any] = []
        try:
            answer = _whole(
                _found(self._clients, operation)(*arguments, **options, raw_response_hook=_watch(seen))
            )
        except HttpResponseError:
            seen[-1].close()  # the client leaves the answer to a failed export open
            raise
        self._record.note(operation, seen[-1].status_code)
        return answer

    def close(self) -> None:
        for client in self._clients:
            client.close()


class Asynchronous:
    """The clients of ``azure.ai.personalizer.aio``."""

    def __init__(self, endpoint: str, key: str, record: Record) -> None:
        self._runner = asyncio.Runner()
        self._clients = self._runner.run(_made(endpoint, key))
        self._record = record

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return partial(self._call, operation)

    def _call(self, operation: str, *arguments: object, **options: object) -> Any:
        seen: list[Any] = []
        begin = partial(_found(self._clients, operation), *arguments, **options, raw_response_hook=_watch(seen))
        try:
            answer = self._runner.run(_awaited(begin))
        except HttpResponseError:
            self._runner.run(seen[-1].close())
            raise
        self._record.note(operation, seen[-1].status_code)
        return answer

    def close(self) -> None:
        for client in self._clients:
            self._runner.run(client.close())
        self._runner.close()


KINDS: Mapping[str, Callable[[str, str, Record], Caller]] = {"sync": Synchronous, "async": Asynchronous}


def _found(clients: Iterable[Any], operation: str) -> Callable[..., Any]:
    found: Callable[..., Any] = next(
        getattr(client, operation) for client in clients if hasattr(client, operation)
    )
    return found


def _watch(seen: list[Any]) -> Callable[[Any], None]:
    """Keep every answer, before the client looks at it."""
    return lambda response: seen.append(response.http_response)


def _whole(answer: Any) -> Any:
    if answer is None or isinstance(answer, Mapping):
        return answer
    return _joined(list(answer))


def _joined(parts: list[Any]) -> Any:
    return b"".join(parts) if parts and isinstance(parts[0], bytes) else parts


async def _made(endpoint: str, key: str) -> list[Any]:
    return [getattr(aio, name)(endpoint, AzureKeyCredential(key)) for name in CLASSES]


async def _awaited(begin: Callable[[], Any]) -> Any:
    answer = begin()
    if isinstance(answer, Awaitable):
        answer = await answer
    if isinstance(answer, AsyncIterable):
        return _joined([part async for part in answer])
    return answer


def refusal(error: HttpResponseError) -> tuple[int | None, str | None]:
    """The status and the code of an error, as the client understands it."""
    return error.status_code, None if error.error is None else error.error.code
