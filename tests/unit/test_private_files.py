"""Files and folders of one owner, whatever the umask."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.private_files import (
    is_open_to_others,
    make_private,
    make_private_folder,
    open_private,
    write_private,
)


@pytest.fixture(params=[0o000, 0o022, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.usefixtures("umask")
def test_nobody_else_has_a_permission(tmp_path: Path) -> None:
    write_private(tmp_path / "file", b"x")
    assert not mode(tmp_path / "file") & 0o077


@pytest.mark.usefixtures("open_umask")
def test_folders_and_those_above_them(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "b" / "c")
    make_private_folder(tmp_path / "a" / "b" / "c")
    assert [mode(tmp_path / path) for path in ("a", "a/b", "a/b/c")] == [0o700] * 3
    write_private(tmp_path / "file", b"x")
    assert mode(tmp_path / "file") == 0o600
    with pytest.raises(OSError, match="exists"):
        make_private_folder(tmp_path / "file")


@pytest.mark.usefixtures("open_umask")
def test_a_file_that_exists_becomes_private_and_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first, and longer")
    assert mode(path) == 0o666
    with open_private(path) as file:
        assert (mode(path), path.read_bytes()) == (0o600, b"")
        file.write(b"second")
    assert path.read_bytes() == b"second"


def test_a_pipe_keeps_its_mode(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_private(pipe, b"log")
    reader.join(10)
    assert (read, mode(pipe)) == ([b"log"], 0o666)


@pytest.mark.usefixtures("open_umask")
def test_a_tree_becomes_private_and_what_is_linked_does_not(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "below").mkdir(parents=True)
    (outside / "file").touch()
    tree = tmp_path / "tree"
    (tree / "a" / ".hidden").mkdir(parents=True)
    files = [tree / "a" / "one", tree / "a" / ".hidden" / "two"]
    for file in files:
        file.touch()
    (tree / "folder").symlink_to(outside)
    (tree / "linked").symlink_to(outside / "file")
    (tree / "nowhere").symlink_to(tmp_path / "nothing")
    assert is_open_to_others(tree)
    make_private(tree)
    make_private(tree)
    assert [mode(path) for path in (tree, tree / "a", tree / "a" / ".hidden")] == [0o700] * 3
    assert [mode(path) for path in files] == [0o600] * 2
    assert [mode(path) for path in (outside, outside / "below", outside / "file")] == [0o777, 0o777, 0o666]
    assert not is_open_to_others(tree)


def test_what_is_not_there(tmp_path: Path) -> None:
    make_private(tmp_path / "nothing")
    assert not is_open_to_others(tmp_path / "nothing")
