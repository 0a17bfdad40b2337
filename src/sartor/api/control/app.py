"""The control plane: match, authenticate, authorise, then handle on a thread, so that ranks go on."""

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from urllib.parse import unquote

from sartor import errors
from sartor.access.asgi import Receive, Scope, Send
from sartor.access.authentication import Authenticator
from sartor.access.roles import EVERY_LOOP, Caller
from sartor.api.admin.app import parse_query
from sartor.api.caller_context import CallerContext
from sartor.api.control import loops, usage_and_erasure
from sartor.api.description import control_openapi
from sartor.api.http.body import content_length, read_body
from sartor.api.http.error_responses import (
    ClientDisconnected,
    RequestRefused,
    error_to_response,
    not_allowed,
    not_found,
)
from sartor.api.http.response import Response, options_response, send_response
from sartor.api.routing.control_routes import PREFIX, ControlCall, ControlRoute, match_control
from sartor.ports import Stores
from sartor.settings import Limits
from sartor.stores.audited import audited

ROUTES: tuple[ControlRoute, ...] = (*loops.ROUTES, *usage_and_erasure.ROUTES)
DESCRIPTION = b"/openapi.json"

_THREADS = 2
_INVALID = "InvalidRequest"
_READS = b"GET, HEAD, OPTIONS"
_BODY_BYTES = 65_536

_CODES: Mapping[type[Exception], str] = {
    errors.LoopNotFound: "LoopNotFound",
    errors.LoopExists: "LoopExists",
    errors.EventNotFound: "EventNotFound",
    errors.EventOpen: "EventOpen",
}


class ControlApp:
    """Answers all that begins with ``/sartor/v1``."""

    def __init__(
        self, authenticator: Authenticator, stores: Stores, /, *, lock: "threading.Lock", limits: Limits
    ) -> None:
        self._authenticator = authenticator
        self._stores = stores
        self._lock = lock
        self._most = min(limits.body_bytes, _BODY_BYTES)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="control")

    async def serve(self, path: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; ``path`` is what follows the prefix."""
        start_s = time.perf_counter()
        try:
            answer = await self._answer(path, scope, receive)
        except ClientDisconnected:
            return
        except Exception as error:
            answer = error_to_response(_named(error), invalid=_INVALID)
        took_ms = int((time.perf_counter() - start_s) * 1000)
        await send_response(answer, send, took_ms=took_ms, with_body=scope["method"] != "HEAD")

    async def _answer(self, path: bytes, scope: Scope, receive: Receive) -> Response:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if path == DESCRIPTION:
            return _described(method)
        found = _found(path)
        if not found:
            return not_found()
        allowed = _allowed(found)
        if method not in found:
            return options_response(allowed) if method == "OPTIONS" else not_allowed(allowed)
        route, values = found[method]
        caller = await self._authenticator.identify_caller(scope)
        _authorise(caller, route, values)
        body = await read_body(receive, declared=content_length(scope["headers"]), most=self._most)
        call = ControlCall(
            context=CallerContext(stores=audited(self._stores, caller.name), lock=self._lock, caller=caller),
            path=values,
            query=parse_query(scope["query_string"]),
            body=body,
        )
        return await asyncio.get_running_loop().run_in_executor(self._threads, route.does, call)


def _authorise(caller: Caller, route: ControlRoute, values: Mapping[str, str]) -> None:
    # Routes about all loops answer what the caller may see of them, save those that take an owner.
    target = route.target(values)
    if target == EVERY_LOOP and route.need == "read":
        return
    if not caller.may(route.need, target):
        raise errors.Forbidden(f"Access denied: {caller.name} has no role that allows this here.")


def _found(path: bytes) -> dict[str, tuple[ControlRoute, dict[str, str]]]:
    """The routes of a path by method, each with the values of the names in it."""
    try:
        parts = tuple(unquote(part, errors="strict") for part in path.decode("ascii").strip("/").split("/"))
    except UnicodeDecodeError:
        raise RequestRefused(_INVALID, "The path is not valid UTF-8, percent-encoded.") from None
    if any("\0" in part or len(part) > 256 for part in parts):
        raise RequestRefused(_INVALID, "A name in the path is too long, or holds a NUL character.")
    found = {}
    for route in ROUTES:
        values = match_control(route, parts)
        if values is not None:
            found[route.method] = (route, values)
    return found


def _allowed(found: Mapping[str, object]) -> bytes:
    return ", ".join([*found, *(["HEAD"] if "GET" in found else []), "OPTIONS"]).encode()


def _named(error: Exception) -> Exception:
    code = _CODES.get(type(error))
    return error if code is None else RequestRefused(code, str(error))


def _described(method: str) -> Response:
    if method == "GET":
        return _description()
    return options_response(_READS) if method == "OPTIONS" else not_allowed(_READS)


@cache
def _description() -> Response:
    return control_openapi.openapi_response(ROUTES)


def path_after_prefix(path: bytes, /) -> bytes | None:
    """What follows the prefix of the control plane; None: the path is not of it."""
    prefix = PREFIX.encode()
    if path[: len(prefix)] != prefix:
        return None
    rest = path[len(prefix) :]
    return rest if rest[:1] == b"/" else None
