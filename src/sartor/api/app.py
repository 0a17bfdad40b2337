"""All of HTTP as one ASGI application: data plane, administration, control plane, health, pages."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from sartor.access.asgi import ASGIApp, Receive, Scope, Send
from sartor.access.authentication import SCOPE_LOOP, Authenticator, TokenVerifier
from sartor.access.change_limiter import ChangeLimiter
from sartor.access.destinations import AllowedDestinations
from sartor.access.served_loops import LoopTable
from sartor.access.throttle import FailedAuthThrottle
from sartor.api import route_table
from sartor.api.dataplane.app import DataPlaneApp
from sartor.api.description import docs_page, openapi
from sartor.api.http.error_responses import error_to_response, not_allowed, not_found
from sartor.api.http.health import HealthProbe
from sartor.api.http.response import Response, options_response, send_response
from sartor.api.loop_locks import LoopLocks
from sartor.api.routing.matching import Resource, decode_names
from sartor.api.routing.versions import ALL_VERSIONS, CONTROL_V1, V1_0
from sartor.api.threaded_app import (
    LargeRequests,
    LoopThreads,
    ReadNames,
    ThreadedApp,
    authorise_on_instance,
    authorise_on_loop,
)
from sartor.errors import CallerError
from sartor.ports import Stores
from sartor.runtime.instance_state import InstanceState
from sartor.settings import Limits
from sartor.times import now_us

_READS = b"GET, HEAD, OPTIONS"
_LOOPS = b"/loops/"
_READY = b"/health/ready"
_CONTROL = CONTROL_V1.prefix.encode()

_ADMIN_THREADS = 8
_ADMIN_THREADS_PER_LOOP = 4
_CONTROL_THREADS = 4
_CONTROL_THREADS_PER_LOOP = 2

_CONTROL_BODY_BYTES = 65_536

_DEFAULT_DESTINATIONS = AllowedDestinations()

MakePage: TypeAlias = Callable[[], Response]
"""Makes the response of a page."""


def create_app(
    loop_table: LoopTable,
    /,
    *,
    stores: Stores,
    limits: Limits,
    probe: Callable[[], InstanceState],
    now_us: Callable[[], int] = now_us,
    clock_s: Callable[[], float] = time.monotonic,
    token_verifier: TokenVerifier | None = None,
    owner_key: bytes = b"",
    allowed_destinations: AllowedDestinations = _DEFAULT_DESTINATIONS,
    folder: Path | None = None,
) -> ASGIApp:
    """Create the ASGI application, which has no lifespan.

    Args:
        loop_table: the loops that it serves; may be replaced while it runs.
        stores: for the threads of administration and control plane alone; connections move between them.
        limits: bounds of a request.
        probe: finds out how the instance is; may block for a disk write.
        now_us: the time of day, for the ids that the service makes.
        clock_s: a clock that never goes back.
        token_verifier: verifies bearer tokens; None: only keys are accepted.
        owner_key: is an Owner on the control plane; empty: there is none.
        allowed_destinations: which URLs of other services callers may name.
        folder: where large bodies are put while they arrive; None: where the system has temporary files.
    """
    throttle = FailedAuthThrottle(clock_s=clock_s)
    authenticator = Authenticator(
        loop_table, token_verifier=token_verifier, throttle=throttle, owner_key=owner_key
    )
    large = LargeRequests(limits, folder=folder)
    data_plane = DataPlaneApp(authenticator, bodies=large.bodies, limits=limits, now_us=now_us)
    limiter = ChangeLimiter(clock_s=clock_s)
    admin, control = _create_threaded_apps(authenticator, stores, limits, allowed_destinations, large, limiter)
    health = HealthProbe(probe, authenticator, clock_s=clock_s)
    pages = _build_pages(health)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"]
        matched = route_table.match_path(path)
        if matched is None and path[: len(_LOOPS)] == _LOOPS:
            matched = _match_under_loop(path, scope)
        if matched is not None:
            resource, sent = matched
            if resource.operation is None:
                names = partial(decode_names, sent, most_chars=limits.id_chars)
                await admin.serve(resource, names, scope, receive, send)
            else:
                await data_plane.serve(resource.operation, resource, sent, scope, receive, send)
        else:
            await _serve_others(control, pages, health, scope, receive, send)

    return app


async def _serve_others(
    control: ThreadedApp,
    pages: Mapping[bytes, MakePage],
    health: HealthProbe,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer what is not of the wire: the control plane, and pages."""
    path = scope["raw_path"]
    try:
        found = _match_control(path)
    except CallerError as error:
        await _send(error_to_response(error, invalid="InvalidRequest"), scope, send)
        return
    if found is not None:
        await control.serve(*found, scope, receive, send)
    else:
        await _send(await _answer_page(pages, health, path, scope), scope, send)


def _create_threaded_apps(
    authenticator: Authenticator,
    stores: Stores,
    limits: Limits,
    allowed_destinations: AllowedDestinations,
    large: LargeRequests,
    change_limiter: ChangeLimiter,
) -> tuple[ThreadedApp, ThreadedApp]:
    """Create the administration of the wire and the control plane, which share the locks of the loops.

    Each has threads of its own, so that neither waits for the other.
    """
    locks = LoopLocks()
    admin = ThreadedApp(
        authorise_on_loop(authenticator),
        stores,
        locks=locks,
        large=large,
        threads=LoopThreads(_ADMIN_THREADS, per_loop=_ADMIN_THREADS_PER_LOOP, name="admin"),
        body_bytes=limits.body_bytes,
        allowed_destinations=allowed_destinations,
        change_limiter=change_limiter,
        waiting_jobs=limits.waiting_jobs,
    )
    control = ThreadedApp(
        authorise_on_instance(authenticator),
        stores,
        locks=locks,
        large=large,
        threads=LoopThreads(_CONTROL_THREADS, per_loop=_CONTROL_THREADS_PER_LOOP, name="control"),
        body_bytes=min(limits.body_bytes, _CONTROL_BODY_BYTES),
        allowed_destinations=allowed_destinations,
        change_limiter=change_limiter,
    )
    return admin, control


async def _send(response: Response, scope: Scope, send: Send) -> None:
    await send_response(response, scope, send, took_ms=0)


def _match_under_loop(path: bytes, scope: Scope) -> tuple[Resource, bytes] | None:
    name, slash, rest = path[len(_LOOPS) :].partition(b"/")
    scope[SCOPE_LOOP] = name.decode("ascii", "replace")
    return route_table.match_path(slash + rest)


def _match_control(path: bytes) -> tuple[Resource, ReadNames] | None:
    rest = path[len(_CONTROL) :]
    if path[: len(_CONTROL)] != _CONTROL or rest[:1] != b"/":
        return None
    found = route_table.match_control_path(rest)
    if found is None:
        return None
    resource, names = found
    return resource, lambda _: names


def _build_pages(health: HealthProbe) -> dict[bytes, MakePage]:
    pages: dict[bytes, MakePage] = {
        b"/health/live": health.live,
        _READY: health.live,  # its methods; it is answered where its caller is known
        b"/openapi.json": partial(openapi.openapi_response, V1_0),
        b"/docs": partial(docs_page.docs_response, V1_0),
        b"": partial(docs_page.docs_response, V1_0),
        _CONTROL + b"/openapi.json": partial(openapi.openapi_response, CONTROL_V1),
    }
    for version in ALL_VERSIONS:
        pages[f"/openapi/{version.name}.json".encode()] = partial(openapi.openapi_response, version)
        pages[f"/docs/{version.name}".encode()] = partial(docs_page.docs_response, version)
    return pages


async def _answer_page(
    pages: Mapping[bytes, MakePage], health: HealthProbe, path: bytes, scope: Scope
) -> Response:
    method = scope["method"]
    make_page = pages.get(path.rstrip(b"/"))
    if make_page is None:
        return not_found()
    if method == "OPTIONS":
        return options_response(_READS)
    if method not in ("GET", "HEAD"):
        return not_allowed(_READS)
    if path.rstrip(b"/") == _READY:
        return await health.ready(scope)
    try:
        return make_page()
    except Exception as error:
        return error_to_response(error, invalid="BadRequest")
