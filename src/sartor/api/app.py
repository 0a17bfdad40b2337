"""The whole HTTP surface as one ASGI application: the data plane, health, and the pages that describe it."""

import time
from collections.abc import Callable, Sequence

from sartor.api import openapi, page, paths
from sartor.api.answer import Answer, deliver, options
from sartor.api.asgi import ASGIApp, Receive, Scope, Send
from sartor.api.dataplane import DataPlane
from sartor.api.desks import Desks
from sartor.api.failure import answer_to, not_allowed, not_found
from sartor.api.health import Health
from sartor.settings import Limits

_READS = b"GET, HEAD, OPTIONS"


def application(
    desks: Desks,
    /,
    *,
    limits: Limits,
    probe: Callable[[], Sequence[str]],
    now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    clock_s: Callable[[], float] = time.monotonic,
) -> ASGIApp:
    """An ASGI application without a lifespan.

    Args:
        desks: the loops that it serves; may be replaced while it runs.
        limits: what one request may ask for.
        probe: the reasons why this process can't serve, none when it can; it may block for a disk write.
        now_us: the time of day, for the ids that the service makes.
        clock_s: a clock that never goes back.
    """
    plane = DataPlane(desks, limits=limits, now_us=now_us)
    readable = _readable(Health(probe, clock_s=clock_s))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"]
        matched = paths.match(path)
        if matched is not None:
            await plane.serve(matched[0], matched[1], scope, receive, send)
            return
        answer = _read(readable, path, scope["method"])
        await deliver(answer, send, took_ms=0, with_body=scope["method"] != "HEAD")

    return app


def _readable(health: Health) -> dict[bytes, Callable[[], Answer]]:
    description = openapi.answer()
    pages = page.answer()
    return {
        b"/health/live": health.live,
        b"/health/ready": health.ready,
        b"/openapi.json": lambda: description,
        b"/docs": lambda: pages,
        b"": lambda: pages,
    }


def _read(readable: dict[bytes, Callable[[], Answer]], path: bytes, method: str) -> Answer:
    page_of = readable.get(path.rstrip(b"/"))
    if page_of is None:
        return not_found()
    if method == "OPTIONS":
        return options(_READS)
    if method not in ("GET", "HEAD"):
        return not_allowed(_READS)
    try:
        return page_of()
    except Exception as error:
        return answer_to(error, invalid="BadRequest")
