"""The scorecard on the wire of the control plane."""

import json

import pytest

from sartor.lab.fill_log import fill_log
from sartor.lab.registry import open_world
from tests.wire.harness import OWNER_KEY, Reply, Service


def score(service: Service, loop: str = "default") -> Reply:
    return service.call("GET", f"/sartor/v1/loops/{loop}/score", b"", key=OWNER_KEY)


def test_a_loop_without_outcomes_has_no_standings(service: Service) -> None:
    reply = score(service)
    assert reply.status == 200
    found = json.loads(reply.body)
    assert (found["events"], found["total"]) == (0, [])
    assert set(found["windows"]) == {"PT5M", "PT1H", "PT6H", "P1D"}


def test_standings_are_those_of_the_log(service: Service) -> None:
    logs = service.stores.open(service.loop)
    fill_log(logs, open_world("tutorial"), None, loop_id=service.loop.loop_id, turns=300)
    found = json.loads(score(service).body)
    rewards = [logged.outcome.reward for logged in logs.outcomes.outcomes(after=0, limit=300)]
    online, _, random, fixed = found["total"]
    assert (online["policy"], online["value"]) == ("Online", pytest.approx(sum(rewards) / 300))
    assert online["interval"]["lower"] < online["value"] < online["interval"]["upper"]
    assert random["value"] == pytest.approx(online["value"], abs=0.02), "what was done was random"
    assert found["lift"]["events"] == found["exploration"]["events"] == 300
    assert "your default order" in found["lift"]["sentence"]
    assert fixed["action"].endswith("_article")
    assert found["windows"]["PT5M"][0]["events"] == 300


def test_a_loop_that_there_is_not_has_no_score(service: Service) -> None:
    reply = score(service, "nowhere")
    assert (reply.status, reply.code) == (404, "LoopNotFound")
