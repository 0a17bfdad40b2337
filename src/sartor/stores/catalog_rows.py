"""Loops as rows of the catalog: JSON without the keys, and the keys encrypted.

A damaged row hides no other.
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from sartor.errors import Corrupt, InvalidSetting
from sartor.loops import Loop, UnreadableLoop
from sartor.stores.connection import Row
from sartor.stores.key_encryption import KeyEncryption
from sartor.stores.layout import check_id, check_name

_decoder = msgspec.json.Decoder(Loop)
_REPAIR = "restore catalog.sqlite from a backup"


class CatalogRows:
    """Reads and writes the rows of loops."""

    def __init__(self, encryption: KeyEncryption, /) -> None:
        """``encryption``: of the keys."""
        self._encryption = encryption

    def encrypt(self, loop: Loop, /) -> tuple[str, bytes]:
        """Returns a loop as it is stored: JSON without its keys, and its keys, encrypted."""
        return encode_loop(loop), self._encryption.encrypt_keys((loop.key1, loop.key2), loop_id=loop.loop_id)

    def decrypt(self, body: str | bytes, keys: bytes, /, *, loop_id: str) -> Loop:
        """Returns a loop that was stored like that.

        Raises:
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        key1, key2 = self._decrypt_keys(keys, loop_id=loop_id)
        return replace(decode_loop(body), key1=key1, key2=key2)

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
            readable = self._decrypt_keys(keys, loop_id=loop_id)
            loop = replace(decode_loop(body), key1=readable[0], key2=readable[1])
            _check_names(loop, loop_id=loop_id, name=name)
        except (Corrupt, InvalidSetting) as error:
            return UnreadableLoop(loop_id=loop_id, name=name, keys=tuple(readable), reason=error.message)
        return loop

    def _decrypt_keys(self, keys: bytes, *, loop_id: str) -> tuple[str, str]:
        try:
            return self._encryption.decrypt_keys(keys, loop_id=loop_id)
        except (msgspec.DecodeError, TypeError) as error:
            raise Corrupt(f"The keys of loop {loop_id} can't be read: {_REPAIR}.") from error


def encode_loop(loop: Loop, /) -> str:
    """Encodes a loop without its keys as JSON."""
    return msgspec.json.encode(replace(loop, key1="", key2="")).decode()


def decode_loop(body: str | bytes, /) -> Loop:
    """Decodes a loop without its keys.

    Raises:
        Corrupt: it is damaged.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise Corrupt(f"Its entry in the catalog can't be read ({error}): {_REPAIR}.") from error


def _check_names(loop: Loop, *, loop_id: str, name: str) -> None:
    check_name(loop.name)
    check_id(loop.loop_id)
    if (loop.loop_id, loop.name) != (loop_id, name):
        raise Corrupt(f"Its entry in the catalog contradicts itself about its name or id: {_REPAIR}.")


def _to_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
