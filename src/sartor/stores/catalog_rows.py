"""Loops as rows of the catalog: JSON without their secrets, and these encrypted.

The secrets are the two keys, and the target of the log mirror, whose query is a signature. Who chose the target
is sealed with it: nobody gives himself the operator's freedom by editing a file. A damaged row hides no other.
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.errors import Corrupt, InvalidSetting
from sartor.loops import Loop, UnreadableLoop
from sartor.stores.connection import Row
from sartor.stores.key_encryption import KeyEncryption
from sartor.stores.layout import check_id, check_name

_decoder = msgspec.json.Decoder(Loop)
_REPAIR = "restore catalog.sqlite from a backup"


class LoopSecrets(Struct, frozen=True, array_like=True):
    """What is encrypted of a loop. Older versions encrypted the keys alone, and had the target in the JSON."""

    key1: str
    key2: str
    mirror_target: str | None = None
    mirror_by_operator: bool = False
    holds_target: bool = False


_decode_secrets = msgspec.json.Decoder(LoopSecrets).decode


class CatalogRows:
    """Reads and writes the rows of loops."""

    def __init__(self, encryption: KeyEncryption, /) -> None:
        """``encryption``: of the secrets."""
        self._encryption = encryption

    def encrypt(self, loop: Loop, /) -> tuple[str, bytes]:
        """Returns a loop as it is stored: JSON without its secrets, and these, encrypted."""
        target = loop.settings.log_mirror_sas_uri
        secrets = LoopSecrets(loop.key1, loop.key2, target, loop.mirror_by_operator, True)
        return encode_loop(loop), self._encryption.encrypt(msgspec.json.encode(secrets), bound_to=loop.loop_id)

    def decrypt(self, body: str | bytes, keys: bytes, /, *, loop_id: str) -> Loop:
        """Returns a loop that was stored like that.

        Raises:
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        return _combine(decode_loop(body), self.decrypt_secrets(keys, loop_id=loop_id))

    def read(self, rows: Iterable[Row], /) -> tuple[list[Loop], list[UnreadableLoop]]:
        """Returns the loops in rows of id, JSON, keys and name, and those that are damaged."""
        found: list[Loop] = []
        damaged: list[UnreadableLoop] = []
        for row in rows:
            loop = self._read_row(row)
            if isinstance(loop, Loop):
                found.append(loop)
            else:
                damaged.append(loop)
        return found, damaged

    def read_all(self, rows: Iterable[Row], /) -> tuple[list[Loop], list[UnreadableLoop]]:
        """``read`` for the rows of all loops.

        Raises:
            Corrupt: there are rows, and the keys of none can be decrypted: the secret key is another one.
        """
        found, damaged = self.read(rows)
        if damaged and not found and not any(loop.keys for loop in damaged):
            raise Corrupt(damaged[0].reason)
        return found, damaged

    def _read_row(self, row: Row) -> Loop | UnreadableLoop:
        loop_id, body, keys, name = _to_text(row[0]), row[1], row[2], _to_text(row[3])
        readable: Sequence[str] = ()
        try:
            secrets = self.decrypt_secrets(keys, loop_id=loop_id)
            readable = (secrets.key1, secrets.key2)
            loop = _combine(decode_loop(body), secrets)
            _check_names(loop, loop_id=loop_id, name=name)
        except (Corrupt, InvalidSetting) as error:
            return UnreadableLoop(loop_id=loop_id, name=name, keys=tuple(readable), reason=error.message)
        return loop

    def decrypt_secrets(self, keys: bytes, /, *, loop_id: str) -> LoopSecrets:
        """Returns the secrets of a loop, as this version or an older one encrypted them.

        Raises:
            Corrupt: they are damaged, or were encrypted with another secret key.
        """
        try:
            return _decode_secrets(
                self._encryption.decrypt(keys, bound_to=loop_id, what=f"The keys of loop {loop_id}")
            )
        except (msgspec.DecodeError, TypeError) as error:
            raise Corrupt(f"The keys of loop {loop_id} can't be read: {_REPAIR}.") from error


def encode_loop(loop: Loop, /) -> str:
    """Encodes a loop without its secrets as JSON."""
    settings = replace(loop.settings, log_mirror_sas_uri=None)
    bare = replace(loop, key1="", key2="", settings=settings, mirror_by_operator=False)
    return msgspec.json.encode(bare).decode()


def decode_loop(body: str | bytes, /) -> Loop:
    """Decodes a loop without its secrets.

    Raises:
        Corrupt: it is damaged.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise Corrupt(f"Its entry in the catalog can't be read ({error}): {_REPAIR}.") from error


def _combine(loop: Loop, secrets: LoopSecrets) -> Loop:
    settings = loop.settings
    if secrets.holds_target:
        settings = replace(settings, log_mirror_sas_uri=secrets.mirror_target)
    return replace(
        loop,
        key1=secrets.key1,
        key2=secrets.key2,
        settings=settings,
        mirror_by_operator=secrets.mirror_by_operator,
    )


def _check_names(loop: Loop, *, loop_id: str, name: str) -> None:
    check_name(loop.name)
    check_id(loop.loop_id)
    if (loop.loop_id, loop.name) != (loop_id, name):
        raise Corrupt(f"Its entry in the catalog contradicts itself about its name or id: {_REPAIR}.")


def _to_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
