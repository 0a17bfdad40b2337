"""The keys of loops at rest: sealed with AES-GCM, each bound to the id of its loop.

Whoever copies the catalog without the secret key learns no key, and a sealed pair moved to another loop's
row can't be opened.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sartor.errors import Corrupt, InvalidSetting, StoreUnavailable
from sartor.stores.layout import Layout, checked_name
from sartor.stores.schema import flush

SHORTEST_KEY = 16
"""Bytes of a master key, at least."""

_NONCE = 12


class KeyEncryption:
    """Seals and opens the two keys of a loop."""

    def __init__(self, master_key: bytes, /) -> None:
        """Derive the sealing key.

        Raises:
            InvalidSetting: the master key is shorter than 16 bytes.
        """
        if len(master_key) < SHORTEST_KEY:
            raise InvalidSetting(f"The secret key must have {SHORTEST_KEY} bytes or more.")
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sartor: keys of loops")
        self._cipher = AESGCM(derive.derive(master_key))

    def seal(self, keys: tuple[str, str], /, *, loop_id: str) -> bytes:
        """Two keys as bytes that only this keyring opens, and only for this loop."""
        return self.seal_bytes(msgspec.json.encode(keys), bound_to=loop_id)

    def open(self, sealed: bytes, /, *, loop_id: str) -> tuple[str, str]:
        """The two keys again.

        Raises:
            Corrupt: sealed with another secret key, for another loop, or damaged.
        """
        plain = self.open_bytes(sealed, bound_to=loop_id, what=f"The keys of loop {loop_id}")
        return msgspec.json.decode(plain, type=tuple[str, str])

    def seal_bytes(self, plain: bytes, /, *, bound_to: str) -> bytes:
        """Bytes that only this keyring opens, and only for what they are bound to."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, bound_to.encode())

    def open_bytes(self, sealed: bytes, /, *, bound_to: str, what: str) -> bytes:
        """The bytes again; ``what``: their name for the message.

        Raises:
            Corrupt: sealed with another secret key, for something else, or damaged.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise Corrupt(
                f"{what} can't be opened: sealed with another secret key "
                "than this one (secret.key in the data folder, or SARTOR_SECRET_KEY)."
            ) from error


def master_key_of(path: Path, /) -> bytes:
    """The master key in this file, made at first use and readable by its owner only.

    It is text: the same text can be given from outside instead.

    Raises:
        StoreUnavailable: the file can't be read or made.
    """
    try:
        if not path.exists():
            make_once(path, secrets.token_urlsafe(32).encode() + b"\n")
        return path.read_bytes().strip()
    except OSError as error:
        raise StoreUnavailable(f"{path} can't be read: {error.strerror}.") from error


def make_once(path: Path, content: bytes, /) -> None:
    """Make a file that its owner alone can read, unless it is there.

    Raises:
        OSError: it can't be made.
    """
    # Linked into place when whole, so that two processes at their first start agree on one content.
    draft = path.with_name(f".{path.name}-{uuid4().hex}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        flush(draft)
        os.link(draft, path)
        flush(path.parent)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


class EncryptedSecrets:
    """Keeps secrets by name; each is made once."""

    def __init__(self, layout: Layout, keyring: KeyEncryption, /) -> None:
        self._layout = layout
        self._keyring = keyring

    def secret(self, name: str, make: Callable[[], bytes], /) -> bytes:
        """The secret of that name, made at first use.

        Raises:
            Corrupt: it was sealed with another secret key, or damaged.
            StoreUnavailable: it can't be read or made.
        """
        path = self._layout.secrets / checked_name(name)
        bound_to = f"secret {name}"
        try:
            if not path.exists():
                self._layout.make_secrets()
                make_once(path, self._keyring.seal_bytes(make(), bound_to=bound_to))
            return self._keyring.open_bytes(path.read_bytes(), bound_to=bound_to, what=f"The secret {name!r}")
        except OSError as error:
            raise StoreUnavailable(f"The secret {name!r} can't be read or made: {error.strerror}.") from error
