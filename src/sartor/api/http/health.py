"""Health: is this process alive, and can the instance do its work?

Without a key, an answer names no loop, no path and no reason beyond one sentence for each kind. With a key or a
token it says what its holder may read: of one loop, or of everything.
"""

from collections.abc import Callable

import msgspec

from sartor.access.asgi import Scope
from sartor.access.authentication import Authenticator, find_bearer_token, find_key
from sartor.access.roles import EVERY_LOOP, Caller
from sartor.api.http.error_responses import RETRY_AFTER_S, error_to_response
from sartor.api.http.response import Response
from sartor.problems import Problem, strip_folders
from sartor.runtime.instance_state import InstanceState, ProcessState, Status
from sartor.times import format_timestamp

FRESH_S = 0.5
"""How long the result of a probe is used, in seconds: it writes to the disk, and anyone may ask."""

_encode = msgspec.json.Encoder().encode
_LIVE = Response(200, b'{"status":"live"}')

_SENTENCES = {
    "disk_not_writable": "Events can't be written.",
    "catalog_not_followed": "The catalog of the loops can't be read.",
    "catalog_unreadable": "The catalog of the loops can't be read.",
    "process_stalled": "A process of the service makes no progress.",
    "no_loop_served": "No loop can be served.",
}
_OTHER = "A process of the service can't do its work."


class HealthProbe:
    """Answers the health routes. ``probe`` finds out how the instance is; it may block for a disk write."""

    def __init__(
        self,
        probe: Callable[[], InstanceState],
        authenticator: Authenticator,
        /,
        *,
        clock_s: Callable[[], float],
    ) -> None:
        self._probe = probe
        self._authenticator = authenticator
        self._clock_s = clock_s
        self._probed_s = float("-inf")
        self._state = InstanceState()

    def live(self) -> Response:
        """Answer that the process runs: it could not answer otherwise."""
        return _LIVE

    async def ready(self, scope: Scope, /) -> Response:
        """Answer whether the instance does its work, or the loops that the caller may read; if not, with 503.

        A wrong key or token is refused as everywhere.
        """
        try:
            if find_key(scope["headers"], scope["query_string"]) or find_bearer_token(scope["headers"]):
                caller = await self._authenticator.identify_caller(scope)
                return _respond(*_describe_to(caller, self._find_state()))
        except Exception as error:
            return error_to_response(error, invalid="BadRequest")
        state = self._find_state()
        count = state.loops_with_problems
        counted: dict[str, object] = {"loopsWithProblems": count} if state.problems else {}
        return _respond(state.status, _general(state), counted)

    def _find_state(self) -> InstanceState:
        now_s = self._clock_s()
        if now_s - self._probed_s >= FRESH_S:
            self._state = self._probe()
            self._probed_s = now_s
        return self._state


_Description = tuple[Status, list[str], dict[str, object]]
"""The status, the reasons where it is unready, and what is told besides."""


def _describe_to(caller: Caller, state: InstanceState) -> _Description:
    if caller.may("read", EVERY_LOOP):
        return _describe_all(state)
    names = sorted({grant.loop for grant in caller.grants if grant.allows("read", grant.loop)})
    if not names:
        return state.status, _general(state), {}
    loops = [_describe_loop(name, state.of_loop(name)) for name in names]
    told: dict[str, object] = {"loops": loops}
    if state.status == "unready":
        return "unready", _general(state), told
    found = {loop["status"] for loop in loops}
    if found == {"unready"}:
        return "unready", [reason for name in names for reason in _messages(state.of_loop(name))], told
    return ("ready" if found == {"ready"} else "degraded"), [], told


def _describe_all(state: InstanceState) -> _Description:
    names = sorted({problem.loop for problem in state.problems if problem.loop})
    told: dict[str, object] = {
        "processes": [_describe_process(process) for process in state.processes],
        "problems": _messages([problem for problem in state.problems if not problem.loop]),
        "loops": [_describe_loop(name, state.of_loop(name)) for name in names],
        "loopsInService": state.loops,
    }
    return state.status, _messages(state.reasons), told


def _describe_loop(name: str, problems: list[Problem]) -> dict[str, object]:
    status = "unready" if any(problem.fatal for problem in problems) else "degraded" if problems else "ready"
    return {"name": name, "status": status, "reasons": _messages(problems)}


def _describe_process(process: ProcessState) -> dict[str, object]:
    return {
        "role": process.role,
        "pid": process.pid,
        "host": process.host,
        "startedTime": format_timestamp(process.started_us),
        "secondsSinceProgress": round(process.idle_s, 1),
        "problems": _messages([problem for problem in process.problems if not problem.loop]),
    }


def _messages(problems: list[Problem]) -> list[str]:
    return list(dict.fromkeys(strip_folders(problem.message) for problem in problems))


def _general(state: InstanceState) -> list[str]:
    return list(dict.fromkeys(_SENTENCES.get(problem.action, _OTHER) for problem in state.reasons))


def _respond(status: Status, reasons: list[str], told: dict[str, object]) -> Response:
    body: dict[str, object] = {"status": status}
    if status != "unready":
        return Response(200, _encode(body | told))
    body["reasons"] = reasons
    body["error"] = {"code": "OperationNotAllowed", "message": " ".join(reasons)}
    retry_after = (b"retry-after", b"%d" % RETRY_AFTER_S)
    return Response(503, _encode(body | told), ((b"x-ms-error-code", b"OperationNotAllowed"), retry_after))
