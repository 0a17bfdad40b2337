"""Backups: writes a loop to one file while it is in use, and restores it, here or in another instance."""

import secrets
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from sartor.errors import InvalidSetting
from sartor.learn.dumps import check_options, is_dump
from sartor.learn.policy import check_policy
from sartor.loops import Backups
from sartor.management import loops, model_sandbox
from sartor.ports import Loop
from sartor.settings import with_changes
from sartor.stores.audited import AuditedStores

_LARGEST = 2**53
_NUMBERS = ("version", "created_at_us", "edited_at_us", "generation", "first_outcome", "recoverable_until_us")
_NO_MIRROR = {"logMirrorEnabled": False, "logMirrorSasUri": None}


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


def restore_loop(
    stores: AuditedStores, source: Path, /, *, rename: str | None = None, from_another_instance: bool = False
) -> Loop:
    """Restore a loop, under its name or another one.

    Args:
        stores: the instance's stores.
        source: the file.
        rename: another name.
        from_another_instance: also accept a backup that can't be authenticated. Its models are loaded and
            saved anew in a process of their own, its settings are checked, and its log is not mirrored.

    Raises:
        LoopExists: the name is in use, or the loop exists, in service or deleted.
        ForeignBackup: another instance wrote the file, or an older version, and that is not accepted.
        InvalidSetting: these stores have no backups, or the name or a setting is not valid.
        InvalidPolicy: the learning settings of the loop are not accepted.
        Corrupt: the file is not a backup, is damaged, or was changed; or a model in it is not accepted.
        StoreUnavailable: it can't be read, or the loop not be written.
    """
    keys = (secrets.token_hex(16), secrets.token_hex(16))
    checks = _Checks(accepts_foreign=from_another_instance)
    loop = _backups(stores).restore(source, name=rename, new_keys=keys, checks=checks)
    stores.note("restore", loop)
    return loop


class _Checks(Struct, frozen=True, kw_only=True):
    """``RestoreChecks`` with the engine."""

    accepts_foreign: bool

    def check_loop(self, loop: Loop, /) -> Loop:
        """The loop with checked settings, and without its mirror."""
        for name in _NUMBERS:
            if not 0 <= (getattr(loop, name) or 0) < _LARGEST:
                raise InvalidSetting(f"The backup holds a loop whose {name} is out of range.")
        check_policy(loop.effective_arguments)
        return replace(loop, settings=with_changes(loop.settings, _NO_MIRROR))

    def check_model(self, blob: bytes, arguments: str, /, *, is_own: bool) -> bytes:
        """The dump itself if it is our own, or one that the engine made of it in a process of its own."""
        if is_own:
            check_options(blob)
            return blob
        return model_sandbox.convert_dump(blob, arguments)

    def check_blob(self, content: bytes, /) -> None:
        """A blob may be anything, but a model among them must be one that could be loaded."""
        if is_dump(content):
            check_options(content)


def _backups(stores: AuditedStores) -> Backups:
    bare = stores.wrapped
    if not isinstance(bare, Backups):
        raise InvalidSetting("The stores of this instance have backups of their own.")
    return bare
