"""The whole point: rank, reward, and see the service choose better; every change is live soon."""

import random
import time

import pytest

from sartor.settings import NEW_CONTROL_SHARE
from tests.acceptance.service import Service, eventually

BEST = {"mobile": "sports", "desktop": "finance"}


def play(service: Service, turns: int, *, loop: str = "default", seed: int = 0) -> float:
    """Rank and reward; the share of the turns in which the better article was chosen."""
    client, chance = service.client(loop), random.Random(seed)
    hits = 0
    for _ in range(turns):
        device = chance.choice(sorted(BEST))
        status, answer = client.rank(device=device)
        assert status == 201
        hit = answer["rewardActionId"] == BEST[device]
        assert client.reward(answer["eventId"], float(hit)) == 204
        hits += hit
    return hits / turns


def live_model(service: Service, loop: str = "default") -> str:
    model: str = service.json("loop", "show", loop)["liveModel"]
    return model


@pytest.fixture(scope="module")
def trained_service(shared: Service) -> Service:
    """A service whose loop has learned what its users like."""
    shared.set("modelExportFrequency=PT1S")
    for seed in range(3):
        play(shared, 200, seed=seed)
    eventually(lambda: shared.json("loop", "models", "default")[0]["learned"] >= 500, "a model of 500 outcomes")
    return shared


def test_a_loop_begins_without_a_model(shared: Service) -> None:
    shared.run("loop", "create", "fresh")
    eventually(lambda: shared.client("fresh").rank()[0] == 201, "the new loop")
    _, answer = shared.client("fresh").rank()
    control, others = NEW_CONTROL_SHARE, (1 - NEW_CONTROL_SHARE) / 3
    probabilities = sorted([one["probability"] for one in answer["ranking"]], reverse=True)
    assert probabilities == pytest.approx([control + others, others, others])
    assert live_model(shared, "fresh") == "N/A"


def test_its_choices_get_better(trained_service: Service) -> None:
    assert play(trained_service, 200, seed=9) > 0.8  # at random: a third


def test_an_outcome_serves_within_seconds(trained_service: Service) -> None:
    before = live_model(trained_service)
    play(trained_service, 1)
    eventually(lambda: live_model(trained_service) != before, "a model with the new outcome", within_s=5)


def test_a_past_decision_can_be_computed_again(trained_service: Service) -> None:
    trained_service.client().rank("computed-again", device="mobile")
    report = trained_service.json("replay", "computed-again")
    assert report["same"]
    assert report["modelFrom"] == "stored"
    assert report["rewardActionId"] == report["recomputed"]["rewardActionId"]


def test_the_instance_is_healthy(trained_service: Service) -> None:
    report = trained_service.json("doctor", "--replay")
    assert report["healthy"]
    assert report["loops"][0]["compared"] > 0


def test_a_new_loop_serves_within_a_second(shared: Service) -> None:
    key = shared.json("loop", "create", "second")["key1"]
    eventually(lambda: shared.client("second").rank()[0] == 201, "the new loop", within_s=2)
    assert key != shared.json("loop", "keys", "default")["key1"]
    client = shared.client("second")
    shared.run("loop", "delete", "second", "--yes")
    eventually(lambda: client.rank()[0] == 401, "the end of the loop", within_s=2)
    assert shared.client().rank()[0] == 201


def test_a_new_key_works_within_a_second_and_the_old_one_no_more(shared: Service) -> None:
    old = shared.client()
    shared.run("loop", "rotate-key", "default", "--key", "1")
    eventually(lambda: old.rank()[0] == 401, "the end of the old key", within_s=2)
    assert shared.client().rank()[0] == 201


def test_a_shorter_window_is_used_at_once(shared: Service) -> None:
    shared.run("loop", "create", "hasty")
    eventually(lambda: shared.client("hasty").rank("unrewarded")[0] == 201, "the new loop")
    shared.set("rewardWaitTime=PT1S", loop="hasty")
    started = time.monotonic()
    eventually(lambda: shared.json("loop", "show", "hasty")["counts"]["outcomes"], "the outcome", within_s=5)
    assert time.monotonic() - started < 5


def test_new_learning_settings_relearn_the_log(trained_service: Service) -> None:
    arguments = "--cb_explore_adf --epsilon 0.3 -q ::"
    trained_service.run("loop", "policy", "default", arguments)
    trained_service.set("explorationPercentage=0.3")

    def relearned() -> bool:
        newest = trained_service.json("loop", "models", "default")[0]
        return bool(newest["arguments"] == arguments and newest["live"] and newest["learned"] >= 500)

    eventually(relearned, "a model that learned the log with the new settings")
    assert trained_service.json("doctor", "--replay")["healthy"]


def test_a_rollback_stays(trained_service: Service) -> None:
    before = trained_service.json("loop", "models", "default")
    assert len(before) > 1
    back = trained_service.json("loop", "rollback", "default")["modelId"]
    play(trained_service, 20)
    eventually(
        lambda: trained_service.json("loop", "models", "default")[0]["modelId"] != before[0]["modelId"],
        "a newer model that does not serve",
    )
    assert live_model(trained_service) == back
    trained_service.set("modelAutoPublish=true")
    play(trained_service, 20)
    eventually(lambda: live_model(trained_service) != back, "a newer model that serves")
