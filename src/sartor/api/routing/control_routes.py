"""The routes of the control plane: what one is, and how a path leads to it."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from sartor.access.roles import EVERY_LOOP, Permission
from sartor.api.caller_context import CallerContext
from sartor.api.http.response import Response
from sartor.api.routing.routes import Parameter

PREFIX = "/sartor/v1"


class ControlCall(Struct, frozen=True, kw_only=True):
    """One authorised request, wholly read. ``path``: the values of the names in the path, decoded."""

    context: CallerContext
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


ControlHandler: TypeAlias = Callable[[ControlCall], Response]


class ControlRoute(Struct, frozen=True, kw_only=True):
    """One operation. ``need``: what it takes, on the loop that ``{name}`` in the path names, or on every loop.

    ``codes``: of the errors that it may answer besides those that each may.
    """

    name: str
    method: str
    path: str
    does: ControlHandler
    need: Permission
    tag: str
    summary: str
    status: int
    said: str
    description: str = ""
    request: object = None
    answer: object = None
    codes: tuple[str, ...] = ()
    query: tuple[Parameter, ...] = ()
    example: object = None
    headers: Mapping[str, str] = {}

    @property
    def parts(self) -> tuple[str, ...]:
        """The path, cut at its slashes."""
        return tuple(self.path.strip("/").split("/"))

    def target(self, path: Mapping[str, str], /) -> str:
        """The loop that the right is needed on."""
        return path.get("name", EVERY_LOOP)


def match_control(route: ControlRoute, parts: tuple[str, ...], /) -> dict[str, str] | None:
    """The values of the names in the route's path, if it is the one of these parts."""
    if len(parts) != len(route.parts):
        return None
    values = {}
    for wanted, part in zip(route.parts, parts, strict=True):
        if wanted.startswith("{"):
            if not part:
                return None
            values[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return values
