"""Administration and control plane: authenticate, authorise, read, and handle on a thread, so that ranks go on.

A handler may wait for the disk, or for a child process; the event loop never does.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl

from msgspec import Struct

from sartor import errors
from sartor.access.asgi import Receive, Scope, Send
from sartor.access.authentication import Authenticator
from sartor.access.change_limiter import ChangeKind, ChangeLimiter
from sartor.access.destinations import AllowedDestinations
from sartor.access.roles import EVERY_LOOP, Caller
from sartor.api.caller_context import CallerContext
from sartor.api.http.arriving_bodies import ArrivingBodies
from sartor.api.http.body import ReceivedBody, content_length
from sartor.api.http.byte_budget import ByteBudget
from sartor.api.http.error_responses import ClientDisconnected, RequestRefused, error_to_response, not_allowed
from sartor.api.http.response import LARGE_BYTES, Response, options_response, send_response
from sartor.api.loop_locks import LoopLocks
from sartor.api.routing import versions
from sartor.api.routing.matching import Resource
from sartor.api.routing.routes import Call, Handler, Operation, Route
from sartor.ports import Loop, Stores
from sartor.settings import WAITING_JOBS, Limits
from sartor.stores.audited import audited

ReadNames: TypeAlias = Callable[[Route], Mapping[str, str]]
"""Gives the names in the path of a request, decoded; raises a ``CallerError`` where they can't be."""

_LARGE_THREADS = 2
"""How many handlers may work on large bodies at a time: each holds one in memory."""

_CODES: Mapping[type[Exception], str] = {
    errors.LoopNotFound: "LoopNotFound",
    errors.LoopDeleted: "LoopNotFound",
    errors.LoopExists: "LoopExists",
    errors.EventNotFound: "EventNotFound",
    errors.EventOpen: "EventOpen",
}


class AuthorisedCaller(Struct, frozen=True):
    """Who may do what a request asks for, and the loop that the request addresses, if it addresses one."""

    caller: Caller
    loop: Loop | None


class LoopThreads:
    """Threads for handlers, of which those of one loop take some at most: the others always have a turn."""

    def __init__(self, count: int, /, *, per_loop: int, name: str) -> None:
        """Prepare; threads are started when they are needed.

        Args:
            count: how many handlers run at a time.
            per_loop: how many of one loop; further ones wait.
            name: what the names of the threads begin with.
        """
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._per_loop = per_loop
        self._limits: dict[str, asyncio.Semaphore] = {}
        self._running: Counter[str] = Counter()

    async def run(self, loop: str, work: Callable[[], Response], /) -> Response:
        """Run a handler on a thread. ``loop``: the id or name that those of one loop have in common."""
        limit = self._limits.setdefault(loop, asyncio.Semaphore(self._per_loop))
        self._running[loop] += 1
        try:
            async with limit:
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._running[loop] -= 1
            if not self._running[loop]:
                del self._running[loop], self._limits[loop]


Authorise: TypeAlias = Callable[[Scope, Route, ReadNames], Awaitable[AuthorisedCaller]]


class LargeRequests:
    """What the applications of a process share so that large bodies and responses don't fill the memory."""

    def __init__(self, limits: Limits, /, *, folder: Path | None) -> None:
        """Prepare; ``folder`` is where large bodies are put while they arrive, None: as the system has it."""
        self.bodies = ArrivingBodies(limits, folder=folder)
        self.responses = ByteBudget(
            "large responses", per_owner=limits.leaving_bytes_per_loop, total=limits.leaving_bytes
        )
        self.threads = LoopThreads(_LARGE_THREADS, per_loop=1, name="large-bodies")


class ThreadedApp:
    """Answers the routes whose handlers may block, some at a time."""

    def __init__(
        self,
        authorise: Authorise,
        stores: Stores,
        /,
        *,
        locks: LoopLocks,
        threads: LoopThreads,
        large: LargeRequests,
        body_bytes: int,
        allowed_destinations: AllowedDestinations,
        change_limiter: ChangeLimiter,
        waiting_jobs: int = WAITING_JOBS,
    ) -> None:
        """Prepare.

        Args:
            authorise: lets requests in.
            stores: the instance's stores, for the handlers of this and other such applications alone.
            locks: those of the loops, which all these handlers share.
            threads: where the handlers run, but those whose bodies are large.
            large: bounds what arrives and leaves.
            body_bytes: how large a body may be where its route does not say otherwise.
            allowed_destinations: which URLs of other services callers may name.
            change_limiter: how often a loop may be changed by others than owners.
            waiting_jobs: how many jobs of one loop may wait.
        """
        self._change_limiter = change_limiter
        self._authorise = authorise
        self._stores = stores
        self._locks = locks
        self._threads = threads
        self._large = large
        self._body_bytes = body_bytes
        self._allowed_destinations = allowed_destinations
        self._waiting_jobs = waiting_jobs

    async def serve(
        self, resource: Resource, names: ReadNames, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer one request for a resource."""
        start_s = time.perf_counter()
        method = scope["method"]
        route = resource.routes.get("GET" if method == "HEAD" else method)
        leaving: tuple[str, int] | None = None
        if route is None or isinstance(route.handler, Operation):
            response = (
                options_response(resource.allowed) if method == "OPTIONS" else not_allowed(resource.allowed)
            )
        else:
            try:
                owner, response = await self._answer(resource, route, route.handler, names, scope, receive)
                if len(response.body) > LARGE_BYTES:
                    self._large.responses.take(owner, len(response.body))
                    leaving = owner, len(response.body)
            except ClientDisconnected:
                return
            except Exception as error:
                response = error_to_response(_with_code(error, route), invalid=route.invalid)
        took_ms = int((time.perf_counter() - start_s) * 1000)
        try:
            await send_response(response, scope, send, took_ms=took_ms)
        finally:
            if leaving is not None:
                self._large.responses.give_back(*leaving)

    async def _answer(
        self,
        resource: Resource,
        route: Route,
        handler: Handler,
        names: ReadNames,
        scope: Scope,
        receive: Receive,
    ) -> tuple[str, Response]:
        """Returns who made the request, as far as bounds are concerned, and the response."""
        if resource.version.in_query:
            versions.check_named(scope["query_string"])
        authorised = await self._authorise(scope, route, names)
        on_entry = self._check_changes(route, names, authorised)
        owner = authorised.caller.name if authorised.loop is None else authorised.loop.loop_id
        length = content_length(scope["headers"])
        most = route.body_bytes or self._body_bytes
        bodies = self._large.bodies
        async with bodies.receiving(receive, owner=owner, declared=length, most=most) as body:
            call = self._build_call(resource, route, names, scope, authorised, on_entry, body)
            threads = self._large.threads if body.is_in_file else self._threads
            # What names no loop is one caller's: others have a turn whatever it takes.
            loop = call.path_id or owner if authorised.loop is None else owner
            return owner, await threads.run(loop, partial(_handle, route, handler, call))

    def _build_call(
        self,
        resource: Resource,
        route: Route,
        names: ReadNames,
        scope: Scope,
        authorised: AuthorisedCaller,
        on_entry: Callable[[], None],
        body: ReceivedBody,
    ) -> Call:
        caller = authorised.caller
        context = CallerContext(
            stores=audited(
                self._stores,
                caller.name,
                sees_all_loops=caller.may("read", EVERY_LOOP),
                on_entry=on_entry,
            ),
            locks=self._locks,
            caller=caller,
            allowed_destinations=self._allowed_destinations,
            waiting_jobs=self._waiting_jobs,
        )
        return Call(
            context=context,
            version=resource.version,
            addressed=authorised.loop,
            path=names(route),
            query=parse_query(scope["query_string"]),
            headers=scope["headers"],
            received=body,
        )

    def _check_changes(
        self, route: Route, names: ReadNames, authorised: AuthorisedCaller
    ) -> Callable[[], None]:
        """Check that the caller may change the loop once more, and return what counts an entry about it."""
        if authorised.caller.may("own", EVERY_LOOP):
            return lambda: None
        loop = names(route).get("name", "")
        kind: ChangeKind = "management"
        if authorised.loop is not None:
            loop, kind = authorised.loop.name, "change"
        elif route.permission == "decide":
            kind = "correction"
        if route.method != "GET":
            self._change_limiter.check(loop, kind)
        return partial(self._change_limiter.count, loop, kind)


def authorise_on_loop(authenticator: Authenticator, /) -> Authorise:
    """Make the check of the wire: the key or token addresses a loop, and the caller may do it there."""

    async def authorise(scope: Scope, route: Route, names: ReadNames, /) -> AuthorisedCaller:
        request = await authenticator.authenticate(scope, route.permission)
        return AuthorisedCaller(request.caller, request.served_loop.loop)

    return authorise


def authorise_on_instance(authenticator: Authenticator, /) -> Authorise:
    """Make the check of the control plane: the path names a loop, or none."""

    async def authorise(scope: Scope, route: Route, names: ReadNames, /) -> AuthorisedCaller:
        caller = await authenticator.identify_caller(scope)
        target = names(route).get("name", EVERY_LOOP)
        # Routes about all loops respond with what the caller may read, except those for owners.
        reads_all = target == EVERY_LOOP and route.permission == "read"
        if not reads_all and not caller.may(route.permission, target):
            raise errors.Forbidden(f"Access denied: {caller.name} has no role that allows this here.")
        return AuthorisedCaller(caller, None)

    return authorise


def _handle(route: Route, handler: Handler, call: Call) -> Response:
    loop = call.addressed
    if loop is not None and route.changes_loop and loop.terms.lock == "change":
        raise errors.LoopLocked(f"The loop {loop.name!r} is locked against every change.")
    try:
        response = handler(call)
    except (errors.Unavailable, errors.Corrupt):
        _check_deleted(call)
        raise
    if loop is not None and route.is_audited and not call.context.stores.is_unchanged:
        call.context.stores.note(route.name, loop, after=call.path_id or None)
    return response


def _check_deleted(call: Call) -> None:
    """Check that the loop of a request was not deleted meanwhile: nothing is wrong with its files then."""
    if call.addressed is not None:
        call.context.find_loop(call.addressed)
    elif name := call.path.get("name"):
        call.context.find_named(name)


def _with_code(error: Exception, route: Route) -> Exception:
    """Give an error the code of its own that the route answers it with, if it has one."""
    code = _CODES.get(type(error))
    return RequestRefused(code, str(error)) if code is not None and code in route.codes else error


def parse_query(query: bytes, /) -> Mapping[str, str]:
    """The parameters of a query; the first of each name counts."""
    pairs = parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True)
    return dict(reversed(pairs))
