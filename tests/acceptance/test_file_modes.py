"""Whatever the service and its commands write is its owner's alone, under a umask that hides nothing."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.service import Service, eventually


class OpenService(Service):
    """A service whose processes, and whose commands, start with a umask of 000."""

    def spawn(self) -> None:
        before = os.umask(0)
        try:
            super().spawn()
        finally:
            os.umask(before)

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        before = os.umask(0)
        try:
            return super().run(*words, code=code)
        finally:
            os.umask(before)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[OpenService]:
    service = OpenService(tmp_path / "data", "--diagnostics")
    yield service
    service.end()


def find_open(*paths: Path) -> list[str]:
    """What others may do something with, at these paths and below them, with its mode."""
    found = []
    for path in paths:
        for one in (path, *path.rglob("*")):
            try:
                mode = stat.S_IMODE(one.lstat().st_mode)
            except FileNotFoundError:  # a draft
                continue
            if mode & 0o077 or mode not in (0o600, 0o700):
                found.append(f"{one.relative_to(path.parent)} {mode:o}")
    return found


def learn(service: Service) -> None:
    client = service.client()
    for number in range(40):
        assert client.rank(f"event-{number}", hour=number % 24)[0] == 201
        assert client.reward(f"event-{number}", number % 2) == 204
    eventually(lambda: service.json("loop", "models", "default"), "a model", within_s=40)


def test_everything_that_is_written_is_its_owners_alone(service: OpenService, tmp_path: Path) -> None:
    service.start()
    service.set("modelExportFrequency=PT1S", "rewardWaitTime=PT1S")
    there = tmp_path / "mirror" / "below"
    service.set("logMirrorEnabled=true", f"logMirrorSasUri={there}")
    learn(service)
    eventually(lambda: list(there.rglob("*.json")), "the mirror", within_s=60)
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    (out / "log.csv").touch(0o666)  # what was there before is replaced
    service.run("loop", "backup", "default", str(out / "default.backup"))
    service.run("export", "default", "--output", str(out / "log.dsjson"))
    service.run("export", "default", "--format", "csv", "--output", str(out / "log.csv"))
    service.run("score", "default", "--plot", str(out / "score.png"))
    service.run("erase", "default", "--event-id", "event-1", "--yes", "--receipt", str(out / "receipt"))
    shutil.copytree(service.folder / "secrets", tmp_path / "other" / "secrets")
    shutil.copy(service.folder / "secret.key", tmp_path / "other")
    other = OpenService(tmp_path / "other")
    other.run("loop", "restore", str(out / "default.backup"))
    assert len(list(out.iterdir())) == 5
    kinds = {path.suffix or path.name for path in service.folder.rglob("*") if path.is_file()}
    assert kinds >= {".sqlite", ".sqlite-wal", ".sqlite-shm", ".vw", "latest-time", "endpoint", "lock"}
    assert find_open(service.folder, out, tmp_path / "mirror", other.folder) == []
    assert service.stop() == 0
    assert find_open(service.folder) == []
    service.run("loop", "delete", "default", "--yes")
    assert find_open(service.folder) == []


def open_all(folder: Path) -> None:
    """Give everybody what an older version did."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_folder_that_others_may_read_becomes_private_when_it_is_opened(service: OpenService) -> None:
    service.start()
    service.set("modelExportFrequency=PT1S")
    learn(service)
    assert service.stop() == 0
    (service.folder / "loops" / ".deleted-one").mkdir()
    (service.folder / "loops" / ".deleted-one" / "events.sqlite").touch()
    (service.folder / "ours.txt").touch()
    open_all(service.folder)
    service.run("loop", "list")  # a command is enough
    assert find_open(service.folder) == ["data/ours.txt 644"]  # which is not Sartor's
    open_all(service.folder / "loops")  # although the folder around it is private
    service.start()
    assert find_open(service.folder) == ["data/ours.txt 644"]
