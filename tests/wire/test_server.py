"""The server as a process: it stops when asked, and its periodic work can't bring it down."""

import logging
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests

from sartor.api.http.server import Server, run
from tests.wire.harness import Service

ALONE = """
import socket
from sartor.api.http.server import Server, run
from tests.wire.harness import Service

service = Service()
listener = socket.create_server(("127.0.0.1", 0))
server = Server(service.app, limits=service.limits)
print(listener.getsockname()[1], flush=True)
run(server, [listener])
service.close()
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_the_caller_of_run_goes_on(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", ALONE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with requests.Session() as session:
            assert session.get(f"http://127.0.0.1:{port}/health/live", timeout=10).status_code == 200
            process.send_signal(number)
            assert process.wait(timeout=5) == 0
        assert process.stdout.read() == "stopped\n"


def test_periodic_work_that_fails_is_logged_and_tried_again(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    ticks: list[int] = []
    enough = threading.Event()

    def tick() -> None:
        ticks.append(1)
        if len(ticks) > 2:
            enough.set()
        raise OSError("no")

    server = Server(service.app, limits=service.limits, on_tick=tick)
    thread = threading.Thread(target=run, args=(server, [socket.create_server(("127.0.0.1", 0))]))
    with caplog.at_level(logging.ERROR):
        thread.start()
        assert enough.wait(5)
        server.should_exit = True
        thread.join(5)
    assert not thread.is_alive()
    assert {record.__dict__["action"] for record in caplog.records} == {"tick_failed"}


def test_nothing_of_a_request_is_logged(
    service: Service, endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for key in (service.loop.key1, "a-wrong-key"):
            requests.post(
                f"{endpoint}/personalizer/v1.0/rank?secret=in-the-query",
                json={"actions": [{"id": "secret-id", "features": [{"secret": "feature"}]}]},
                headers={"Ocp-Apim-Subscription-Key": key},
                timeout=5,
            )
    ours = [record for record in caplog.records if not record.name.startswith("urllib3")]
    assert not [record for record in ours if "secret" in record.getMessage() or "key" in record.getMessage()]
