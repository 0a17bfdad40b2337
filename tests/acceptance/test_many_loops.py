"""With more loops than a process may have files, every loop is served, settles and learns."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sartor.management import loops
from sartor.open_files import NEEDED
from sartor.stores.stores import open_stores
from tests.acceptance import service as services
from tests.acceptance.client import Client
from tests.acceptance.service import SARTOR, Service, eventually

COUNT = 120
FILES = 256
"""Fewer than the loops would have open: three and more in each process."""


def limited(files: int) -> tuple[str, ...]:
    """The command under a limit of open files that it can't raise."""
    return ("sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", *SARTOR)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    folder = tmp_path / "data"
    stores = open_stores(folder)
    for number in range(COUNT):
        loops.create_loop(stores, f"loop-{number:03d}")
    stores.close()
    monkeypatch.setattr(services, "SARTOR", limited(FILES))
    service = Service(folder)
    service.start()
    monkeypatch.undo()
    yield service
    service.end()


def learned(folder: Path, names: list[str]) -> dict[str, int]:
    stores = open_stores(folder)
    found = {}
    for name in names:
        logs = stores.open(stores.catalog.find(name))
        live = logs.models.live()
        found[name] = 0 if live is None else live.learned
        logs.close()
    stores.close()
    return found


def keys(folder: Path) -> dict[str, str]:
    stores = open_stores(folder)
    found = {loop.name: loop.key1 for loop in stores.catalog.loops()}
    stores.close()
    return found


def rank_and_reward(service: Service, key: str, event_id: str) -> None:
    client = Client(service.endpoint, key, timeout_s=30.0)
    status, _ = client.rank(event_id)
    assert status == 201
    assert client.reward(event_id, 1.0) == 204
    client.close()


def test_every_loop_past_the_limit_of_files_is_served_and_learns(service: Service) -> None:
    of_loops = keys(service.folder)
    for name, key in of_loops.items():
        rank_and_reward(service, key, f"event of {name}")
    eventually(
        lambda: set(learned(service.folder, list(of_loops)).values()) == {1}, "every loop learned", within_s=60
    )
    assert service.status("/health/ready") == 200
    with ExitStack() as crowd:
        for _ in range(2 * FILES):  # more clients than files: the silent ones give way
            connected = crowd.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=30))
            connected.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        for name in ("loop-000", "loop-060", "loop-119"):
            rank_and_reward(service, of_loops[name], f"another event of {name}")
    for pid in service.pids():
        assert len(os.listdir(f"/proc/{pid}/fd")) < FILES
    errors = [line for line in service.log.read_text().splitlines() if " ERROR " in line or "Too many" in line]
    assert errors == []


def test_with_too_few_files_the_start_is_refused_and_says_how_many_are_needed(tmp_path: Path) -> None:
    command = [*limited(NEEDED - 1), "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert refused.returncode != 0
    assert f"needs {NEEDED} at least" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_every_process_raises_its_limit_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soft_only = ("sh", "-c", 'ulimit -Sn 200 && ulimit -Hn 700 && exec "$@"', "sh", *SARTOR)
    monkeypatch.setattr(services, "SARTOR", soft_only)
    service = Service(tmp_path / "data")
    service.start()
    try:
        for pid in (service.pid, *service.pids()):
            lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
            (limit,) = [line.split()[3:5] for line in lines if line.startswith("Max open files")]
            assert limit == ["700", "700"]
    finally:
        monkeypatch.undo()
        service.end()
