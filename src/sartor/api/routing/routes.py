"""What a route is: one row of the table from which requests are dispatched and the descriptions are made."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from sartor.access.asgi import Header
from sartor.access.roles import Permission
from sartor.api.caller_context import CallerContext
from sartor.api.http.body import ReceivedBody
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
    """One authorised request for a blocking handler, wholly read.

    Attributes:
        context: the stores on behalf of the caller.
        version: of the route.
        addressed: the loop that the key, or the path before the version, addresses, as it was when the request
            came; None on the control plane, whose paths name loops themselves.
        path: the values of the names in the path, decoded.
        query: the first value of each parameter.
        headers: as ASGI has them.
        received: the whole body, in memory or in a file.
    """

    context: CallerContext
    version: Version
    addressed: Loop | None
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Sequence[Header]
    received: ReceivedBody

    @property
    def body(self) -> bytes:
        """The whole body; a large one is read from the disk each time."""
        return self.received.read()

    @property
    def loop(self) -> Loop:
        """The loop that is addressed.

        Raises:
            RuntimeError: none is; a mistake of the handler.
        """
        if self.addressed is None:
            raise RuntimeError("A call of the control plane addresses no loop.")
        return self.addressed

    @property
    def path_id(self) -> str:
        """The first name in the path; empty where there is none."""
        return next(iter(self.path.values()), "")


Handler: TypeAlias = Callable[[Call], Response]
"""Runs on a thread; may block. What it raises is answered as ``error_responses.error_to_response`` says."""


class Parameter(Struct, frozen=True, kw_only=True):
    """A parameter of the query. ``schema`` is a JSON schema."""

    name: str
    description: str
    schema: Mapping[str, object]
    required: bool = False


class Route(Struct, frozen=True, kw_only=True):
    """One operation in some versions.

    Attributes:
        name: unique in each version.
        method: of HTTP.
        path: what follows the prefix of the version, with names in braces; one at most on the wire.
        versions: those that have it.
        handler: what answers it.
        permission: what a caller must be allowed: on the addressed loop; on the control plane, on the loop that
            ``{name}`` in the path names, or on every loop where none is named.
        is_audited: whether the route leaves a line in the audit log under its name. Those whose functions
            change the catalog leave it to them.
        tag: under which it is described.
        summary: one sentence for the description.
        description: more of them.
        status: of a success; None where there is none.
        success: what the description says of a success.
        invalid: the code for a ``CallerError`` that carries none.
        codes: further codes that it may answer, besides those that every route may.
        request: the type of the JSON body: a msgspec struct or a type of them; ``bytes`` for a binary body;
            None for no body.
        response: the type of the body of a success, likewise.
        query: its parameters.
        headers: those of a success, and what they say.
        body_bytes: how large a body may be, where that is not the general limit.
        request_example: a body for the description.
        response_example: a body for the description.
    """

    name: str
    method: str
    path: str
    versions: tuple[Version, ...]
    handler: Operation | Handler
    permission: Permission
    is_audited: bool = False
    tag: str
    summary: str
    description: str = ""
    status: int | None
    success: str = "It is done."
    invalid: str
    codes: tuple[str, ...] = ()
    request: object = None
    response: object = None
    query: tuple[Parameter, ...] = ()
    headers: Mapping[str, str] = {}
    body_bytes: int | None = None
    request_example: object = None
    response_example: object = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the path, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def changes_loop(self) -> bool:
        """Whether it changes the loop that is addressed; if not, it takes something out that is secret."""
        return self.permission == "change" and self.method != "GET"
