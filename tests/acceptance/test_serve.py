"""One command runs everything, replaces what dies, and stops cleanly."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.service import SARTOR, Service, eventually


def test_the_first_start_says_how_to_reach_it(service: Service) -> None:
    service.start()
    eventually(lambda: "curl" in service.said.read_text(), "the welcome")
    said = service.said.read_text()
    keys = service.json("loop", "keys", "default")
    assert keys["endpoint"] == service.endpoint
    assert all(value in said for value in keys.values())
    assert str(service.folder) in said


def test_the_lines_that_it_prints_work(service: Service) -> None:
    service.start()
    eventually(lambda: "curl" in service.said.read_text(), "the welcome")
    lines = [line.strip() for line in service.said.read_text().splitlines() if line.strip().startswith("curl")]
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
    eventually(lambda: "ready" in service.said.read_text(), "the welcome")
    assert key not in service.said.read_text()
    assert service.json("loop", "keys", "default")["key1"] == key


def test_a_second_instance_is_refused(running: Service) -> None:
    refused = running.run("serve", "--port", "0", code=2)
    assert refused.stderr.splitlines()[-1].startswith("sartor: Another running instance uses")
    assert running.status("/health/ready") == 200


def test_a_second_learner_is_refused(running: Service) -> None:
    assert "Another learn process" in running.run("learn", code=2).stderr


def test_a_port_in_use_is_a_clear_error(running: Service, tmp_path: Path) -> None:
    command = [*SARTOR, "serve", "--data", str(tmp_path / "other"), "--port", str(running.port)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode == 1
    assert f"Can't listen on 127.0.0.1 port {running.port}" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_stops_cleanly(running: Service, number: signal.Signals) -> None:
    running.client().rank()
    started = time.monotonic()
    assert running.stop(number) == 0
    assert time.monotonic() - started < 5
    assert running.pids() == []


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


def test_it_stops_although_a_client_keeps_its_connection(running: Service) -> None:
    client = running.client()
    assert client.rank()[0] == 201
    started = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - started < 5
    client.close()


@pytest.mark.parametrize("role", ["api", "learn", "work"])
def test_a_child_that_dies_is_replaced(running: Service, role: str) -> None:
    before = running.pids(role)
    running.kill(role)
    eventually(lambda: running.pids(role) and running.pids(role) != before, f"a new {role} process")
    eventually(lambda: running.status("/health/ready") == 200, "ready")
    assert running.client().rank()[0] == 201


def test_a_request_waits_for_the_next_api_process(running: Service) -> None:
    client = running.client()
    os.kill(running.pids("api")[0], signal.SIGKILL)
    assert client.rank()[0] == 201


def test_no_child_outlives_its_supervisor(running: Service) -> None:
    running.kill_supervisor()
    eventually(lambda: not running.pids(), "the end of the orphans")
    running.start()
    assert running.client().rank()[0] == 201


def test_a_killed_instance_can_be_started_at_once(running: Service) -> None:
    client = running.client()
    assert client.rank("before")[0] == 201
    running.kill_supervisor()
    running.start()
    assert client.rank("after")[0] == 201
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
