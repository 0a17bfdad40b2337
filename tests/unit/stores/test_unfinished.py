"""What a backup or a restore has in hand disappears, also where its process was killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.management import loops
from sartor.stores.stores import SqliteStores, open_stores
from sartor.stores.unfinished import LEFT_AFTER_S, remove_left_behind, unfinished_folder

FILL = """
import sys
from pathlib import Path
from sartor.stores.unfinished import unfinished_folder
with unfinished_folder(Path(sys.argv[1]), "restore") as place:
    (place / "events.sqlite").write_text("what somebody said")
    print("filling", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqliteStores]:
    with_loop = open_stores(tmp_path / "data")
    loops.create_loop(with_loop, "a")
    yield with_loop
    with_loop.close()


def make_old(place: Path) -> None:
    at = time.time() - LEFT_AFTER_S - 60
    os.utime(place, (at, at))


def test_what_a_killed_process_had_in_hand_is_removed_with_the_next_purge(
    stores: SqliteStores, tmp_path: Path
) -> None:
    parent = tmp_path / "data" / "loops"
    with subprocess.Popen(
        [sys.executable, "-c", FILL, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"filling\n"
        (place,) = parent.glob(".unfinished-restore-*")
        make_old(place)
        stores.purge()
        assert (place / "events.sqlite").exists(), "it is being filled"
        process.kill()
        process.wait()
    stores.purge()
    assert sorted(path.name for path in parent.iterdir()) == ["a"]


def test_what_an_older_version_left_is_removed_when_it_is_old(stores: SqliteStores, tmp_path: Path) -> None:
    place = tmp_path / "data" / "loops" / ".restoring-backup-0123456789abcdef"
    place.mkdir()
    (place / "events.sqlite").touch()
    stores.purge()
    assert place.exists(), "it may be in hand"
    make_old(place)
    stores.purge()
    assert not place.exists()


def test_nothing_else_is_removed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    parent = tmp_path / "loops"
    parent.mkdir()
    for name in ("a", ".deleted-1", ".unfinished"):
        (parent / name).mkdir()
        make_old(parent / name)
    (parent / ".unfinished-file").touch()
    (parent / ".unfinished-link").symlink_to(elsewhere)
    remove_left_behind(parent, age_s=0.0)
    assert len(list(parent.iterdir())) == 5
    assert (elsewhere / "file").exists()
    remove_left_behind(tmp_path / "missing")


def test_nothing_is_left_of_a_backup(stores: SqliteStores, tmp_path: Path) -> None:
    parent = tmp_path / "data" / "loops"
    stores.back_up(stores.catalog.find("a"), tmp_path / "a.backup")
    assert sorted(path.name for path in parent.iterdir()) == ["a"]
    assert not [path for path in (parent / "a").iterdir() if path.name.startswith(".")]


def test_a_folder_that_was_renamed_stays(tmp_path: Path) -> None:
    with unfinished_folder(tmp_path, "restore") as place:
        assert place.stat().st_mode & 0o777 == 0o700
        place.rename(tmp_path / "a")
    assert (tmp_path / "a").is_dir()
