"""The whole HTTP surface as one ASGI application: the data plane, health, and the pages that describe it."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from sartor.access.asgi import ASGIApp, Receive, Scope, Send
from sartor.access.authentication import SCOPE_LOOP, Authenticator, TokenVerifier
from sartor.access.served_loops import LoopTable
from sartor.access.throttle import FailedAuthThrottle
from sartor.api.admin.app import AdminApp
from sartor.api.control.app import ControlApp, path_after_prefix
from sartor.api.dataplane.app import DataPlaneApp
from sartor.api.description import docs_page, openapi
from sartor.api.http.error_responses import error_to_response, not_allowed, not_found
from sartor.api.http.health import HealthProbe
from sartor.api.http.response import Response, options_response, send_response
from sartor.api.routing import route_table
from sartor.api.routing.versions import ALL_VERSIONS, V1_0
from sartor.ports import Stores
from sartor.settings import Limits
from sartor.times import now_us

_READS = b"GET, HEAD, OPTIONS"
_LOOPS = b"/loops/"


def create_app(
    loop_table: LoopTable,
    /,
    *,
    stores: Stores,
    limits: Limits,
    probe: Callable[[], Sequence[str]],
    now_us: Callable[[], int] = now_us,
    clock_s: Callable[[], float] = time.monotonic,
    token_verifier: TokenVerifier | None = None,
    owner_key: bytes = b"",
) -> ASGIApp:
    """An ASGI application without a lifespan.

    Args:
        loop_table: the loops that it serves; may be replaced while it runs.
        stores: the instance's stores, for the threads of administration and control plane alone; their
            connections move between these threads.
        limits: what one request may ask for.
        probe: the reasons why this process can't serve, none when it can; it may block for a disk write.
        now_us: the time of day, for the ids that the service makes.
        clock_s: a clock that never goes back.
        token_verifier: knows the holders of bearer tokens; None: only keys are accepted.
        owner_key: opens the control plane for all loops; empty: no key does.
    """
    authenticator = Authenticator(
        loop_table,
        token_verifier=token_verifier,
        throttle=FailedAuthThrottle(clock_s=clock_s),
        owner_key=owner_key,
    )
    plane = DataPlaneApp(authenticator, limits=limits, now_us=now_us)
    lock = threading.Lock()
    admin_app = AdminApp(authenticator, stores, lock=lock, limits=limits)
    control = ControlApp(authenticator, stores, lock=lock, limits=limits)
    readable = _readable(HealthProbe(probe, clock_s=clock_s))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"]
        matched = route_table.match_path(path)
        if matched is None and path[: len(_LOOPS)] == _LOOPS:
            name, slash, rest = path[len(_LOOPS) :].partition(b"/")
            scope[SCOPE_LOOP] = name.decode("ascii", "replace")
            matched = route_table.match_path(slash + rest)
        if matched is not None:
            resource, sent = matched
            if resource.operation is None:
                await admin_app.serve(resource, sent, scope, receive, send)
            else:
                await plane.serve(resource.operation, resource, sent, scope, receive, send)
            return
        rest = path_after_prefix(path)
        if rest is not None:
            await control.serve(rest, scope, receive, send)
            return
        answer = _read(readable, path, scope["method"])
        await send_response(answer, send, took_ms=0, with_body=scope["method"] != "HEAD")

    return app


def _readable(health: HealthProbe) -> dict[bytes, Callable[[], Response]]:
    pages: dict[bytes, Callable[[], Response]] = {
        b"/health/live": health.live,
        b"/health/ready": health.ready,
        b"/openapi.json": partial(openapi.openapi_response, V1_0),
        b"/docs": partial(docs_page.docs_response, V1_0),
        b"": partial(docs_page.docs_response, V1_0),
    }
    for version in ALL_VERSIONS:
        pages[f"/openapi/{version.name}.json".encode()] = partial(openapi.openapi_response, version)
        pages[f"/docs/{version.name}".encode()] = partial(docs_page.docs_response, version)
    return pages


def _read(readable: dict[bytes, Callable[[], Response]], path: bytes, method: str) -> Response:
    page_of = readable.get(path.rstrip(b"/"))
    if page_of is None:
        return not_found()
    if method == "OPTIONS":
        return options_response(_READS)
    if method not in ("GET", "HEAD"):
        return not_allowed(_READS)
    try:
        return page_of()
    except Exception as error:
        return error_to_response(error, invalid="BadRequest")
