"""The route table: every operation of every version, and how a path leads to it.

A module of handlers ends in a tuple ``ROUTES``; it is listed here, and nowhere else.
"""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from sartor.api.admin import (
    configuration,
    evaluations,
    evaluations_2022,
    evaluations_apply,
    feature_importances,
    logs,
    metrics,
    models,
    policy,
    staged_models,
    uploads,
)
from sartor.api.dataplane import routes as decisions
from sartor.api.routing.routes import Operation, Route
from sartor.api.routing.versions import Version
from sartor.errors import InvalidRequest

ROUTES: tuple[Route, ...] = (
    *decisions.ROUTES,
    *configuration.ROUTES,
    *policy.ROUTES,
    *models.ROUTES,
    *staged_models.ROUTES,
    *logs.ROUTES,
    *metrics.ROUTES,
    *evaluations.ROUTES,
    *evaluations_2022.ROUTES,
    *evaluations_apply.ROUTES,
    *feature_importances.ROUTES,
    *uploads.ROUTES,
)


class Resource(Struct, frozen=True):
    """One path of one version. ``routes`` are by method; ``allowed`` is what the header ``Allow`` says.

    ``operation``: the operation of the data plane, where it is one.
    """

    version: Version
    path: str
    routes: dict[str, Route]
    allowed: bytes
    operation: Operation | None


def match_path(path: bytes, /) -> tuple[Resource, bytes] | None:
    """The resource at a path, and the id in it as it was sent; None where there is none.

    Matched as it was sent, so that ``%2F`` in an id does not split it. Case and one slash at the end don't
    matter, as at the retired service's gateway.
    """
    found = _PATHS.get(path)
    if found is not None:
        return found, b""
    head, _, last = path.rpartition(b"/")
    before, _, name = head.rpartition(b"/")
    found = _AROUND_ID.get((before, last))
    return _matched_slowly(path) if found is None else (found, name)


def _matched_slowly(path: bytes) -> tuple[Resource, bytes] | None:
    if path.endswith(b"/"):
        path = path[:-1]
    found = _PATHS.get(path.lower())
    if found is not None:
        return found, b""
    head, _, last = path.rpartition(b"/")
    before, _, name = head.rpartition(b"/")
    found = _AROUND_ID.get((before.lower(), last.lower()))
    if found is not None:
        return found, name
    found = _AROUND_ID.get((head.lower(), b""))
    return None if found is None or not last else (found, last)


def decode_id(sent: bytes, /, *, name: str = "eventId") -> str:
    """An id of a path, percent-decoded.

    Raises:
        InvalidRequest: it is not UTF-8.
    """
    try:
        return (unquote_to_bytes(sent) if b"%" in sent else sent).decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} in the path is not valid UTF-8, percent-encoded.") from None


def build_resources(routes: Iterable[Route], /) -> list[Resource]:
    """The resources of these routes.

    Raises:
        ValueError: two routes claim the same method of the same path.
    """
    made: dict[tuple[Version, str], dict[str, Route]] = {}
    for route in routes:
        for version in route.versions:
            methods = made.setdefault((version, route.path), {})
            if route.method in methods:
                raise ValueError(f"{route.method} {version.prefix}{route.path} is in the table twice")
            methods[route.method] = route
    return [_resource(version, path, methods) for (version, path), methods in made.items()]


def _resource(version: Version, path: str, routes: dict[str, Route]) -> Resource:
    methods = [*routes, "HEAD"] if "GET" in routes else [*routes]
    allowed = ", ".join([*methods, "OPTIONS"]).encode()
    does = [route.does for route in routes.values() if isinstance(route.does, Operation)]
    return Resource(version, path, routes, allowed, does[0] if does else None)


def _indexed(found: Iterable[Resource]) -> tuple[dict[bytes, Resource], dict[tuple[bytes, bytes], Resource]]:
    """By path, as clients send it and in small letters; and those with an id by what is before and after it."""
    paths: dict[bytes, Resource] = {}
    around: dict[tuple[bytes, bytes], Resource] = {}
    for resource in found:
        full = f"{resource.version.prefix}{resource.path}".encode()
        before, hole, rest = full.partition(b"/{")
        after = rest.partition(b"}")[2].removeprefix(b"/")
        for spelled in (bytes, bytes.lower):
            if not hole:
                paths[spelled(full)] = resource
                continue
            around[spelled(before), spelled(after)] = resource
            if resource.operation is not None:
                # An official client sends an empty event id as /events/activate: a bad id, not a wrong path.
                paths[spelled(before + b"/" + after)] = resource
    return paths, around


_PATHS, _AROUND_ID = _indexed(build_resources(ROUTES))
