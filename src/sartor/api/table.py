"""The route table: every operation of every version, and how a path leads to it.

A module of handlers ends in a tuple ``ROUTES``; it is listed here, and nowhere else.
"""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from sartor.api import configuration, decisions, learning_settings, uploads
from sartor.api.routes import Operation, Route
from sartor.api.versions import Version
from sartor.errors import InvalidRequest

ROUTES: tuple[Route, ...] = (
    *decisions.ROUTES,
    *configuration.ROUTES,
    *learning_settings.ROUTES,
    *uploads.ROUTES,
)

_HOLE = b"\0"  # where the id is: no path that was sent holds it


class Resource(Struct, frozen=True):
    """One path of one version. ``routes`` are by method; ``allowed`` is what the header ``Allow`` says.

    ``operation``: the operation of the data plane, where it is one.
    """

    version: Version
    path: str
    routes: dict[str, Route]
    allowed: bytes
    operation: Operation | None


def match(path: bytes, /) -> tuple[Resource, bytes] | None:
    """The resource at a path, and the id in it as it was sent; None where there is none.

    Matched as it was sent, so that ``%2F`` in an id does not split it. Case and one slash at the end don't
    matter, as at the retired service's gateway.
    """
    found = _PATHS.get(path)
    if found is not None:
        return found, b""
    if path.endswith(b"/"):
        path = path[:-1]
    head, _, last = path.rpartition(b"/")
    before, _, name = head.rpartition(b"/")
    found = _PATHS.get(b"%b/\0/%b" % (before.lower(), last.lower()))
    if found is not None:
        return found, name
    found = _PATHS.get(path.lower())
    if found is not None:
        return found, b""
    found = _PATHS.get(b"%b/\0" % head.lower())
    return None if found is None else (found, last)


def decoded(sent: bytes, /, *, name: str = "eventId") -> str:
    """An id of a path, percent-decoded.

    Raises:
        InvalidRequest: it is not UTF-8.
    """
    try:
        return (unquote_to_bytes(sent) if b"%" in sent else sent).decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} in the path is not valid UTF-8, percent-encoded.") from None


def resources(routes: Iterable[Route], /) -> dict[bytes, Resource]:
    """The resources of these routes, by path with a NUL for the id.

    Raises:
        ValueError: two routes claim the same method of the same path.
    """
    made: dict[bytes, tuple[Version, str, dict[str, Route]]] = {}
    for route in routes:
        for version in route.versions:
            methods = made.setdefault(_key(version, route.path), (version, route.path, {}))[2]
            if route.method in methods:
                raise ValueError(f"{route.method} {version.prefix}{route.path} is in the table twice")
            methods[route.method] = route
    return {key: _resource(*parts) for key, parts in made.items()}


def _key(version: Version, path: str) -> bytes:
    head, _, rest = f"{version.prefix}{path}".partition("{")
    name, _, tail = rest.partition("}")
    return head.lower().encode() + (_HOLE + tail.lower().encode() if name else b"")


def _resource(version: Version, path: str, routes: dict[str, Route]) -> Resource:
    methods = [*routes, "HEAD"] if "GET" in routes else [*routes]
    does = [route.does for route in routes.values() if isinstance(route.does, Operation)]
    return Resource(version, path, routes, ", ".join([*methods, "OPTIONS"]).encode(), does[0] if does else None)


def _with_empty_ids(paths: dict[bytes, Resource]) -> dict[bytes, Resource]:
    """Also ``/events/activate``: an official client sends an empty id so, a bad id rather than a wrong path."""
    return paths | {key.replace(b"/\0/", b"/"): found for key, found in paths.items() if found.operation}


_PATHS = _with_empty_ids(resources(ROUTES))
