"""The control plane on real processes: two that answer, one that learns, one that does housekeeping."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.client import Client
from tests.acceptance.service import Service, eventually
from tests.unit.access.tokens.issuer import ROLES, TokenIssuer, serving
from tests.wire.certificates import authority

OWNER_KEY = "the-owner-key-of-this-test"
CONNECTIONS = 16


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of two api processes with an owner key and diagnostic logs."""
    folder = tmp_path_factory.mktemp("control")
    with pytest.MonkeyPatch.context() as environment:
        (folder / "owner").write_text(OWNER_KEY + "\n")
        environment.setenv("SARTOR_OWNER_KEY_FILE", str(folder / "owner"))
        service = Service(folder / "data", "--api-processes", "2", "--diagnostics")
        try:
            service.start()
            eventually(lambda: len(service.pids("api")) == 2, "two api processes")
            yield service
        finally:
            service.end()


def owner(service: Service, method: str, path: str, body: Any = None) -> Any:
    """What the control plane answers to the owner key."""
    headers = {"ocp-apim-subscription-key": OWNER_KEY}
    answer = requests.request(
        method, f"{service.endpoint}/sartor/v1{path}", headers=headers, json=body, timeout=10
    )
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def statuses(service: Service, key: str) -> set[int]:
    """What a key is answered on new connections, enough of them to meet both processes."""
    return {Client(service.endpoint, key).rank()[0] for _ in range(CONNECTIONS)}


def within_a_second(condition: Callable[[], bool], what: str) -> None:
    eventually(condition, what, within_s=1.0)


class Load:
    """Ranks and rewards on connections that stay open, and every status that came back."""

    def __init__(self, service: Service, key: str) -> None:
        self._service = service
        self._key = key
        self._stop = threading.Event()
        self.seen: list[int] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(6)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def _run(self) -> None:
        client = Client(self._service.endpoint, self._key)
        while not self._stop.is_set():
            status, body = client.rank()
            self.seen.append(status)
            if status == 201:
                self.seen.append(client.reward(body["eventId"], 1.0))

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_a_key_is_replaced_under_load_and_nobody_with_the_other_one_notices(pair: Service) -> None:
    old = pair.json("loop", "keys", "default")
    with Load(pair, old["key2"]) as load:
        eventually(lambda: len(load.seen) > 50, "load")
        new = owner(pair, "POST", "/loops/default/keys/1/regenerate")
        assert statuses(pair, new["key1"]) == {201}, "the new key works at once"
        since = time.monotonic()
        eventually(lambda: statuses(pair, old["key1"]) == {401}, "the old key stops", within_s=1.0)
        took_s = time.monotonic() - since
        before = len(load.seen)
        eventually(lambda: len(load.seen) > before + 50, "load goes on")
    assert set(load.seen) == {201, 204}
    assert new["key2"] == old["key2"]
    assert took_s < 1.0


def test_a_loop_comes_goes_and_comes_back(pair: Service) -> None:
    owner(pair, "POST", "/loops", {"name": "shop", "tags": {"team": "news"}})
    key = owner(pair, "GET", "/loops/shop/keys")["key1"]
    assert statuses(pair, key) == {201}, "a new loop answers at once, in every process"
    gone = owner(pair, "DELETE", "/loops/shop")
    within_a_second(lambda: statuses(pair, key) == {401}, "a deleted loop does not")
    owner(pair, "POST", f"/deleted-loops/{gone['loopId']}/recover")
    assert statuses(pair, key) == {201}, "a recovered loop answers with its old key"
    ranked = owner(pair, "GET", "/loops/shop/usage")[0]["ranks"]
    assert ranked >= 2 * CONNECTIONS, "and has its log"
    owner(pair, "DELETE", "/loops/shop")
    owner(pair, "DELETE", f"/deleted-loops/{gone['loopId']}")
    eventually(lambda: not list(pair.folder.glob("loops/.deleted-*")), "a purged loop is gone from the disk")
    actions = [line["action"] for line in owner(pair, "GET", "/activities?last=9")]
    assert actions[-5:] == ["create", "delete", "recover", "delete", "purge"]


def test_allowed_networks_hold_in_every_process(pair: Service) -> None:
    key = pair.json("loop", "keys", "default")["key2"]
    owner(pair, "PATCH", "/loops/default", {"allowedNetworks": ["192.0.2.0/24"]})
    within_a_second(lambda: statuses(pair, key) == {403}, "nobody from here")
    owner(pair, "PATCH", "/loops/default", {"allowedNetworks": ["127.0.0.0/8"]})
    within_a_second(lambda: statuses(pair, key) == {201}, "this machine")


def test_a_quota_by_the_second_is_one_for_all_processes(pair: Service) -> None:
    owner(pair, "POST", "/loops", {"name": "slow"})
    key = owner(pair, "GET", "/loops/slow/keys")["key1"]
    owner(pair, "PATCH", "/loops/slow", {"ranksPerSecond": 25})
    within_a_second(lambda: 429 in statuses(pair, key) | statuses(pair, key), "the quota holds")
    time.sleep(1.1 - time.time() % 1)  # begin with a second
    begin = int(time.time())
    with Load(pair, key) as load:
        time.sleep(0.8)
    seconds = int(time.time()) - begin + 1  # one, unless the machine is busy
    ranks, refused = load.seen.count(201), load.seen.count(429)
    assert 25 <= ranks <= seconds * (25 + 6), "what is in work at the same instant may be too much"
    assert refused > 25
    assert set(load.seen) == {201, 204, 429}


def test_a_quota_by_the_month(pair: Service) -> None:
    owner(pair, "POST", "/loops", {"name": "small"})
    key = owner(pair, "GET", "/loops/small/keys")["key1"]
    assert statuses(pair, key) == {201}, "a new loop answers at once, in every process"
    owner(pair, "PATCH", "/loops/small", {"ranksPerMonth": 10})
    eventually(lambda: statuses(pair, key) == {429}, "what was used before counts", within_s=2)
    answer = requests.post(
        f"{pair.endpoint}/personalizer/v1.0/rank",
        headers={"ocp-apim-subscription-key": key},
        json={"actions": [{"id": "a", "features": [{"x": 1}]}]},
        timeout=5,
    )
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["error"]["code"] == "429"


def test_what_is_erased_is_gone_from_the_model_that_serves(pair: Service, tmp_path: Path) -> None:
    owner(pair, "POST", "/loops", {"name": "private"})
    pair.set("modelExportFrequency=PT1S", loop="private")
    key = owner(pair, "GET", "/loops/private/keys")["key1"]
    assert statuses(pair, key) == {201}, "a new loop answers at once, in every process"
    client = Client(pair.endpoint, key)
    for number in range(20):
        status, body = client.rank(f"event-{number}", user="ada-lovelace" if number % 2 else "grace")
        assert (status, client.reward(body["eventId"], 1.0)) == (201, 204)
    eventually(lambda: learned(pair) == 20, "all is learned")
    paper = tmp_path / "receipt.json"
    pair.run("erase", "private", "--where", "user=ada-lovelace", "--yes", "--receipt", str(paper))
    assert len(json.loads(paper.read_text())["decisions"]) == 10
    check = ("erase", "private", "--where", "user=ada-lovelace", "--check", str(paper))
    eventually(lambda: learned(pair) == 10, "the model is learned again without them")
    eventually(lambda: _holds(pair, *check), "and the models that had learned them are gone", within_s=15)
    files = list(pair.folder.glob("loops/private/*.sqlite*"))
    assert files
    assert not any(b"ada-lovelace" in path.read_bytes() for path in files)


def learned(service: Service) -> int:
    """How much the live model of the loop 'private' has learned."""
    models = service.json("loop", "models", "private")
    return next((int(model["learned"]) for model in models if model["live"]), 0)


def _holds(service: Service, *words: str) -> bool:
    try:
        service.run(*words)
    except AssertionError:
        return False
    return True


def test_a_corrected_reward_is_learned(pair: Service) -> None:
    client = pair.client()
    client.rank("wrong")
    client.reward("wrong", 1.0)
    path = "/loops/default/events/wrong/reward"

    def correct() -> bool:
        answer = requests.put(
            f"{pair.endpoint}/sartor/v1{path}",
            headers={"ocp-apim-subscription-key": OWNER_KEY},
            json={"value": -1.0},
            timeout=10,
        )
        assert answer.status_code in (200, 409), answer.text
        return answer.status_code == 200

    eventually(correct, "the event is settled")
    pair.set("modelExportFrequency=PT1S")
    line = owner(pair, "GET", "/activities?last=2")[0]
    assert line["action"] == "correct reward"
    assert line["after"]["reward"] == [-1.0]
    lines = pair.run("export", "default").stdout.splitlines()
    (corrected,) = [line for line in map(json.loads, lines) if line["EventId"] == "wrong"]
    assert corrected["_label_cost"] == 1.0


def test_requests_leave_lines_without_features_keys_or_addresses(pair: Service) -> None:
    client = pair.client()
    client.rank("told", device="a-feature-value")
    eventually(lambda: '"told"' in pair.log.read_text(), "the line of the rank")
    lines = [line for line in pair.log.read_text().splitlines() if line.startswith("{")]
    (line,) = [one for one in map(json.loads, lines) if one["eventId"] == "told"]
    assert (line["loop"], line["status"]) == ("default", 201)
    said = "\n".join(lines)
    keys = pair.json("loop", "keys", "default")
    for secret in ("a-feature-value", "127.0.0.1", keys["key1"], keys["key2"], OWNER_KEY):
        assert secret not in said


def test_with_tls_and_tokens(tmp_path: Path) -> None:
    cert, key, tokens = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "tokens.json"
    authority().issue(cert, key)
    trusted = str(authority().write(tmp_path))
    with serving(TokenIssuer()) as issuer:
        roles = [
            {"claim": rule.claim, "value": rule.value, "role": rule.role, "loop": rule.loop} for rule in ROLES
        ]
        said = {"issuers": [{"issuer": issuer.url, "audiences": ["api://sartor"], "roles": roles}]}
        tokens.write_text(json.dumps(said))
        flags = ("--tls-cert", str(cert), "--tls-key", str(key), "--tokens", str(tokens))
        service = Service(tmp_path / "data", *flags)
        service.spawn()
        url = service.endpoint.replace("http://", "https://")
        with requests.Session() as session:
            session.trust_env, session.verify = False, trusted
            try:
                eventually(lambda: answers(session, url), "ready", within_s=20)
                session.headers["authorization"] = f"Bearer {issuer.token('Shop.User')}"
                rank: Any = {"actions": [{"id": "a", "features": [{"x": 1}]}]}
                path = f"{url}/loops/default/personalizer/v1.0/rank"
                assert session.post(path, json=rank, timeout=5).status_code == 201
                assert session.get(f"{url}/sartor/v1/loops/default/keys", timeout=5).status_code == 403
                session.headers["authorization"] = f"Bearer {issuer.token('Sartor.Owner')}"
                assert session.get(f"{url}/sartor/v1/loops/default/keys", timeout=5).status_code == 200
                assert service.json("loop", "keys", "default")["endpoint"].startswith("https://")
                assert service.stop() == 0
            finally:
                service.end()


def answers(session: requests.Session, url: str) -> bool:
    """Whether it is ready. Its supervisor listens before there is a process that answers."""
    try:
        return session.get(f"{url}/health/ready", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def test_what_does_not_fit_stops_the_start(tmp_path: Path) -> None:
    service = Service(tmp_path / "data")
    refused = service.run("serve", "--tokens", str(tmp_path / "nothing.json"), code=1)
    assert "nothing.json" in refused.stderr
    assert "needs both" in service.run("serve", "--tls-cert", "cert.pem", code=1).stderr
