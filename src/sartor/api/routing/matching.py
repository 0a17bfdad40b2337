"""How a path leads to a route: a look-up for the wire, a comparison part by part for the control plane."""

from collections.abc import Iterable, Mapping
from urllib.parse import unquote, unquote_to_bytes

from msgspec import Struct

from sartor.api.http.error_responses import RequestRefused
from sartor.api.routing.routes import Operation, Route
from sartor.api.routing.versions import Version
from sartor.errors import InvalidRequest

_NAME_CHARS = 256


class Resource(Struct, frozen=True):
    """One path of one version.

    Attributes:
        version: of the path.
        path: what follows the prefix of the version.
        routes: by method.
        allowed: what the header ``Allow`` says.
        operation: the operation of the data plane, where it is one.
    """

    version: Version
    path: str
    routes: dict[str, Route]
    allowed: bytes
    operation: Operation | None


def build_resources(routes: Iterable[Route], /) -> list[Resource]:
    """Put routes together that have the same path.

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
    return [_build_resource(version, path, methods) for (version, path), methods in made.items()]


def _build_resource(version: Version, path: str, routes: dict[str, Route]) -> Resource:
    methods = [*routes, "HEAD"] if "GET" in routes else [*routes]
    allowed = ", ".join([*methods, "OPTIONS"]).encode()
    operations = [route.handler for route in routes.values() if isinstance(route.handler, Operation)]
    return Resource(version, path, routes, allowed, operations[0] if operations else None)


class WireMatcher:
    """Finds the resources of the wire, whose paths hold one name at most, in two look-ups."""

    def __init__(self, routes: Iterable[Route], /) -> None:
        """Index the routes.

        Raises:
            ValueError: two routes claim the same method of the same path.
        """
        self._paths: dict[bytes, Resource] = {}
        self._around_name: dict[tuple[bytes, bytes], Resource] = {}
        for resource in build_resources(routes):
            self._add(resource)

    def match(self, path: bytes, /) -> tuple[Resource, bytes] | None:
        """The resource at a path, and the name in it as it was sent; None where there is none.

        Matched as it was sent, so that ``%2F`` in a name does not split it. Case and one slash at the end don't
        matter, as at the retired service's gateway.
        """
        found = self._paths.get(path)
        if found is not None:
            return found, b""
        head, _, last = path.rpartition(b"/")
        before, _, name = head.rpartition(b"/")
        found = self._around_name.get((before, last))
        return self._match_leniently(path) if found is None else (found, name)

    def _match_leniently(self, path: bytes) -> tuple[Resource, bytes] | None:
        if path.endswith(b"/"):
            path = path[:-1]
        found = self._paths.get(path.lower())
        if found is not None:
            return found, b""
        head, _, last = path.rpartition(b"/")
        before, _, name = head.rpartition(b"/")
        found = self._around_name.get((before.lower(), last.lower()))
        if found is not None:
            return found, name
        found = self._around_name.get((head.lower(), b""))
        return None if found is None or not last else (found, last)

    def _add(self, resource: Resource) -> None:
        """Index a resource as clients spell it and in small letters, by what is before and after a name."""
        full = f"{resource.version.prefix}{resource.path}".encode()
        before, brace, rest = full.partition(b"/{")
        after = rest.partition(b"}")[2].removeprefix(b"/")
        for spell in (bytes, bytes.lower):
            if not brace:
                self._paths[spell(full)] = resource
                continue
            self._around_name[spell(before), spell(after)] = resource
            if resource.operation is not None:
                # An official client sends an empty event id as /events/activate: a bad id, not a wrong path.
                self._paths[spell(before + b"/" + after)] = resource


class ControlMatcher:
    """Finds the resources of the control plane, whose paths hold any number of names."""

    def __init__(self, routes: Iterable[Route], /) -> None:
        """Prepare the routes.

        Raises:
            ValueError: two routes claim the same method of the same path.
        """
        self._resources = [
            (tuple(resource.path.strip("/").split("/")), resource) for resource in build_resources(routes)
        ]

    def match(self, path: bytes, /) -> tuple[Resource, dict[str, str]] | None:
        """The resource at a path after the prefix of the version, and the names in it, decoded.

        Raises:
            RequestRefused: the path is not UTF-8, or a part of it is too long.
        """
        try:
            parts = [unquote(part, errors="strict") for part in path.decode("ascii").strip("/").split("/")]
        except UnicodeDecodeError:
            raise RequestRefused("InvalidRequest", "The path is not valid UTF-8, percent-encoded.") from None
        if any("\0" in part or len(part) > _NAME_CHARS for part in parts):
            raise RequestRefused("InvalidRequest", "A name in the path is too long, or holds a NUL character.")
        for wanted, resource in self._resources:
            names = _match_parts(wanted, parts)
            if names is not None:
                return resource, names
        return None


def _match_parts(wanted: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    if len(parts) != len(wanted):
        return None
    names = {}
    for pattern, part in zip(wanted, parts, strict=True):
        if pattern.startswith("{"):
            if not part:
                return None
            names[pattern[1:-1]] = part
        elif pattern != part:
            return None
    return names


def decode_name(sent: bytes, /, *, name: str = "eventId") -> str:
    """Decode a name in a path from percent-encoding.

    Raises:
        InvalidRequest: it is not UTF-8.
    """
    try:
        return (unquote_to_bytes(sent) if b"%" in sent else sent).decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} in the path is not valid UTF-8, percent-encoded.") from None


def decode_names(sent: bytes, route: Route, /, *, most_chars: int) -> Mapping[str, str]:
    """Decode and check the name in a path of the wire, where the route has one.

    Raises:
        InvalidRequest: it is not UTF-8.
        RequestRefused: it is empty, longer than ``most_chars``, or holds a NUL.
    """
    if not route.names:
        return {}
    (name,) = route.names
    value = decode_name(sent, name=name)
    if not 1 <= len(value) <= most_chars or "\0" in value:
        raise RequestRefused(route.invalid, f"{name} must have 1 to {most_chars} characters, none of them NUL.")
    return {name: value}
