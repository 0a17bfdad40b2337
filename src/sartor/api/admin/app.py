"""The administration: authenticated like the data plane, then handled on a thread, so that ranks go on.

A handler may wait for the disk, or for a child process; the event loop never does.
"""

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import parse_qsl

from sartor.access.asgi import Receive, Scope, Send
from sartor.access.authentication import Authenticator
from sartor.access.roles import Permission
from sartor.api.caller_context import CallerContext
from sartor.api.http.body import content_length, read_body
from sartor.api.http.error_responses import ClientDisconnected, RequestRefused, error_to_response, not_allowed
from sartor.api.http.response import Response, options_response, send_response
from sartor.api.routing import route_table, versions
from sartor.api.routing.route_table import Resource
from sartor.api.routing.routes import Call, Handler, Operation, Route
from sartor.errors import LoopLocked
from sartor.ports import Stores
from sartor.settings import Limits
from sartor.stores.audited import audited

_WITH_SECRETS = ("GetServiceConfiguration",)  # the target of the log mirror, with its signature

_TOLD = ("PublishStagedModel",)  # leaves its line where it is done, as all changes of the catalog do

_CONFIGURATION = "Configuration"

THREADS = 4
"""How many handlers run at a time; further ones wait their turn."""


class AdminApp:
    """Answers the routes that are not of the data plane."""

    def __init__(
        self, authenticator: Authenticator, stores: Stores, /, *, lock: "threading.Lock", limits: Limits
    ) -> None:
        self._authenticator = authenticator
        self._stores = stores
        self._lock = lock
        self._limits = limits
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="admin")

    async def serve(self, resource: Resource, sent: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a resource; ``sent`` is the id in its path, as it was sent."""
        start_s = time.perf_counter()
        method = scope["method"]
        route = resource.routes.get("GET" if method == "HEAD" else method)
        if route is None or isinstance(route.does, Operation):
            answer = (
                options_response(resource.allowed) if method == "OPTIONS" else not_allowed(resource.allowed)
            )
        else:
            try:
                answer = await self._answer(resource, route, route.does, sent, scope, receive)
            except ClientDisconnected:
                return
            except Exception as error:
                answer = error_to_response(error, invalid=route.invalid)
        took_ms = int((time.perf_counter() - start_s) * 1000)
        await send_response(answer, send, took_ms=took_ms, with_body=method != "HEAD")

    async def _answer(
        self, resource: Resource, route: Route, handler: Handler, sent: bytes, scope: Scope, receive: Receive
    ) -> Response:
        headers, query = scope["headers"], scope["query_string"]
        if resource.version.in_query:
            versions.check_named(query)
        candidate = await self._authenticator.authenticate(scope, required_permission(route))
        most = route.body_bytes or self._limits.body_bytes
        body = await read_body(receive, declared=content_length(headers), most=most)
        call = Call(
            loop=candidate.served_loop.loop,
            version=resource.version,
            name=self._name(route, sent),
            query=parse_query(query),
            headers=headers,
            body=body,
            context=CallerContext(
                stores=audited(self._stores, candidate.caller.name), lock=self._lock, caller=candidate.caller
            ),
        )
        work = partial(_noted, route, handler, call)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _name(self, route: Route, sent: bytes) -> str:
        if not route.id_name:
            return ""
        name = route_table.decode_id(sent, name=route.id_name)
        most = self._limits.id_chars
        if not 1 <= len(name) <= most or "\0" in name:
            raise RequestRefused(
                route.invalid, f"{route.id_name} must have 1 to {most} characters, none of them NUL."
            )
        return name


def _noted(route: Route, handler: Handler, call: Call) -> Response:
    changes = required_permission(route) == "change" and route.method != "GET"
    if changes and call.loop.terms.lock == "change":
        raise LoopLocked(f"The loop {call.loop.name!r} is locked against every change.")
    answer = handler(call)
    if changes and route.tag != _CONFIGURATION and route.name not in _TOLD:
        with call.context.lock:
            call.context.stores.note(route.name, call.loop, after=call.name or None)
    return answer


def required_permission(route: Route, /) -> Permission:
    """What a caller must be allowed; taking contents or secrets of a loop away is as grave as a change."""
    takes = route.answer is bytes or route.name in _WITH_SECRETS
    return "read" if route.method == "GET" and not takes else "change"


def parse_query(query: bytes, /) -> Mapping[str, str]:
    """The parameters of a query; the first of each name counts."""
    pairs = parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True)
    return dict(reversed(pairs))
