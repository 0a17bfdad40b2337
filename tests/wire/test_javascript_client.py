"""The official JavaScript client, @azure/cognitiveservices-personalizer 2.0.1, works unchanged."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.wire.harness import Service

PACKAGE = "@azure/cognitiveservices-personalizer@2.0.1"
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "javascript-client"
SCRIPT = Path(__file__).with_name("official_client.cjs")


@pytest.fixture(scope="module")
def node() -> str:
    """The path of node, with the client installed; skips, and says why, where that can't be had."""
    found, installer = shutil.which("node"), shutil.which("npm")
    if found is None or installer is None:
        pytest.skip("THE JAVASCRIPT CLIENT WAS NOT TESTED: node and npm are not installed here")
    if not (FOLDER / "installed").exists():
        _install(installer)
    return found


def _install(installer: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    command = [installer, "install", "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE]
    try:
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=50, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"THE JAVASCRIPT CLIENT WAS NOT TESTED: npm did not install {PACKAGE} in time")
    if done.returncode:
        pytest.skip(f"THE JAVASCRIPT CLIENT WAS NOT TESTED: npm could not install {PACKAGE}")
    (FOLDER / "installed").touch()


def test_every_operation(node: str, service: Service, endpoint: str) -> None:
    said = _run(node, endpoint, service.loop.key1)
    assert said["statuses"] == [201, 201, 204, 204]
    ranked = said["ranked"]
    assert ranked["eventId"] == "a/b é 🧵"
    assert ranked["rewardActionId"] in {"ice cream", "juice"}
    assert ranked["ranking"][0] == {"id": "pasta", "probability": 0}
    assert [action["probability"] for action in ranked["ranking"][1:]] == [0.5, 0.5]
    assert len(said["made"]["eventId"]) == 38
    decisions = [logged.decision for logged in service.decisions()]
    assert [decision.deferred for decision in decisions] == [True, False]
    assert [(logged.observation.event_id, logged.observation.reward) for logged in service.observations()] == [
        ("a/b é 🧵", None),
        ("a/b é 🧵", 0.75),
    ]


def test_errors_are_understood(node: str, service: Service, endpoint: str) -> None:
    said = _run(node, endpoint, service.loop.key2)
    assert (said["empty"]["status"], said["empty"]["code"]) == (400, "InvalidRankRequest")
    assert "actions must hold 1 to 50 actions" in said["empty"]["message"]
    assert (said["unknown"]["status"], said["unknown"]["code"]) == (401, "401")
    assert (said["notNumber"]["status"], said["notNumber"]["code"]) == (400, "InvalidRewardRequest")


def _run(node: str, endpoint: str, key: str) -> dict[str, Any]:
    done = subprocess.run(
        [node, str(SCRIPT), endpoint, key],
        env={**os.environ, "NODE_PATH": str(FOLDER / "node_modules"), "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said
