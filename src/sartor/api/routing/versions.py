"""The versions of the wire, oldest first, and of the control plane: where each is, and how requests name it."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from msgspec import Struct

from sartor.api.http.error_responses import RequestRefused

ROOT = "/personalizer"
PARAMETER = "api-version"


class Version(Struct, frozen=True):
    """One version of an API.

    Attributes:
        name: what it is called.
        root: what the paths of all versions of the API begin with.
        in_query: whether it is named by a query parameter rather than by the path.
    """

    name: str
    root: str = ROOT
    in_query: bool = False

    @property
    def prefix(self) -> str:
        """What its paths begin with."""
        return self.root if self.in_query else f"{self.root}/{self.name}"


V1_0 = Version("v1.0")
PREVIEW_1 = Version("v1.1-preview.1")
PREVIEW_2 = Version("v1.1-preview.2")
PREVIEW_3 = Version("v1.1-preview.3")
V2022_09 = Version("2022-09-01-preview", in_query=True)

CONTROL_V1 = Version("v1", root="/sartor")
"""The control plane, which is no version of the wire."""

ALL_VERSIONS = (V1_0, PREVIEW_1, PREVIEW_2, PREVIEW_3, V2022_09)
PATHS = ALL_VERSIONS[:4]
PREVIEWS = ALL_VERSIONS[1:]
FROM_PREVIEW_2 = ALL_VERSIONS[2:]
FROM_PREVIEW_3 = ALL_VERSIONS[3:]

_NAMED = V2022_09.name


def check_named(query: bytes, /) -> None:
    """Check that a request without a version in its path names, in its query, the one that is served there.

    Raises:
        RequestRefused: it names none, or one that is not served.
    """
    named = find_version(query)
    if named == _NAMED:
        return
    elsewhere = ", ".join(version.prefix for version in PATHS)
    if not named:
        raise RequestRefused(
            "MissingApiVersionParameter",
            f"The query parameter {PARAMETER} is required for paths without a version: "
            f"{PARAMETER}={_NAMED}. Versions in paths: {elsewhere}.",
        )
    raise RequestRefused(
        "UnsupportedApiVersionValue",
        f"The {PARAMETER} {named[:64]!r} is not served. Served are {PARAMETER}={_NAMED} and the paths "
        f"{elsewhere}.",
    )


def find_version(query: bytes, /) -> str:
    """Find the version that a query names; empty if it names none."""
    for name, value in _pairs(query):
        if name.lower() == PARAMETER:
            return value
    return ""


def _pairs(query: bytes) -> Sequence[tuple[str, str]]:
    return parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True)
