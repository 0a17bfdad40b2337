"""What is shown of a URL that may hold secrets: a user, a password, a signature in its query."""

import re

MASK = "***"
"""Stands where a secret is."""

_USER = re.compile(r"(://)[^/?#@]*(?:@[^/?#@]*)*@")
_CONTAINERS = ("abfs://", "abfss://")
_SHOWN = frozenset(("sv", "sp", "st", "se", "sr", "spr", "ss", "srt", "sip"))
"""What a SAS URI says of itself: permissions, times, versions."""


def strip_users(url: str, /) -> str:
    """Returns a URL, or a chain of them, without users and passwords; Azure's containers stay."""
    return url if url.startswith(_CONTAINERS) else _USER.sub(r"\1", url)


def mask_url(url: str, /) -> str:
    """Returns a URL as it is shown: users, passwords and what a query may hold of secrets are masked."""
    bare, mark, query = url.partition("?")
    bare, hash_mark, fragment = bare.partition("#")
    if not bare.startswith(_CONTAINERS):
        bare = _USER.sub(rf"\1{MASK}@", bare)
    if fragment:
        bare += f"{hash_mark}{MASK}"
    return bare + mark + "&".join(map(_mask_parameter, query.split("&"))) if mark else bare


def is_masked(url: str, /) -> bool:
    """Whether a URL is one that was shown, with its secret left out."""
    return MASK in url


def _mask_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:
        return MASK if name else ""
    return parameter if name.lower() in _SHOWN and "#" not in value else f"{name}={MASK if value else ''}"
