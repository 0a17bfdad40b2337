"""Backups: writes a loop to one file while it is in use, and restores it, here or in another instance."""

import secrets
from pathlib import Path

from sartor.errors import InvalidSetting
from sartor.loops import Backups
from sartor.management import loops
from sartor.ports import Loop
from sartor.stores.audited import AuditedStores


def back_up_loop(stores: AuditedStores, name: str, target: Path, /) -> Loop:
    """Write a loop to a file, with its log, its models, its settings, and its keys, which stay encrypted.

    Raises:
        LoopNotFound: there is no such loop.
        InvalidSetting: these stores have no backups.
        StoreUnavailable: it can't be written.
    """
    loop = loops.find_loop(stores, name)
    _backups(stores).back_up(loop, target)
    stores.note("back up", loop)
    return loop


def restore_loop(stores: AuditedStores, source: Path, /, *, rename: str | None = None) -> Loop:
    """Restore a loop, under its name or another one.

    Raises:
        LoopExists: the name is in use, or the loop exists, in service or deleted.
        InvalidSetting: these stores have no backups, or the name is not valid.
        Corrupt: the file is not a backup.
        StoreUnavailable: it can't be read, or the loop not be written.
    """
    keys = (secrets.token_hex(16), secrets.token_hex(16))
    loop = _backups(stores).restore(source, name=rename, new_keys=keys)
    stores.note("restore", loop)
    return loop


def _backups(stores: AuditedStores) -> Backups:
    bare = stores.wrapped
    if not isinstance(bare, Backups):
        raise InvalidSetting("The stores of this instance have backups of their own.")
    return bare
