"""How a loop is portrayed in the activity log: all that can be changed, and no secret.

Of a key only its change is told. A target of the log mirror is told without its query, which holds a signature.
"""

import msgspec

from sartor.ports import Loop

_REPLACED = "replaced"
_QUERY = "?…"


def describe_loop(loop: Loop, /) -> dict[str, object]:
    """A loop without its secrets."""
    settings = msgspec.to_builtins(loop.settings)
    target = settings.get("logMirrorSasUri")
    if isinstance(target, str):
        settings["logMirrorSasUri"] = strip_query(target)
    return {
        "name": loop.name,
        "policy": {"name": loop.policy_name, "arguments": loop.arguments},
        "settings": settings,
        "terms": msgspec.to_builtins(loop.terms),
        "generation": loop.generation,
    }


def diff_loops(before: Loop | None, after: Loop | None, /) -> tuple[bytes, bytes]:
    """What a change took away and what it put there, as JSON; whole where there was, or is, nothing."""
    if before is None or after is None:
        return to_json(before and describe_loop(before)), to_json(after and describe_loop(after))
    was, became = _changed(describe_loop(before), describe_loop(after))
    for name in ("key1", "key2"):
        if getattr(before, name) != getattr(after, name):
            was[name], became[name] = "", _REPLACED
    if before.settings.log_mirror_sas_uri != after.settings.log_mirror_sas_uri:
        _tell_target(before, was)
        _tell_target(after, became)
    return to_json(was), to_json(became)


def strip_query(target: str, /) -> str:
    """A URL without what follows ``?``, and without a user and a password before the host."""
    bare, mark, _ = target.partition("?")
    scheme, separator, rest = bare.partition("://")
    if separator:
        host, slash, path = rest.partition("/")
        bare = f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    return bare + (_QUERY if mark else "")


def to_json(value: object, /) -> bytes:
    """A value as JSON."""
    return msgspec.json.encode(value)


def _tell_target(loop: Loop, told: dict[str, object]) -> None:
    target = loop.settings.log_mirror_sas_uri
    settings = told.setdefault("settings", {})
    if isinstance(settings, dict):
        settings["logMirrorSasUri"] = target if target is None else strip_query(target)


def _changed(
    before: dict[str, object], after: dict[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """The members that differ, at any depth."""
    was: dict[str, object] = {}
    became: dict[str, object] = {}
    for name in (*before, *(added for added in after if added not in before)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            old, new = _changed(old, new)
        was[name], became[name] = old, new
    return was, became
