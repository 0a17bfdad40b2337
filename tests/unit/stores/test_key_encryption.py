"""Keys at rest are encrypted, and only the right key decrypts them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sartor.errors import Corrupt, InvalidSetting
from sartor.stores.key_encryption import KeyEncryption, read_master_key
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_loop

MASTER = b"a master key from outside"
KEYS = b'["one","two"]'


def test_what_is_encrypted_can_be_decrypted() -> None:
    encrypted = KeyEncryption(MASTER).encrypt(KEYS, bound_to="a")
    assert KeyEncryption(MASTER).decrypt(encrypted, bound_to="a", what="It") == KEYS


def test_encrypting_twice_gives_different_bytes() -> None:
    encryption = KeyEncryption(MASTER)
    assert encryption.encrypt(KEYS, bound_to="a") != encryption.encrypt(KEYS, bound_to="a")


@pytest.mark.parametrize("flip", [0, 11, 12, -1])
def test_a_changed_byte_is_noticed(flip: int) -> None:
    encrypted = bytearray(KeyEncryption(MASTER).encrypt(KEYS, bound_to="a"))
    encrypted[flip] ^= 1
    with pytest.raises(Corrupt):
        KeyEncryption(MASTER).decrypt(bytes(encrypted), bound_to="a", what="It")


@pytest.mark.parametrize("encrypted", [b"", b"short"])
def test_fewer_bytes_than_a_ciphertext_are_noticed(encrypted: bytes) -> None:
    with pytest.raises(Corrupt):
        KeyEncryption(MASTER).decrypt(encrypted, bound_to="a", what="It")


def test_keys_moved_to_another_loop_can_not_be_decrypted() -> None:
    encrypted = KeyEncryption(MASTER).encrypt(KEYS, bound_to="a")
    with pytest.raises(Corrupt):
        KeyEncryption(MASTER).decrypt(encrypted, bound_to="b", what="It")


@pytest.mark.parametrize("with_loop", [True, False])
def test_a_secret_key_that_is_gone_is_not_made_again(tmp_path: Path, with_loop: bool) -> None:
    stores = open_stores(tmp_path)
    if with_loop:
        stores.catalog.create(make_loop())
    assert len(stores.catalog.loops()) == with_loop
    stores.close()
    key = (tmp_path / "secret.key").read_bytes()
    (tmp_path / "secret.key").unlink()
    with pytest.raises(Corrupt, match=r"secret\.key is missing.*SARTOR_SECRET_KEY"):
        open_stores(tmp_path)
    assert not (tmp_path / "secret.key").exists()
    again = open_stores(tmp_path, master_key=key.strip())
    assert len(again.catalog.loops()) == with_loop
    again.close()


def test_a_short_master_key_is_refused() -> None:
    with pytest.raises(InvalidSetting):
        KeyEncryption(b"fifteen bytes..")


def test_another_master_key_is_reported_as_such(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    stores.catalog.create(make_loop())
    stores.close()
    other = open_stores(tmp_path, master_key=MASTER)
    with pytest.raises(Corrupt, match=r"another secret key.*secret\.key"):
        other.catalog.loops()
    other.close()


def test_the_text_of_the_key_file_can_be_given_from_outside(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    stores.catalog.create(make_loop())
    stores.close()
    text = (tmp_path / "secret.key").read_text().strip()
    (tmp_path / "secret.key").unlink()
    other = open_stores(tmp_path, master_key=text.encode())
    assert list(other.catalog.loops()) == [make_loop()]
    assert not (tmp_path / "secret.key").exists()
    other.close()


def test_the_key_file_is_its_owners_alone_and_stays_the_same(tmp_path: Path) -> None:
    key = read_master_key(tmp_path / "secret.key")
    assert read_master_key(tmp_path / "secret.key") == key
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(rb"[\w-]{43}", key)


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from sartor.stores.key_encryption import read_master_key;"
        "sys.stdin.read(1); print(read_master_key(pathlib.Path(sys.argv[1])).decode())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "secret.key")]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("!")
        process.stdin.flush()
    keys = {process.communicate()[0] for process in started}
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_no_file_holds_a_key(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    loop = make_loop()
    stores.catalog.create(loop)
    stores.catalog.update(loop)
    # By another process, while the write-ahead log is still there: POSIX locks forbid to do it in this one.
    code = (
        "import sys, pathlib;"
        "files = [path for path in pathlib.Path(sys.argv[1]).rglob('*') if path.is_file()];"
        "assert {'catalog.sqlite', 'catalog.sqlite-wal'} <= {path.name for path in files};"
        "print(sum(word.encode() in path.read_bytes() for path in files for word in sys.argv[2:]))"
    )
    for words, found in ([loop.key1, loop.key2], 0), ([loop.loop_id], True):
        command = [sys.executable, "-c", code, str(tmp_path), *words]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert bool(int(output)) is bool(found)
    stores.close()


def make_content() -> bytes:
    return b"a very secret content"


def test_a_secret_is_encrypted_and_for_its_owner_only(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    stores.secret("signer", make_content)
    stores.close()
    file = tmp_path / "secrets" / "signer"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert make_content() not in file.read_bytes()


def test_another_secret_key_decrypts_nothing(tmp_path: Path) -> None:
    open_stores(tmp_path, master_key=b"one key of sixteen").secret("signer", make_content)
    with pytest.raises(Corrupt, match=r"The secret 'signer' can't be decrypted"):
        open_stores(tmp_path, master_key=b"another of sixteen").secret("signer", make_content)


def test_a_secret_can_not_pass_for_another(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    stores.secret("signer", make_content)
    (tmp_path / "secrets" / "signer").rename(tmp_path / "secrets" / "tokens")
    with pytest.raises(Corrupt):
        stores.secret("tokens", make_content)


def test_a_secret_has_a_plain_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting):
        open_stores(tmp_path).secret("../catalog", make_content)
