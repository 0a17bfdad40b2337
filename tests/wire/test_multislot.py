"""Several slots on the wire (contract, sections 1.4 and 2.10)."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from sartor.api.routing import versions
from sartor.api.routing.versions import V1_0, V2022_09, Version
from sartor.learn.vw import create_engine
from sartor.records import Observation
from sartor.settings import LoopSettings
from tests.wire.harness import Reply, Service, articles, person
from tests.wire.test_versions import at

SEVERAL = "--ccb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::"
EACH = pytest.mark.parametrize("version", versions.PREVIEWS, ids=lambda version: version.name)


@pytest.fixture
def slots() -> Iterator[Service]:
    """A loop with several slots and no model yet."""
    made = Service(arguments=SEVERAL)
    yield made
    made.close()


@pytest.fixture
def trained() -> Iterator[Service]:
    """A loop with several slots and a model of the real engine."""
    made = Service(ranks_with=lambda: create_engine(SEVERAL), arguments=SEVERAL)
    yield made
    made.close()


def page(actions: int = 3, slots: int = 2, **members: object) -> dict[str, Any]:
    """A request for some slots; the baseline of each is the action with its number."""
    places = [
        {"id": f"slot-{n}", "features": [{"size": f"s{n}"}], "baselineAction": f"article-{n}"}
        for n in range(slots)
    ]
    return articles(actions, slots=places, **members)


def rank(service: Service, body: object, version: Version = V2022_09) -> Reply:
    return service.call("POST", at(version, "/multislot/rank"), body)


def reward(service: Service, event_id: str, body: object, version: Version = V2022_09) -> Reply:
    return service.call("POST", at(version, f"/multislot/events/{event_id}/reward"), body)


@EACH
def test_the_exact_answer(slots: Service, version: Version) -> None:
    body = page(1, 1, eventId="e/1")
    reply = rank(slots, body, version)
    assert reply.status == 201
    assert reply.body == (
        b'{"slots":[{"id":"slot-0","rewardActionId":"article-0","probability":1.0}],"eventId":"e/1"}'
    )
    assert reply.headers["csp-billing-usage"] == "CognitiveServices.Personalizer.Transaction=1"


@EACH
def test_each_slot_gets_another_action_with_the_probability_it_had(trained: Service, version: Version) -> None:
    for number in range(30):
        answer = rank(trained, page(4, 3, eventId=f"e{number}"), version).json()
        returned: Any = answer["slots"]
        assert [slot["id"] for slot in returned] == ["slot-0", "slot-1", "slot-2"]
        assert len({slot["rewardActionId"] for slot in returned}) == 3
        decision = trained.decisions()[-1].decision
        assert [slot["rewardActionId"] for slot in returned] == [
            decision.actions[slot.chosen].id for slot in decision.slots
        ]
        assert [slot["probability"] for slot in returned] == [
            slot.probabilities[slot.chosen] for slot in decision.slots
        ]
        assert rank(trained, page(4, 3, eventId=f"e{number}"), version).json() == answer


def test_before_a_model_the_slots_are_filled_uniformly(slots: Service) -> None:
    answer: Any = rank(slots, page(4, 2)).json()
    assert [slot["probability"] for slot in answer["slots"]] == [pytest.approx(1 / 4), pytest.approx(1 / 3)]
    assert slots.decisions()[-1].decision.model_id == "N/A"


def test_what_was_asked_is_logged(slots: Service) -> None:
    body = page(3, 2, deferActivation=True)
    body["slots"][0]["excludedActions"] = ["article-2"]
    answer = rank(slots, body).json()
    decision = slots.decisions()[0].decision
    assert decision.event_id == answer["eventId"]
    assert decision.deferred
    assert [slot.id for slot in decision.slots] == ["slot-0", "slot-1"]
    assert [slot.features for slot in decision.slots] == [b'[{"size":"s0"}]', b'[{"size":"s1"}]']
    assert [slot.baseline for slot in decision.slots] == [0, 1]
    assert decision.slots[0].excluded == (2,)
    assert decision.slots[0].probabilities[2] == 0


def test_an_action_that_is_excluded_in_a_slot_never_goes_there(trained: Service) -> None:
    body = page(3, 2)
    body["slots"][0]["excludedActions"] = ["article-1", "article-2"]
    for number in range(20):
        answer: Any = rank(trained, body | {"eventId": f"e{number}"}).json()
        assert answer["slots"][0]["rewardActionId"] == "article-0"
        assert answer["slots"][0]["probability"] == 1.0


@pytest.mark.parametrize("mode", ["Apprentice", "LoggingOnly"])
def test_the_other_modes_answer_the_baselines(mode: Any) -> None:
    service = Service(
        ranks_with=lambda: create_engine(SEVERAL), arguments=SEVERAL, settings=LoopSettings(learning_mode=mode)
    )
    for number in range(10):
        answer: Any = rank(service, page(4, 3, eventId=f"e{number}")).json()
        assert [slot["rewardActionId"] for slot in answer["slots"]] == ["article-0", "article-1", "article-2"]
    chosen = {tuple(slot.chosen for slot in logged.decision.slots) for logged in service.decisions()}
    assert (len(chosen) > 1) == (mode == "Apprentice")  # the record of Apprentice is the model's draw
    service.close()


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"eventId": None},
        {"contextFeatures": None, "deferActivation": None},
        {"excludedActions": ["ignored: there is none for all slots"]},
        {"unknown": {"deep": [[{"": None}]]}},
    ],
    ids=str,
)
def test_what_is_accepted_besides(slots: Service, members: dict[str, object]) -> None:
    assert rank(slots, page(3, 2) | members).status == 201


def test_features_of_a_slot_may_be_missing_or_called_otherwise(slots: Service) -> None:
    body = page(3, 2)
    del body["slots"][0]["features"]
    body["slots"][0]["positionFeatures"] = [{"size": "large"}]  # as the README of a client has it
    body["slots"][1]["features"] = None
    assert rank(slots, body).status == 201
    assert [slot.features for slot in slots.decisions()[0].decision.slots] == [b"[]", b"[]"]


SLOT = {"id": "s", "baselineAction": "article-0"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"slots": None}, "slots must be an array"),
        ({"slots": []}, "slots must hold 1 to 3"),
        ({"slots": [SLOT] * 4}, "slots must hold 1 to 3"),
        ({"slots": [SLOT, {"id": "s", "baselineAction": "article-1"}]}, "slots[1].id is the same"),
        ({"slots": [SLOT, {"id": "t", "baselineAction": "article-0"}]}, "slots[1].baselineAction is the same"),
        ({"slots": [{"id": "", "baselineAction": "article-0"}]}, "slots[0].id must have 1 to 256"),
        ({"slots": [{"id": "x" * 257, "baselineAction": "article-0"}]}, "slots[0].id must have 1 to 256"),
        ({"slots": [{"baselineAction": "article-0"}]}, "slots[0].id is required"),
        ({"slots": [{"id": "s"}]}, "slots[0].baselineAction is required"),
        ({"slots": [{"id": "s", "baselineAction": None}]}, "slots[0].baselineAction must be a text"),
        ({"slots": [{"id": "s", "baselineAction": "other"}]}, "slots[0].baselineAction is not the id"),
        ({"slots": [SLOT | {"excludedActions": ["article-0"]}]}, "slots[0].baselineAction is excluded"),
        ({"slots": [SLOT | {"excludedActions": ["other"]}]}, "slots[0].excludedActions[0] is not the id"),
        ({"slots": [SLOT | {"excludedActions": [1]}]}, "slots[0].excludedActions[0] must be a text"),
        ({"slots": [SLOT | {"features": [{"x": ["y"]}]}]}, "slots[0].features[0].x[0] must be a number"),
        ({"slots": [SLOT | {"features": [None]}]}, "slots[0].features[0] must be an object"),
        ({"slots": [None]}, "slots[0] must be an object"),
        ({"slots": [SLOT | {"id": "a\0b"}]}, "slots[0].id holds a NUL"),
        ({"actions": []}, "actions must hold 1 to 50"),
        ({"actions": [{"id": "article-0", "features": [{}]}]}, "actions[0].features"),
        ({"actions": [{"id": "article-0", "features": [{"a": 1}]}] * 2}, "actions[1].id is the same"),
        ({"eventId": ""}, "eventId must not be empty"),
        ({"eventId": "x" * 257}, "eventId is longer"),
        ({"contextFeatures": [None]}, "contextFeatures[0] must be an object"),
        ({"deferActivation": 1}, "deferActivation must be true or false"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_wrong_is_named(slots: Service, wrong: dict[str, object], says: str) -> None:
    reply = rank(slots, page(3, 2) | wrong)
    assert (reply.status, reply.code) == (400, "InvalidRankRequest")
    assert says in reply.message
    assert not slots.decisions()


def test_too_many_features_are_refused(slots: Service) -> None:
    many = page(3, 2, contextFeatures=[{f"f{n}": n for n in range(5_000)}])
    assert rank(slots, many).code == "PayloadSizeExceeded"
    crossed = page(50, 50, contextFeatures=[{f"f{n}": n for n in range(100)}])
    reply = rank(slots, crossed)
    assert (reply.status, reply.code) == (400, "PayloadSizeExceeded")
    assert "pairs of features" in reply.message


def test_as_many_slots_as_there_can_be(trained: Service) -> None:
    answer: Any = rank(trained, page(50, 50)).json()
    assert len({slot["rewardActionId"] for slot in answer["slots"]}) == 50


@EACH
def test_rewards_of_several_slots_are_kept_as_sent(slots: Service, version: Version) -> None:
    body = {"reward": [{"slotId": "slot-1", "value": 1}, {"slotId": "other", "value": -17.5}]}
    reply = reward(slots, "a%2Fb", body, version)
    assert (reply.status, reply.body) == (204, b"")
    assert [logged.observation for logged in slots.observations()] == [
        Observation(event_id="a/b", reward=1.0, slot="slot-1"),
        Observation(event_id="a/b", reward=-17.5, slot="other"),
    ]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"{}", "reward is required"),
        ({"value": 1}, "reward is required"),
        ({"reward": 1}, "reward must be an array"),
        ({"reward": []}, "reward must hold 1 to 50"),
        ({"reward": [{"slotId": "s", "value": 1}] * 51}, "reward must hold 1 to 50"),
        ({"reward": [1]}, "reward[0] must be an object"),
        ({"reward": [{"slotId": "s"}]}, "reward[0].value is required"),
        ({"reward": [{"value": 1}]}, "reward[0].slotId is required"),
        ({"reward": [{"slotId": "", "value": 1}]}, "reward[0].slotId must have 1 to 256"),
        ({"reward": [{"slotId": "x" * 257, "value": 1}]}, "reward[0].slotId must have 1 to 256"),
        ({"reward": [{"slotId": "s", "value": "1"}]}, "reward[0].value must be a number"),
        ({"reward": [{"slotId": "s", "value": True}]}, "reward[0].value must be a number"),
        (
            b'{"reward":[{"slotId":"s","value":1e999}]}',
            "reward[0].value must be a finite number between -1e+50 and 1e+50",
        ),
        (b'{"reward":[{"slotId":"s","value":NaN}]}', "not JSON"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_rewards_that_are_none_are_refused_as_a_whole(slots: Service, body: object, says: str) -> None:
    reply = reward(slots, "e", body)
    assert (reply.status, reply.code) == (400, "InvalidRewardRequest")
    assert says in reply.message
    assert not slots.observations()


@EACH
def test_an_activation_is_for_all_slots(slots: Service, version: Version) -> None:
    reply = slots.call("POST", at(version, "/multislot/events/e/activate"))
    assert (reply.status, reply.body) == (204, b"")
    assert slots.observations()[0].observation == Observation(event_id="e", reward=None, slot=None)


def test_rewards_that_could_not_be_stored_are_refused_as_a_whole(slots: Service) -> None:
    slots.stores.disk.failing = True
    body = {"reward": [{"slotId": f"slot-{n}", "value": 1} for n in range(3)]}
    assert reward(slots, "e", body).status == 503
    slots.stores.disk.failing = False
    assert not slots.observations()


@EACH
def test_a_loop_with_one_slot_refuses_the_routes_of_several(service: Service, version: Version) -> None:
    calls = [
        rank(service, page(), version),
        reward(service, "e", {"reward": [{"slotId": "s", "value": 1}]}, version),
        service.call("POST", at(version, "/multislot/events/e/activate")),
    ]
    for reply in calls:
        assert (reply.status, reply.code) == (400, "InvalidMultiSlotApiAccess")
        assert reply.headers["x-ms-error-code"] == "InvalidMultiSlotApiAccess"
    assert not service.decisions()
    assert not service.observations()


@pytest.mark.parametrize("version", versions.ALL_VERSIONS, ids=lambda version: version.name)
def test_a_loop_with_several_slots_refuses_the_routes_of_one(slots: Service, version: Version) -> None:
    calls = [
        slots.call("POST", at(version, "/rank"), person()),
        slots.call("POST", at(version, "/events/e/reward"), {"value": 1}),
        slots.call("POST", at(version, "/events/e/activate")),
    ]
    for reply in calls:
        assert (reply.status, reply.code) == (403, "InvalidApiAccess")
        assert "/multislot/" in reply.message
    assert not slots.decisions()
    assert not slots.observations()


def test_a_model_from_before_the_loop_had_several_slots_does_not_rank_them() -> None:
    service = Service(ranks_with=lambda: create_engine("--cb_explore_adf -q ::"))
    service.stores.catalog.update(replace(service.loop, arguments=SEVERAL))
    service.follow()
    assert rank(service, page()).status == 201
    assert service.decisions()[0].decision.model_id == "N/A"
    assert service.call("POST", at(V1_0, "/rank"), person()).status == 403
    service.close()
