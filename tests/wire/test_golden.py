"""Exact answers of the wire, as the retired service gave them (contract, sections 0 to 2)."""

import re

import pytest

from sartor.records import Observation
from tests.wire.harness import PREFIX, Service, articles, person

EVENT_ID = "75269AD0-BFEE-4598-8196-C57383D38E10"


def test_a_rank_of_one_action_is_certain(service: Service) -> None:
    reply = service.rank(person(eventId=EVENT_ID))
    assert reply.status == 201
    assert reply.body == (
        b'{"ranking":[{"id":"Person","probability":1.0}],'
        b'"eventId":"75269AD0-BFEE-4598-8196-C57383D38E10","rewardActionId":"Person"}'
    )


@pytest.mark.parametrize("members", [{}, {"eventId": None}])
def test_an_event_id_is_made_where_there_is_none(service: Service, members: dict[str, object]) -> None:
    made = [str(service.rank(person(**members)).json()["eventId"]) for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{32}-[0-9a-zA-Z]{5}", event_id) for event_id in made)
    assert made[0] != made[1]
    assert [logged.decision.event_id for logged in service.decisions()] == made


def test_an_excluded_first_action_stays_first_with_probability_zero(service: Service) -> None:
    reply = service.rank(articles(2, eventId="e", excludedActions=["article-0"]))
    assert reply.body == (
        b'{"ranking":[{"id":"article-0","probability":0.0},{"id":"article-1","probability":1.0}],'
        b'"eventId":"e","rewardActionId":"article-1"}'
    )
    assert service.decisions()[0].decision.excluded == (0,)


def test_excluded_actions_keep_their_places(service: Service) -> None:
    reply = service.rank(articles(5, excludedActions=["article-1", "article-3", "article-3"]))
    ranking = reply.json()["ranking"]
    assert isinstance(ranking, list)
    assert [ranking[1], ranking[3]] == [
        {"id": "article-1", "probability": 0.0},
        {"id": "article-3", "probability": 0.0},
    ]
    assert sum(action["probability"] for action in ranking) == pytest.approx(1)


def test_the_same_request_gives_the_same_answer(trained: Service) -> None:
    for number in range(20):
        body = articles(10, eventId=f"event-{number}")
        assert trained.rank(body).body == trained.rank(body).body


def test_the_decision_that_is_logged_is_the_one_that_was_answered(trained: Service) -> None:
    answered = trained.rank(articles(4, eventId="logged", deferActivation=True)).json()
    decision = trained.decisions()[-1].decision
    assert decision.actions[decision.chosen].id == answered["rewardActionId"]
    assert [
        {"id": decision.actions[place].id, "probability": decision.probabilities[place]}
        for place in decision.ranking
    ] == answered["ranking"]
    assert decision.deferred
    assert decision.model_id == "model-1"
    assert decision.context == b'[{"device":"mobile"},{"hour":9}]'
    assert decision.actions[0].features == b'[{"topic":"t0"}]'


@pytest.mark.parametrize("context", [{}, {"contextFeatures": None}, {"contextFeatures": []}])
def test_no_context_is_fine(trained: Service, context: dict[str, object]) -> None:
    reply = trained.rank(person() | context)
    assert reply.status == 201
    assert trained.decisions()[-1].decision.context == b"[]"


@pytest.mark.parametrize(
    "members",
    [
        {"excludedActions": None},
        {"excludedActions": []},
        {"excludedActions": ["no such action"]},
        {"deferActivation": None},
        {"deferActivation": False},
        {"unknown": {"deep": [[[{"": None}]]]}},
        {"eventId": "x" * 256},
        {"eventId": "é/ü?#%2F 🧵"},
    ],
)
def test_what_is_accepted_besides(trained: Service, members: dict[str, object]) -> None:
    reply = trained.rank(articles(3, **members))
    assert reply.status == 201
    assert reply.json()["eventId"] == members.get("eventId") or "eventId" not in members


def test_a_reward_is_kept_as_sent(service: Service) -> None:
    for value in (1, 0, -1, 0.25, 17.5, -1e50, -0.0):
        reply = service.reward("e", {"value": value})
        assert (reply.status, reply.body) == (204, b"")
    assert [logged.observation.reward for logged in service.observations()] == [1, 0, -1, 0.25, 17.5, -1e50, 0]


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b"\xff"])
def test_an_activation_needs_no_body_and_ignores_one(service: Service, body: bytes) -> None:
    reply = service.activate("e", body)
    assert (reply.status, reply.body) == (204, b"")
    assert service.observations()[0].observation == Observation(event_id="e", reward=None)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a%2Fb", "a/b"),
        ("%2F", "/"),
        ("caf%C3%A9", "café"),
        ("%F0%9F%A7%B5", "🧵"),
        ("100%25", "100%"),
        ("a+b", "a+b"),
        ("a%20b", "a b"),
        ("%252F", "%2F"),
        ("..", ".."),
        ("reward", "reward"),
        ("%C3%A9" * 256, "é" * 256),
    ],
)
def test_event_ids_of_paths_are_decoded_once(service: Service, sent: str, meant: str) -> None:
    assert service.reward(sent, {"value": 1}).status == 204
    assert service.activate(sent).status == 204
    assert {logged.observation.event_id for logged in service.observations()} == {meant}


@pytest.mark.parametrize(
    "path",
    [
        "/personalizer/v1.0/rank",
        "/personalizer/v1.0/rank/",
        "/Personalizer/V1.0/Rank",
        "/PERSONALIZER/v1.0/rank?subscription-key=ignored",
    ],
)
def test_paths_are_read_as_the_gateway_did(service: Service, path: str) -> None:
    assert service.call("POST", path, person()).status == 201


def test_case_of_an_event_id_matters_but_not_that_of_the_path(service: Service) -> None:
    assert service.call("POST", "/Personalizer/v1.0/Events/AbC/Reward/", {"value": 1}).status == 204
    assert service.observations()[0].observation.event_id == "AbC"


def test_both_keys_open_the_loop_and_so_does_one_in_the_query(service: Service) -> None:
    for key in (service.loop.key1, service.loop.key2):
        assert service.call("POST", f"{PREFIX}/rank", person(), key=key).status == 201
        path = f"{PREFIX}/rank?a=b&Subscription-Key={key}"
        assert service.call("POST", path, person(), key=None).status == 201


def test_a_body_in_pieces_is_one_body(service: Service) -> None:
    assert service.call("POST", f"{PREFIX}/rank", articles(20), chunks=7).status == 201


def test_a_content_type_is_not_asked_for(service: Service) -> None:
    for kind in ("text/json", "application/json-patch+json", "text/plain", "nonsense"):
        assert service.rank(person(), **{"content-type": kind}).status == 201


def test_headers_of_a_rank(service: Service) -> None:
    headers = dict(service.rank(person()).headers)
    guid = headers.pop("apim-request-id")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", guid)
    assert int(headers.pop("x-envoy-upstream-service-time")) < 1000
    assert int(headers.pop("content-length")) > 100
    assert headers == {
        "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
        "x-content-type-options": "nosniff",
        "timing-allow-origin": "*",
        "cache-control": "no-store, must-revalidate, no-cache",
        "pragma": "no-cache",
        "expires": "0",
        "csp-billing-usage": "CognitiveServices.Personalizer.Transaction=1",
        "content-type": "application/json; charset=utf-8",
    }


def test_headers_of_a_reward(service: Service) -> None:
    headers = service.reward("e", {"value": 1}).headers
    assert "content-length" not in headers, "a 204 has none (RFC 9110, 8.6)"
    assert "content-type" not in headers
    assert "csp-billing-usage" not in headers


def test_request_ids_differ(service: Service) -> None:
    assert len({service.rank(person()).headers["apim-request-id"] for _ in range(50)}) == 50
