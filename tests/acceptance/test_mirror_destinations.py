"""A running service copies logs where an administrator allowed it, follows no redirect, shows no signature."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from sartor.management import loops
from sartor.stores.stores import open_stores
from tests.acceptance.service import Service, eventually
from tests.unit.redirecting_server import RecordingServer
from tests.unit.searching import find_files
from tests.unit.threaded_server import serve_in_thread

PATH = "/personalizer/configurations/service?api-version=2022-09-01-preview"
SIGNATURE = "very-secret-signature"


@pytest.fixture
def target() -> Iterator[RecordingServer]:
    with serve_in_thread(RecordingServer(201)) as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, target: RecordingServer) -> Iterator[Service]:
    service = Service(tmp_path / "data", "--allowed-destinations", f"public-sas,{target.url}")
    yield service
    service.end()


def configure(service: Service, **changes: object) -> tuple[int, dict[str, object]]:
    """Get the configuration with the loop's key, and put it back with changes; the status and the answer."""
    key = service.json("loop", "keys", "default")["key1"]
    headers = {"Ocp-Apim-Subscription-Key": key, "Content-Type": "application/json"}
    with urlopen(Request(service.endpoint + PATH, headers=headers), timeout=10) as answer:
        body = json.load(answer) | changes
    request = Request(service.endpoint + PATH, json.dumps(body).encode(), headers, method="PUT")
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except OSError as error:
        return int(getattr(error, "code", 0)), {}


def decide(service: Service, event_id: str) -> None:
    client = service.client()
    assert client.rank(event_id)[0] == 201
    assert client.reward(event_id, 1.0) == 204


def mirror(service: Service) -> dict[str, object]:
    found = service.json("loop", "show", "default")["mirror"]
    assert isinstance(found, dict)
    return found


def test_a_key_of_a_loop_writes_no_file_here(service: Service, target: RecordingServer, tmp_path: Path) -> None:
    service.start()
    there = tmp_path / "somewhere"
    decide(service, "first")
    for url in (
        f"dir://x::file://{there}",
        f"simplecache::file://{there}",
        f"file://{there}",
        str(there),
        "filecache://x",
        "memory://x",
        "ftp://127.0.0.1",
        "http://169.254.169.254/?sig=&sp=w",
        f"dir://x::{target.url}/logs?sp=w&sig=x",
    ):
        assert configure(service, logMirrorEnabled=True, logMirrorSasUri=url)[0] == 400, url
    assert service.json("loop", "show", "default")["mirror"] is None
    assert not there.exists()
    assert target.received == []


def test_the_log_goes_where_it_was_allowed_and_no_redirect_moves_it(
    service: Service, target: RecordingServer, tmp_path: Path
) -> None:
    service.start()
    service.set("rewardWaitTime=PT1S")
    url = f"{target.url}/logs?sp=racwl&sig={SIGNATURE}"
    status, answer = configure(service, logMirrorEnabled=True, logMirrorSasUri=url)
    assert (status, answer["logMirrorSasUri"]) == (200, f"{target.url}/logs?sp=racwl&sig=***")
    decide(service, "first")
    eventually(lambda: target.received, "the log is put", within_s=40)
    method, path, body = target.received[0]
    assert (method, path.endswith(f"sp=racwl&sig={SIGNATURE}"), b'"first"' in body) == ("PUT", True, True)
    assert configure(service, defaultReward=0.5)[0] == 200  # with the masked target
    with serve_in_thread(RecordingServer(201)) as elsewhere:
        target.answer = 307, f"{elsewhere.url}/elsewhere?sig=y"
        decide(service, "second")
        eventually(lambda: "redirects" in str(mirror(service)["problem"]), "it says so", within_s=40)
        assert elsewhere.received == []
        target.answer = 201, ""
        eventually(lambda: b'"second"' in target.received[-1][2], "it goes on", within_s=60)
    assert service.stop() == 0
    assert SIGNATURE not in service.run("loop", "show", "default").stdout
    assert SIGNATURE not in json.dumps(service.json("loop", "list"))
    assert SIGNATURE not in service.run("audit").stdout
    service.run("loop", "backup", "default", str(tmp_path / "default.backup"))
    assert find_files(tmp_path, SIGNATURE.encode()) == []


def test_a_target_that_is_not_allowed_any_more_hinders_nothing_else(service: Service, tmp_path: Path) -> None:
    there = tmp_path / "somewhere"
    stores = open_stores(tmp_path / "data")
    loops.create_loop(stores, "default")
    old = {"logMirrorEnabled": True, "logMirrorSasUri": f"dir://x::file://{there}"}
    loops.change_settings(stores, "default", old, by_operator=False)
    stores.close()
    service.start()
    decide(service, "first")
    eventually(lambda: mirror(service)["problem"], "it says so", within_s=30)
    assert "sartor loop set default" in str(mirror(service)["problem"])
    assert configure(service, defaultReward=0.5)[0] == 200
    decide(service, "second")
    assert not there.exists()
    assert service.log.read_text().count("mirror_failed") == 1
    service.set(f"logMirrorSasUri={there}")  # whoever runs the instance may
    eventually(lambda: there.exists() and mirror(service)["problem"] == "", "it is copied", within_s=60)
