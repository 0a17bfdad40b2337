"""The official JavaScript client, @azure/cognitiveservices-personalizer 2.0.1, works unchanged."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.wire.clients import javascript
from tests.wire.harness import Service

SCRIPT = Path(__file__).with_name("official_client.cjs")


@pytest.fixture(scope="module")
def node() -> str:
    """The path of node, with the client installed."""
    return javascript.node()


def test_every_operation(node: str, service: Service, endpoint: str) -> None:
    reply = _run(node, endpoint, service.loop.key1)
    assert reply["statuses"] == [201, 201, 204, 204]
    ranked = reply["ranked"]
    assert ranked["eventId"] == "a/b é 🧵"
    assert ranked["rewardActionId"] in {"ice cream", "juice"}
    assert ranked["ranking"][0] == {"id": "pasta", "probability": 0}
    assert [action["probability"] for action in ranked["ranking"][1:]] == [0.5, 0.5]
    assert len(reply["made"]["eventId"]) == 38
    decisions = [logged.decision for logged in service.decisions()]
    assert [decision.deferred for decision in decisions] == [True, False]
    assert [(logged.observation.event_id, logged.observation.reward) for logged in service.observations()] == [
        ("a/b é 🧵", None),
        ("a/b é 🧵", 0.75),
    ]


def test_errors_are_understood(node: str, service: Service, endpoint: str) -> None:
    reply = _run(node, endpoint, service.loop.key2)
    assert (reply["empty"]["status"], reply["empty"]["code"]) == (400, "InvalidRankRequest")
    assert "actions must hold 1 to 50 actions" in reply["empty"]["message"]
    assert (reply["unknown"]["status"], reply["unknown"]["code"]) == (401, "401")
    assert (reply["notNumber"]["status"], reply["notNumber"]["code"]) == (400, "InvalidRewardRequest")


def _run(node: str, endpoint: str, key: str) -> dict[str, Any]:
    done = subprocess.run(
        [node, str(SCRIPT), endpoint, key],
        env=javascript.environment(),
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    reply: dict[str, Any] = json.loads(done.stdout)
    return reply
