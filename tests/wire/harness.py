"""A service for the tests of the wire: the real application on stores in memory, called directly or by TCP."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sartor.access.asgi import Message, Scope
from sartor.access.authentication import TokenVerifier
from sartor.access.served_loops import LoopTable, ServedLoop
from sartor.api.app import create_app
from sartor.api.http.connection_limits import Timeouts
from sartor.api.http.server import Server, run
from sartor.api.http.tls import Certificates
from sartor.deploy.live_model import LiveModel
from sartor.errors import StoreUnavailable
from sartor.learn.engines import create_engine
from sartor.log.writer import Writer
from sartor.ports import Engine, Loop
from sartor.problems import Problem
from sartor.records import LoggedDecision, LoggedObservation
from sartor.runtime.instance_state import InstanceState, ProcessState
from sartor.settings import DEFAULT_ARGUMENTS, Limits, LoopSettings
from sartor.testing.builders import make_loop, make_model
from sartor.testing.stores import MemoryStores

_T = TypeVar("_T")

PREFIX = "/personalizer/v1.0"
OWNER_KEY = "the-owner-key-of-the-harness"


class Reply(Struct, frozen=True):
    """What a caller got; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def code(self) -> str:
        return str(self._error()["code"])

    @property
    def message(self) -> str:
        return str(self._error()["message"])

    def _error(self) -> dict[str, object]:
        error = self.json()["error"]
        assert isinstance(error, dict)
        return error


class Service:
    """One loop behind the application; a store that fails on demand; calls without a socket."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        ranks_with: Callable[[], Engine] | None = None,
        arguments: str = DEFAULT_ARGUMENTS,
        settings: LoopSettings | None = None,
        token_verifier: TokenVerifier | None = None,
        folder: Path | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.stores = MemoryStores()
        self.loop: Loop = make_loop(arguments=arguments, settings=settings)
        self.stores.catalog.create(self.loop)
        loop_stores = self.stores.open(self.loop)
        self.events = loop_stores.events
        if ranks_with is not None:
            model = replace(make_model("model-1"), arguments=arguments)
            loop_stores.models.publish(model, b"", live=True)
        self.live = LiveModel(
            loop_stores.models, lambda *_: ranks_with() if ranks_with else create_engine(arguments)
        )
        self.live.refresh()
        self.writer = Writer(self.events, limit=self.limits.buffered_events)
        self.loop_table = LoopTable()
        self.follow()
        self.clock_s = 0.0
        self.problems: list[Problem] = []
        self.processes: list[ProcessState] = []
        self.app = create_app(
            self.loop_table,
            stores=self.stores,
            limits=self.limits,
            probe=self.look,
            clock_s=lambda: self.clock_s,
            owner_key=OWNER_KEY.encode(),
            token_verifier=token_verifier,
            folder=folder,
        )
        self._runner = asyncio.Runner()

    def follow(self) -> Loop:
        """Serve the loop as it is in the catalog now, as a process does within a tick."""
        (self.loop,) = self.stores.catalog.loops()
        self.loop_table.replace([ServedLoop(loop=self.loop, writer=self.writer, live=self.live)])
        return self.loop

    def look(self) -> InstanceState:
        problems = list(self.problems)
        try:
            self.stores.check_writable()
        except StoreUnavailable as error:
            problems.append(Problem(error.message, action="disk_not_writable"))
        return InstanceState(problems=tuple(problems), processes=tuple(self.processes), loops=2)

    def close(self) -> None:
        self._runner.close()
        self.live.close()

    def decisions(self) -> Sequence[LoggedDecision]:
        return self.events.decisions(after=0, limit=1_000_000)

    def observations(self) -> Sequence[LoggedObservation]:
        return self.events.observations(after=0, limit=1_000_000)

    def rank(self, body: object, **headers: str) -> Reply:
        return self.call("POST", f"{PREFIX}/rank", body, headers=headers)

    def reward(self, event_id: str, body: object) -> Reply:
        return self.call("POST", f"{PREFIX}/events/{event_id}/reward", body)

    def activate(self, event_id: str, body: object = b"") -> Reply:
        return self.call("POST", f"{PREFIX}/events/{event_id}/activate", body)

    def call(
        self,
        method: str,
        path: str,
        body: object = b"",
        /,
        *,
        key: str | None = "",
        headers: Mapping[str, str] = {},
        chunks: int = 1,
        client: str | None = None,
    ) -> Reply:
        """Call the application. ``key``: empty for the loop's own, None for none. ``client``: its address."""
        return self.run(self.send(method, path, body, key=key, headers=headers, chunks=chunks, client=client))

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run what calls the application on the event loop of this service."""
        return self._runner.run(coroutine)

    async def send(
        self,
        method: str,
        path: str,
        body: object = b"",
        /,
        *,
        key: str | None = "",
        headers: Mapping[str, str] = {},
        chunks: int = 1,
        client: str | None = None,
    ) -> Reply:
        """Call the application from the event loop; see ``call``."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        bare, _, query = path.partition("?")
        sent = {"host": "localhost", "content-length": str(len(raw)), **headers}
        if key is not None:
            sent["ocp-apim-subscription-key"] = key or self.loop.key1
        scope: Scope = {
            "type": "http",
            "method": method,
            "raw_path": bare.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": None if client is None else (client, 50_000),
        }
        return await self._called(scope, _pieces(raw, chunks))

    async def _called(self, scope: Scope, pieces: Iterator[Message]) -> Reply:
        messages: list[Message] = []

        async def receive() -> Message:
            await asyncio.sleep(0)  # as on a socket, others have their turn
            return next(pieces, {"type": "http.disconnect"})

        async def send(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        start, rest = messages
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        assert len(headers) == len(start["headers"]), "a header was sent twice"
        return Reply(start["status"], headers, rest["body"])


def _pieces(body: bytes, count: int) -> Iterator[Message]:
    size = max(1, -(-len(body) // count))
    parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    for place, part in enumerate(parts):
        yield {"type": "http.request", "body": part, "more_body": place < len(parts) - 1}


@contextmanager
def served(
    service: Service,
    *,
    timeouts: Timeouts | None = None,
    max_connections: int | None = None,
    tls: Certificates | None = None,
) -> Iterator[str]:
    """The service on a real socket, on a thread of its own; gives its endpoint."""
    listener = socket.create_server(("127.0.0.1", 0))
    ticked = threading.Event()
    server = Server(
        service.app,
        limits=service.limits,
        on_tick=ticked.set,
        timeouts=timeouts,
        max_connections=max_connections,
        tls=tls,
    )
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=run, args=(server, [listener]))
    thread.start()
    try:
        assert ticked.wait(10)
        yield endpoint
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def person(**members: object) -> dict[str, Any]:
    """The smallest rank request: one action."""
    return {"actions": [{"id": "Person", "features": [{"name": "Ada"}]}], **members}


def articles(count: int = 3, **members: object) -> dict[str, Any]:
    """A rank request of some articles."""
    actions = [{"id": f"article-{number}", "features": [{"topic": f"t{number}"}]} for number in range(count)]
    return {"contextFeatures": [{"device": "mobile"}, {"hour": 9}], "actions": actions, **members}
