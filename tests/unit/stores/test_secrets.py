"""Secrets at rest."""

from pathlib import Path

import pytest

from sartor.errors import Corrupt, InvalidSetting
from sartor.stores.stores import open_stores


def made() -> bytes:
    return b"a very secret content"


def test_a_secret_is_encrypted_and_for_its_owner_only(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    stores.secret("signer", made)
    stores.close()
    file = tmp_path / "secrets" / "signer"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert made() not in file.read_bytes()


def test_another_secret_key_decrypts_nothing(tmp_path: Path) -> None:
    open_stores(tmp_path, master_key=b"one key of sixteen").secret("signer", made)
    with pytest.raises(Corrupt, match=r"The secret 'signer' can't be decrypted"):
        open_stores(tmp_path, master_key=b"another of sixteen").secret("signer", made)


def test_a_secret_can_not_pass_for_another(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    stores.secret("signer", made)
    (tmp_path / "secrets" / "signer").rename(tmp_path / "secrets" / "tokens")
    with pytest.raises(Corrupt):
        stores.secret("tokens", made)


def test_a_secret_has_a_plain_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting):
        open_stores(tmp_path).secret("../catalog", made)
