"""A store that can't be written: 503 and unready; room again: it serves again by itself, and lost nothing."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.service import Service, eventually


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: a full disk needs a small file system, and only root may mount one here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def check_it_recovers(
    service: Service, *, break_it: Callable[[], object], mend_it: Callable[[], object]
) -> None:
    """Break the store of a running service, then mend it."""
    client = service.client()
    acknowledged = {f"before-{n}" for n in range(20) if client.rank(f"before-{n}")[0] == 201}
    break_it()
    eventually(lambda: client.rank()[0] == 503, "refused ranks")
    eventually(lambda: service.status("/health/ready") == 503, "unready")
    assert client.reward("before-1", 1.0) == 503
    assert service.status("/health/live") == 200
    mend_it()
    eventually(lambda: service.status("/health/ready") == 200, "ready again")
    assert client.rank("after", device="mobile")[0] == 201
    assert client.reward("after", 1.0) == 204
    acknowledged.add("after")
    eventually(lambda: service.json("loop", "show", "default")["counts"]["outcomes"], "learning again")
    lines = service.run("export", "default", "--pending").stdout.splitlines()
    assert acknowledged <= {json.loads(line)["EventId"] for line in lines}
    assert service.json("doctor")["healthy"]
    client.close()


def test_a_full_disk(small_disk: Path) -> None:
    service = Service(small_disk / "data")
    ballast = small_disk / "ballast"
    try:
        service.start()
        check_it_recovers(service, break_it=lambda: _fill(ballast), mend_it=ballast.unlink)
        assert service.stop() == 0
    finally:
        service.end()


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 2**12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@pytest.mark.skipif(
    sys.platform != "linux", reason="NOT TESTED: only Linux limits the files of another process"
)
def test_files_that_may_not_grow(running: Service) -> None:
    """The kernel refuses every write of the api process, as on a full disk; this one needs no mount."""
    (api,) = running.pids("api")
    _, most = resource.prlimit(api, resource.RLIMIT_FSIZE)
    check_it_recovers(
        running,
        break_it=lambda: resource.prlimit(api, resource.RLIMIT_FSIZE, (1, most)),
        mend_it=lambda: resource.prlimit(api, resource.RLIMIT_FSIZE, (most, most)),
    )
    assert running.pids("api") == [api], "it recovers by itself, not by a new process"
