"""Whatever comes in for several slots is answered, never with 5xx, and the next good request is served."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.api.dataplane import validation_errors
from sartor.api.dataplane.decoding import RequestDecoder
from sartor.api.dataplane.multislot_decoding import MultiSlotDecoder
from sartor.errors import InvalidRequest, PayloadTooLarge
from sartor.learn.vw import create_engine
from sartor.settings import Limits
from tests.wire.harness import Reply, Service
from tests.wire.test_fuzz import (
    COMMANDS,
    FUZZ,
    anything,
    bodies,
    fair_features,
    fair_ids,
    names,
    odd_ranks,
)
from tests.wire.test_multislot import SEVERAL, page, rank, reward


@pytest.fixture(scope="module")
def slots() -> Iterator[Service]:
    """A loop with several slots and a model of the real engine, shared by the tests of this file."""
    made = Service(ranks_with=lambda: create_engine(SEVERAL), arguments=SEVERAL)
    yield made
    made.close()


def _fair(ids: list[str], slot_ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    actions = [st.fixed_dictionaries({"id": st.just(one), "features": fair_features}) for one in ids]
    slots = [
        st.fixed_dictionaries(
            {"id": st.just(one), "baselineAction": st.just(ids[number])},
            optional={
                "features": st.none() | fair_features,
                "excludedActions": st.lists(
                    st.sampled_from([*ids[:number], *ids[number + 1 :]] or ids), max_size=2
                )
                if len(ids) > 1
                else st.just([]),
            },
        )
        for number, one in enumerate(slot_ids[: len(ids)])
    ]
    return st.fixed_dictionaries(
        {"actions": st.tuples(*actions).map(list), "slots": st.tuples(*slots).map(list)},
        optional={"contextFeatures": st.none() | fair_features, "eventId": fair_ids},
    )


def _ids(most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(fair_ids, min_size=1, max_size=most, unique=True)


fair_slots = st.tuples(_ids(5), _ids(3)).flatmap(lambda both: _fair(*both))
odd_slots = st.fixed_dictionaries(
    {
        "slots": anything
        | st.lists(
            st.fixed_dictionaries(
                {"id": names | anything, "baselineAction": names | anything},
                optional={"features": anything, "excludedActions": anything},
            ),
            max_size=3,
        )
    }
)


def _serves_on(service: Service) -> None:
    answer: Any = rank(service, page(4, 2)).json()
    assert len({slot["rewardActionId"] for slot in answer["slots"]}) == 2


def _is_an_answer(reply: Reply) -> bool:
    return reply.status in (201, 204) or (400 <= reply.status < 500 and bool(reply.code and reply.message))


@FUZZ
@given(body=bodies)
def test_any_body(slots: Service, body: bytes) -> None:
    assert _is_an_answer(rank(slots, body))
    assert _is_an_answer(reward(slots, "e", body))
    _serves_on(slots)


@FUZZ
@given(actions=odd_ranks, places=odd_slots)
def test_odd_requests(slots: Service, actions: dict[str, object], places: dict[str, object]) -> None:
    assert _is_an_answer(rank(slots, actions | places))
    assert _is_an_answer(rank(slots, page(3, 1) | places))
    _serves_on(slots)


@FUZZ
@given(body=fair_slots)
def test_fair_requests_are_answered_whatever_their_features_are_called(
    slots: Service, body: dict[str, Any]
) -> None:
    reply = rank(slots, body)
    assert reply.status == 201, reply
    answered: Any = reply.json()["slots"]
    chosen = [slot["rewardActionId"] for slot in answered]
    assert [slot["id"] for slot in answered] == [slot["id"] for slot in body["slots"]]
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= {action["id"] for action in body["actions"]}
    assert all(0 < slot["probability"] <= 1 for slot in answered)
    for slot, action in zip(body["slots"], chosen, strict=True):
        assert action not in slot.get("excludedActions", ())
    _serves_on(slots)


@FUZZ
@given(body=fair_slots | odd_slots.map(lambda places: page(3, 1) | places))
def test_the_two_readings_of_the_contract_agree(body: dict[str, object]) -> None:
    """What the typed decoder accepts has nothing to complain of."""
    raw = json.dumps(body).encode()
    decoder = MultiSlotDecoder(Limits(), RequestDecoder(Limits(), new_event_id=lambda: "made"))
    accepted = _passes(lambda: decoder.rank(raw))
    spotless = _passes(lambda: validation_errors.check_multislot_rank(validation_errors.parse_json(raw)))
    assert spotless or not accepted


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except (InvalidRequest, PayloadTooLarge):
        return False
    return True


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("|", ":", " ", "\n", "\\", '"')])
@pytest.mark.parametrize("value", [1, "x", {"x": 1}, [1, 2], {"_slots": {"x": 1}}, [0]], ids=repr)
def test_no_name_acts_as_a_command(slots: Service, name: str, value: object) -> None:
    hostile = page(4, 3, eventId="the same")
    for place in hostile["slots"]:
        place["features"] = [{"size": "x"}, {name: value}]
    hostile["contextFeatures"] = [{"device": "mobile"}, {name: value}]
    answer: Any = rank(slots, hostile).json()
    # The engine has learned nothing: unless a name was obeyed, all actions that are left are still alike.
    plain: Any = rank(slots, page(4, 3, eventId="the same")).json()
    assert answer["slots"] == plain["slots"]
    assert math.isclose(answer["slots"][0]["probability"], plain["slots"][0]["probability"])
