"""Every operation of @azure/cognitiveservices-personalizer, the official JavaScript client of v1.0."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from sartor.ports import Loop
from tests.wire.clients import javascript, page
from tests.wire.clients.instance import Instance
from tests.wire.clients.javascript import Driver
from tests.wire.clients.record import Record

CLIENT = "@azure/cognitiveservices-personalizer"
EVENT = "a/b é 🧵"
HAS = f"""
const {{ PersonalizerClient }} = require("{CLIENT}");
const {{ ApiKeyCredentials }} = require("@azure/ms-rest-js");
const client = new PersonalizerClient(new ApiKeyCredentials({{ inHeader: {{}} }}), "http://localhost");
const methods = (owner) => Object.keys(Object.getPrototypeOf(owner)).filter((name) => name != "constructor");
console.log(JSON.stringify([...methods(client), ...methods(client.events).map((name) => `events.${{name}}`)]));
"""


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    made = Driver("v1.cjs")
    yield made
    made.close()


class Caller:
    """The client with the key of a loop."""

    def __init__(self, driver: Driver, endpoint: str, key: str, record: Record) -> None:
        self._driver = driver
        self._with = {"endpoint": endpoint, "key": key}
        self._record = record

    def call(self, operation: str, *arguments: object) -> Any:
        reply = self._driver.call(operation=operation, arguments=arguments, **self._with)
        assert "thrown" not in reply, reply
        self._record.note(operation, reply["status"])
        return reply["body"]


@pytest.fixture
def client(driver: Driver, instance: Instance, loop: Loop, record: Record) -> Caller:
    return Caller(driver, instance.endpoint, loop.key1, record)


def test_the_page_lists_what_the_client_has() -> None:
    command = [javascript.node(), "-e", HAS]
    done = subprocess.run(
        command, env=javascript.environment(), capture_output=True, text=True, timeout=30, check=True
    )
    has = set(json.loads(done.stdout))
    assert javascript.version(CLIENT) == page.client(CLIENT).version
    assert has == set(page.client(CLIENT).rows)
    assert {page.test_of(operation) for operation in has} <= set(globals())


def test_rank(instance: Instance, loop: Loop, client: Caller) -> None:
    actions = [{"id": name, "features": [{"taste": name}]} for name in ("pasta", "juice")]
    answer = client.call("rank", {"eventId": EVENT, "actions": actions, "contextFeatures": [{"hour": 9}]})
    assert answer["eventId"] == EVENT
    assert [ranked["probability"] for ranked in answer["ranking"]] == [0.5, 0.5]
    logged = instance.decisions(loop, EVENT)[-1].decision
    assert logged.actions[logged.chosen].id == answer["rewardActionId"]


def test_events_reward(instance: Instance, loop: Loop, client: Caller) -> None:
    client.call("events.reward", "reward/1 é", {"value": 0.25})
    assert instance.observations(loop, "reward/1 é") == [(None, 0.25)]


def test_events_activate(instance: Instance, loop: Loop, client: Caller) -> None:
    client.call("events.activate", "activate/1 é")
    assert instance.observations(loop, "activate/1 é") == [(None, None)]
