"""The administration: authenticated like the data plane, then handled on a thread, so that ranks go on.

A handler may wait for the disk, or for a child process; the event loop never does.
"""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import parse_qsl

from sartor.access.asgi import Receive, Scope, Send
from sartor.access.authentication import Gatekeeper
from sartor.access.roles import Need
from sartor.api.admin.caller_stores import Admin
from sartor.api.http.body import declared_bytes, read
from sartor.api.http.error_responses import Disconnected, Refused, answer_to, not_allowed
from sartor.api.http.response import Answer, deliver, options
from sartor.api.routing import route_table, versions
from sartor.api.routing.route_table import Resource
from sartor.api.routing.routes import Call, Handler, Operation, Route
from sartor.errors import LoopLocked
from sartor.settings import Limits

_WITH_SECRETS = ("GetServiceConfiguration",)  # the target of the log mirror, with its signature

_TOLD = ("PublishStagedModel",)  # leaves its line where it is done, as all changes of the catalog do

_CONFIGURATION = "Configuration"

THREADS = 4
"""How many handlers run at a time; further ones wait their turn."""


class Office:
    """Answers the routes that are not of the data plane."""

    def __init__(self, gatekeeper: Gatekeeper, admin: Admin, /, *, limits: Limits) -> None:
        self._gatekeeper = gatekeeper
        self._admin = admin
        self._limits = limits
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="office")

    async def serve(self, resource: Resource, sent: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a resource; ``sent`` is the id in its path, as it was sent."""
        start_s = time.perf_counter()
        method = scope["method"]
        route = resource.routes.get("GET" if method == "HEAD" else method)
        if route is None or isinstance(route.does, Operation):
            answer = options(resource.allowed) if method == "OPTIONS" else not_allowed(resource.allowed)
        else:
            try:
                answer = await self._answer(resource, route, route.does, sent, scope, receive)
            except Disconnected:
                return
            except Exception as error:
                answer = answer_to(error, invalid=route.invalid)
        took_ms = int((time.perf_counter() - start_s) * 1000)
        await deliver(answer, send, took_ms=took_ms, with_body=method != "HEAD")

    async def _answer(
        self, resource: Resource, route: Route, handler: Handler, sent: bytes, scope: Scope, receive: Receive
    ) -> Answer:
        headers, query = scope["headers"], scope["query_string"]
        if resource.version.in_query:
            versions.check_named(query)
        entrant = await self._gatekeeper.admit(scope, needed(route))
        most = route.body_bytes or self._limits.body_bytes
        body = await read(receive, declared=declared_bytes(headers), most=most)
        call = Call(
            loop=entrant.desk.loop,
            version=resource.version,
            name=self._name(route, sent),
            query=parameters(query),
            headers=headers,
            body=body,
            admin=self._admin.acting_for(entrant.caller.name),
        )
        work = partial(_noted, route, handler, call)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _name(self, route: Route, sent: bytes) -> str:
        if not route.id_name:
            return ""
        name = route_table.decoded(sent, name=route.id_name)
        most = self._limits.id_chars
        if not 1 <= len(name) <= most or "\0" in name:
            raise Refused(route.invalid, f"{route.id_name} must have 1 to {most} characters, none of them NUL.")
        return name


def _noted(route: Route, handler: Handler, call: Call) -> Answer:
    changes = needed(route) == "change" and route.method != "GET"
    if changes and call.loop.terms.lock == "change":
        raise LoopLocked(f"The loop {call.loop.name!r} is locked against every change.")
    answer = handler(call)
    if changes and route.tag != _CONFIGURATION and route.name not in _TOLD:
        call.admin.note(call.loop, route.name, call.name)
    return answer


def needed(route: Route, /) -> Need:
    """What a caller must be allowed; taking contents or secrets of a loop away is as grave as a change."""
    takes = route.answer is bytes or route.name in _WITH_SECRETS
    return "read" if route.method == "GET" and not takes else "change"


def parameters(query: bytes, /) -> Mapping[str, str]:
    """The parameters of a query; the first of each name counts."""
    pairs = parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True)
    return dict(reversed(pairs))
