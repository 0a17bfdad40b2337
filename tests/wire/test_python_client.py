"""The official Python client, azure-cognitiveservices-personalizer 0.1.1, works unchanged."""

from typing import Any

import pytest

from tests.wire.clients import python_v1
from tests.wire.clients.python_v1 import client, exceptions, models
from tests.wire.harness import Service

pytestmark = pytest.mark.filterwarnings(python_v1.OLD_CLOCK)


def request(**members: Any) -> Any:
    actions = [
        models.RankableAction(id="pasta", features=[{"taste": "salty", "spiceLevel": "medium"}, {"level": 9}]),
        models.RankableAction(id="ice cream", features=[{"taste": "sweet", "spiceLevel": "none"}]),
        models.RankableAction(id="juice", features=[{"taste": "sweet", "nested": {"fresh": True}}]),
    ]
    return models.RankRequest(actions=actions, **members)


@pytest.mark.parametrize("slash", ["", "/"])
def test_rank(service: Service, endpoint: str, slash: str) -> None:
    answer = client(endpoint + slash, service.loop.key1).rank(
        request(
            context_features=[{"timeOfDay": "morning"}, {"device": {"kind": "mobile"}}],
            excluded_actions=["pasta"],
            event_id="event/1 é",
        )
    )
    assert answer.event_id == "event/1 é"
    assert answer.reward_action_id in {"ice cream", "juice"}
    assert [(answer.ranking[0].id, answer.ranking[0].probability)] == [("pasta", 0.0)]
    assert [ranked.probability for ranked in answer.ranking[1:]] == [0.5, 0.5]
    decision = service.decisions()[0].decision
    assert decision.actions[decision.chosen].id == answer.reward_action_id
    assert not decision.deferred


def test_rank_with_a_made_event_id_that_is_activated_and_rewarded(service: Service, endpoint: str) -> None:
    both = client(endpoint, service.loop.key2)
    answer = both.rank(request(defer_activation=True))
    assert both.events.activate(answer.event_id) is None
    assert both.events.reward(answer.event_id, 0.75) is None
    assert service.decisions()[0].decision.deferred
    assert [(logged.observation.event_id, logged.observation.reward) for logged in service.observations()] == [
        (answer.event_id, None),
        (answer.event_id, 0.75),
    ]


@pytest.mark.parametrize("event_id", ["a/b", "café", "%2F", "a b+c?d#e", "x" * 256, "🧵"])
def test_event_ids_arrive_as_they_were(service: Service, endpoint: str, event_id: str) -> None:
    events = client(endpoint, service.loop.key1).events
    events.reward(event_id, "1.0")  # the client turns it into a number
    events.activate(event_id)
    assert {logged.observation.event_id for logged in service.observations()} == {event_id}
    assert service.observations()[0].observation.reward == 1.0


def test_errors_are_understood(service: Service, endpoint: str) -> None:
    with pytest.raises(models.ErrorResponseException) as caught:
        client(endpoint, service.loop.key1).rank(models.RankRequest(actions=[]))
    error = caught.value.error.error
    assert (error.code, caught.value.response.status_code) == ("InvalidRankRequest", 400)
    assert "actions must hold 1 to 50 actions" in error.message


def test_a_wrong_key_is_understood(service: Service, endpoint: str) -> None:
    with pytest.raises(models.ErrorResponseException) as caught:
        client(endpoint, "wrong").rank(request())
    assert (caught.value.error.error.code, caught.value.response.status_code) == ("401", 401)


def test_an_empty_event_id_is_an_error_of_its_own(service: Service, endpoint: str) -> None:
    with pytest.raises(exceptions.HttpOperationError) as caught:
        client(endpoint, service.loop.key1).events.activate("")
    assert caught.value.response.status_code == 400


def test_a_full_store_is_understood(service: Service, endpoint: str) -> None:
    service.stores.disk.failing = True
    with pytest.raises(models.ErrorResponseException) as caught:
        client(endpoint, service.loop.key1).rank(request())
    assert caught.value.error.error.code == "OperationNotAllowed"
    service.stores.disk.failing = False
    assert client(endpoint, service.loop.key1).rank(request()).event_id
