"""Encryption at rest: the keys of loops, and the secrets of an instance.

AES-GCM under a key derived from the instance's secret key. Each ciphertext is bound to the id of its loop, or
to its name: whoever copies the catalog without the secret key learns no key, and a pair of keys that is moved
to the row of another loop can't be decrypted.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sartor.errors import Corrupt, InvalidSetting, StoreUnavailable
from sartor.private_files import write_private
from sartor.stores.layout import Layout, check_name
from sartor.stores.schema import flush

SHORTEST_KEY = 16
"""Bytes of a master key, at least."""

_NONCE_BYTES = 12


class KeyEncryption:
    """Encrypts and decrypts with a key that is derived from the master key."""

    def __init__(self, master_key: bytes, /) -> None:
        """Derives the key.

        Raises:
            InvalidSetting: the master key is shorter than 16 bytes.
        """
        if len(master_key) < SHORTEST_KEY:
            raise InvalidSetting(f"The secret key must have {SHORTEST_KEY} bytes or more.")
        self._cipher = AESGCM(_derive(master_key, b"sartor: keys of loops"))
        self.backup_key = _derive(master_key, b"sartor: backups")
        """Seals backups; 32 bytes."""

    def encrypt(self, plain: bytes, /, *, bound_to: str) -> bytes:
        """Encrypts bytes, bound to a name: they are decrypted with the same name only."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, bound_to.encode())

    def decrypt(self, encrypted: bytes, /, *, bound_to: str, what: str) -> bytes:
        """Decrypts bytes. ``what`` names them in the error message.

        Raises:
            Corrupt: encrypted with another secret key, bound to another name, or damaged.
        """
        nonce, ciphertext = encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise Corrupt(
                f"{what} can't be decrypted: it was encrypted with another secret key "
                "than the one in use (secret.key in the data folder, or SARTOR_SECRET_KEY)."
            ) from error


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(master_key)


def read_master_key(path: Path, /, *, must_exist: bool = False) -> bytes:
    """Returns the master key in a file, readable by its owner only.

    It is text: the same text can be given from outside instead.

    Args:
        path: the file.
        must_exist: whether something was encrypted with the key before; otherwise the first use creates it.

    Raises:
        Corrupt: it must exist, and is missing.
        StoreUnavailable: the file can't be read or created.
    """
    try:
        if not path.exists():
            if must_exist:
                raise Corrupt(
                    f"{path.name} is missing, and without it the keys of the loops can't be read. Restore the "
                    "file, or give the secret key that was used before as SARTOR_SECRET_KEY."
                )
            _write_once(path, secrets.token_urlsafe(32).encode() + b"\n")
        return path.read_bytes().strip()
    except OSError as error:
        raise StoreUnavailable(f"{path} can't be read: {error.strerror}.") from error


class EncryptedSecrets:
    """Secrets of an instance by name, one encrypted file each. Each is made once."""

    def __init__(self, layout: Layout, encryption: KeyEncryption, /) -> None:
        self._layout = layout
        self._encryption = encryption

    def secret(self, name: str, make: Callable[[], bytes], /) -> bytes:
        """Returns the secret of a name, made at first use.

        Raises:
            Corrupt: it was encrypted with another secret key, or is damaged.
            StoreUnavailable: it can't be read or written.
        """
        path = self._layout.secrets / check_name(name)
        bound_to = f"secret {name}"
        try:
            if not path.exists():
                self._layout.make_secrets()
                _write_once(path, self._encryption.encrypt(make(), bound_to=bound_to))
            return self._encryption.decrypt(path.read_bytes(), bound_to=bound_to, what=f"The secret {name!r}")
        except OSError as error:
            raise StoreUnavailable(
                f"The secret {name!r} can't be read or written: {error.strerror}."
            ) from error


def _write_once(path: Path, content: bytes) -> None:
    """Creates a file that its owner alone can read, unless it exists."""
    # Linked into place when whole, so that two processes at their first start agree on one content.
    draft = path.with_name(f".{path.name}-{uuid4().hex}")
    try:
        write_private(draft, content)
        flush(draft)
        os.link(draft, path)
        flush(path.parent)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
