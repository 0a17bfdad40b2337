"""Confines this process to writing in one folder, where the kernel can: Landlock, in Linux 5.13 and newer.

Started programs and TCP connections are refused as well. Nothing undoes it, and children inherit it. The
numbers are those of the kernel's ``landlock.h``; they are the same on all machines.
"""

import ctypes
import os
from pathlib import Path

from msgspec import Struct

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_REMOVE = 1 << 4 | 1 << 5
_MAKE_FOLDER_OR_FILE = 1 << 7 | 1 << 8
_MAKE_ANYTHING = 0b1111111 << 6
_TRUNCATE = 1 << 14
_TCP = 0b11


class _Supported(Struct, frozen=True):
    """What can be refused by a version of Landlock; ``truncate`` and ``tcp`` came later."""

    truncate: bool
    tcp: bool


def confine_writes(folder: Path, /) -> bool:
    """Let this process write in a folder only, from now on; returns whether the kernel could do it.

    Files that are open stay open, and reading is not confined.

    Raises:
        OSError: the kernel has the means, and refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    supported = _ask(libc)
    if supported is None:
        return False
    writing = _WRITE_FILE | _REMOVE | _MAKE_ANYTHING | (_TRUNCATE if supported.truncate else 0)
    allowed = _WRITE_FILE | _REMOVE | _MAKE_FOLDER_OR_FILE | (_TRUNCATE if supported.truncate else 0)
    handled = [_EXECUTE | writing] + ([_TCP] if supported.tcp else [])
    attributes = b"".join(value.to_bytes(8, "little") for value in handled)
    ruleset = _call(libc, _CREATE_RULESET, attributes, len(attributes), 0)
    place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        beneath = allowed.to_bytes(8, "little") + place.to_bytes(4, "little")
        _call(libc, _ADD_RULE, ruleset, _PATH_BENEATH, beneath, 0)
        if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "no_new_privs")
        _call(libc, _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(place)
        os.close(ruleset)
    return True


def _ask(libc: ctypes.CDLL) -> _Supported | None:
    """None: this kernel has no Landlock, or it is switched off."""
    if not hasattr(os, "O_PATH"):
        return None
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    return _Supported(truncate=version >= 3, tcp=version >= 4) if version > 0 else None


def _call(libc: ctypes.CDLL, number: int, *arguments: int | bytes) -> int:
    result: int = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
