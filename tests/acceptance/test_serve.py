"""One command runs everything, replaces what dies, and stops cleanly."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.service import SARTOR, Service, eventually


def welcome(service: Service) -> str:
    """What it said when it was ready."""
    eventually(lambda: "Stop with Ctrl-C" in service.said.read_text(), "the welcome")
    return service.said.read_text()


def test_the_first_start_says_how_to_reach_it(shared: Service) -> None:
    said = welcome(shared)
    keys = shared.json("loop", "keys", "default")
    assert keys["endpoint"] == shared.endpoint
    assert all(value in said for value in keys.values())
    assert str(shared.folder) in said


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here to try the lines that are printed")
def test_the_lines_that_it_prints_work(shared: Service) -> None:
    lines = [line.strip() for line in welcome(shared).splitlines() if line.strip().startswith("curl")]
    answers = [
        subprocess.run(f"{line} -s -w '%{{http_code}}'", shell=True, capture_output=True, text=True, check=True)
        for line in lines
    ]
    assert [answer.stdout[-3:] for answer in answers] == ["201", "204"]


def test_a_later_start_does_not_print_keys(service: Service) -> None:
    service.start()
    key = service.json("loop", "keys", "default")["key1"]
    service.stop()
    service.said.unlink()
    service.start()
    assert key not in welcome(service)
    assert service.json("loop", "keys", "default")["key1"] == key


def test_a_second_instance_is_refused(shared: Service) -> None:
    refused = shared.run("serve", "--port", "0", code=2)
    assert refused.stderr.splitlines()[-1].startswith("sartor: Another running instance uses")
    assert shared.status("/health/ready") == 200


def test_a_second_learner_is_refused(shared: Service) -> None:
    assert "Another learn process" in shared.run("learn", code=2).stderr


def test_a_port_in_use_is_a_clear_error(shared: Service, tmp_path: Path) -> None:
    command = [*SARTOR, "serve", "--data", str(tmp_path / "other"), "--port", str(shared.port)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode == 1
    assert f"Can't listen on 127.0.0.1 port {shared.port}" in refused.stderr


@pytest.mark.parametrize("role", ["api", "learn", "work"])
def test_a_child_that_dies_is_replaced(shared: Service, role: str) -> None:
    before = shared.pids(role)
    shared.kill(role)
    eventually(lambda: shared.pids(role) and shared.pids(role) != before, f"a new {role} process")
    assert shared.client().rank()[0] == 201


def test_a_request_waits_for_the_next_api_process(shared: Service) -> None:
    """The supervisor holds the listening socket: a connection made meanwhile is served, not refused."""
    client = shared.client()
    shared.kill("api")
    assert client.rank()[0] == 201


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_whatever_clients_do(running: Service, number: signal.Signals) -> None:
    idle = running.client()
    assert idle.rank()[0] == 201
    started = time.monotonic()
    assert running.stop(number) == 0
    assert time.monotonic() - started < 5
    assert running.pids() == []
    idle.close()


def test_it_stops_although_a_child_hangs(running: Service) -> None:
    os.kill(running.pids("learn")[0], signal.SIGSTOP)
    started = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - started < 5
    assert running.pids() == []


def test_a_second_signal_does_not_wait(running: Service) -> None:
    assert running.process is not None
    os.kill(running.pids("learn")[0], signal.SIGSTOP)
    running.process.send_signal(signal.SIGINT)
    eventually(lambda: not running.pids("work"), "stopping")
    started = time.monotonic()
    running.stop(signal.SIGINT)
    assert time.monotonic() - started < 2
    assert running.pids() == []


def test_no_child_outlives_its_supervisor(running: Service) -> None:
    running.kill_supervisor()
    eventually(lambda: not running.pids(), "the end of the orphans")


def test_a_killed_instance_can_be_started_at_once(running: Service) -> None:
    assert running.client().rank("before")[0] == 201
    orphans = set(running.pids())
    running.kill_supervisor()
    running.start()
    eventually(lambda: not orphans & set(running.pids()), "the end of the orphans, which may answer until then")
    eventually(running.is_ready, "ready")
    assert running.client().rank("after")[0] == 201
    assert {"before", "after"} <= set(_decided(running))


def _decided(service: Service) -> list[str]:
    lines = service.run("export", "default", "--pending").stdout.splitlines()
    return [json.loads(line)["EventId"] for line in lines]


def test_several_api_processes_share_the_port(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", "--api-processes", "2")
    try:
        service.start()
        eventually(lambda: len(service.pids("api")) == 2, "two api processes")
        assert [service.client().rank()[0] for _ in range(4)] == [201] * 4
        assert service.stop() == 0
    finally:
        service.end()
