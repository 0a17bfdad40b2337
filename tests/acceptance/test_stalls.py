"""A process that is stopped is noticed within seconds, named to the owner, and forgiven when it goes on."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.acceptance.service import Service, eventually


@pytest.fixture(params=["learn", "work"])
def stopped(request: pytest.FixtureRequest, running: Service) -> Iterator[tuple[Service, str]]:
    role: str = request.param
    eventually(lambda: len(running.pids(role)) == 1, f"one {role} process")
    (pid,) = running.pids(role)
    eventually(lambda: list((running.folder / "reports").glob(f"{role}-{pid}.json")), "it has reported")
    os.kill(pid, signal.SIGSTOP)
    yield running, role
    os.kill(pid, signal.SIGCONT)


def test_a_stopped_process_makes_the_instance_unready_until_it_goes_on(stopped: tuple[Service, str]) -> None:
    service, role = stopped
    (pid,) = service.pids(role)
    assert service.status("/health/ready") == 200
    eventually(lambda: service.status("/health/ready") == 503, "unready", within_s=40)
    assert service.status("/health/live") == 200
    assert service.client().rank("served all the same")[0] == 201
    eventually(lambda: f"The {role} process {pid} has made no progress" in service.log.read_text(), "logged")
    os.kill(pid, signal.SIGCONT)
    eventually(lambda: service.status("/health/ready") == 200, "ready again")
    assert service.log.read_text().count("has made no progress for") == 1
    assert service.pids(role) == [pid]
