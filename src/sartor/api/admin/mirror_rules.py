"""Which target of the log mirror a caller may set (contract, section 1.5)."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from sartor.access.roles import EVERY_LOOP
from sartor.api.caller_context import CallerContext
from sartor.api.http.error_responses import RequestRefused
from sartor.api.routing.versions import V2022_09, Version
from sartor.errors import DestinationRefused
from sartor.masking import is_masked, mask_url
from sartor.ports import Loop

TARGET = "logMirrorSasUri"
ENABLED = "logMirrorEnabled"

_SAS_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_FOLDER = re.compile(r"(file://)?/[^:]*")

Changes = Mapping[str, object]


def check_target(
    loop: Loop, changes: Changes, /, *, context: CallerContext, version: Version
) -> tuple[Changes, bool]:
    """Check a change of the mirror; returns the changes to make, and whether an owner chose the target.

    What was set before stays as it is, whether it comes back whole or masked. A mirror that a caller turns on
    must go where callers may, unless whoever runs the instance chose its target.

    Raises:
        RequestRefused: the target may not be set, or there is none to turn on.
    """
    code = "InvalidSasUri" if version is V2022_09 else "InvalidContainer"
    stored = loop.settings.log_mirror_sas_uri
    target = changes.get(TARGET, stored)
    enabled = changes.get(ENABLED, loop.settings.log_mirror_enabled)
    if enabled and not target:
        raise RequestRefused(code, f"{TARGET} is required while {ENABLED} is true.")
    if stored and target in (stored, mask_url(stored)):
        if enabled and not loop.settings.log_mirror_enabled and not loop.mirror_by_operator:
            _check_new(stored, context, code)
        return {name: value for name, value in changes.items() if name != TARGET}, loop.mirror_by_operator
    return changes, bool(target) and _check_new(str(target), context, code)


def _check_new(target: str, context: CallerContext, code: str) -> bool:
    """Check a target that is not set yet; returns whether it is one that only an owner may choose."""
    if _FOLDER.fullmatch(target) and context.caller.may("own", EVERY_LOOP):
        return True
    for problem in _find_problems(target, context):
        raise RequestRefused(code, f"{TARGET} {problem}.")
    return False


def _find_problems(target: str, context: CallerContext) -> Iterator[str]:
    if is_masked(target):
        yield "is masked, and not the one that is set: send it with its signature"
        return
    try:
        context.allowed_destinations.check(target)
        parts = urlsplit(target)
    except DestinationRefused as error:
        yield error.message
        return
    except ValueError:
        yield "is not a URL"
        return
    if parts.scheme not in ("http", "https"):
        return
    query = parse_qs(parts.query)
    if "sig" not in query:
        yield "has no signature (sig): it is not a SAS URI"
    if "w" not in query.get("sp", [""])[0]:
        yield "does not allow writing (sp has no w)"
    for name in ("st", "se"):
        if any(not _SAS_TIME.fullmatch(time) for time in query.get(name, [])):
            yield f"has a time ({name}) that is not like 2024-05-17T09:30:00Z"
