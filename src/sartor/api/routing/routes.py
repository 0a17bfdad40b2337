"""What a route is: one row of the table from which requests are dispatched and the descriptions are made."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from sartor.access.asgi import Header
from sartor.api.caller_context import CallerContext
from sartor.api.http.response import Response
from sartor.api.routing.versions import Version
from sartor.ports import Loop


class Operation(Struct, frozen=True):
    """An operation of the data plane, which ``dataplane`` answers on the event loop.

    ``invalid`` is the error code of a request for it that the caller can mend; ``slots``: it is one of the
    operations for loops with several slots.
    """

    name: str
    invalid: str
    slots: bool = False


class Call(Struct, frozen=True, kw_only=True):
    """One authenticated request for a blocking handler, wholly read.

    ``loop`` is the loop as it was when the request came. ``name`` is the id in the path, decoded; empty where
    the path has none. ``query`` holds the first value of each parameter.
    """

    loop: Loop
    version: Version
    name: str
    query: Mapping[str, str]
    headers: Sequence[Header]
    body: bytes
    context: CallerContext


Handler: TypeAlias = Callable[[Call], Response]
"""Runs on a thread; may block. What it raises is answered as ``failure.answer_to`` says."""


class Parameter(Struct, frozen=True, kw_only=True):
    """A parameter of the query. ``schema`` is a JSON schema."""

    name: str
    description: str
    schema: Mapping[str, object]
    required: bool = False


class Route(Struct, frozen=True, kw_only=True):
    """One operation in some versions.

    ``path`` begins after the prefix of the version and holds one ``{id}`` at most. ``request`` and ``answer``
    are the types of the JSON bodies: a msgspec struct or a type of them; ``bytes`` for a binary body; None for
    no body. ``status`` is that of a success; None where there is none. ``invalid`` is the code for a
    ``CallerError`` that carries none; ``codes`` are the further ones that it may answer, besides those that
    every route may. ``headers``: those of a success, and what they say. ``body_bytes``: how large a body may
    be, where that is not the general limit.
    """

    name: str
    method: str
    path: str
    versions: tuple[Version, ...]
    does: Operation | Handler
    tag: str
    summary: str
    status: int | None
    invalid: str
    description: str = ""
    said: str = "It is done."
    request: object = None
    answer: object = None
    codes: tuple[str, ...] = ()
    query: tuple[Parameter, ...] = ()
    headers: Mapping[str, str] = {}
    body_bytes: int | None = None
    request_example: object = None
    answer_example: object = None

    @property
    def id_name(self) -> str:
        """The name of the id in the path; empty if there is none."""
        return self.path.partition("{")[2].partition("}")[0]
