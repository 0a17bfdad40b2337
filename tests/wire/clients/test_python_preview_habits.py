"""How azure-ai-personalizer is used: errors, dates, settings and models as its users send them."""

import io
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from msgspec.structs import replace

from sartor.ports import Loop
from tests.acceptance.service import eventually
from tests.wire.clients import bodies
from tests.wire.clients.bodies import NOW, evaluation
from tests.wire.clients.preview import Connect, refusal

CLIENT = "azure-ai-personalizer"


def test_errors_are_understood(loop: Loop, slots: Loop, connect: Connect) -> None:
    client = connect(loop)
    with pytest.raises(HttpResponseError) as caught:
        client.rank({"actions": []})
    assert refusal(caught.value) == (400, "InvalidRankRequest")
    assert "actions must hold 1 to 50 actions" in caught.value.message
    with pytest.raises(HttpResponseError) as caught:
        client.rank_multi_slot(bodies.two_slots("single"))
    assert refusal(caught.value) == (400, "InvalidMultiSlotApiAccess")
    with pytest.raises(HttpResponseError) as caught:
        connect(slots).rank({"actions": bodies.actions("pasta")})
    assert refusal(caught.value) == (403, "InvalidApiAccess")


def test_a_bad_model_is_refused_as_it_was(loop: Loop, connect: Connect) -> None:
    with pytest.raises(HttpResponseError) as caught:
        connect(loop).import_model(io.BytesIO(b"no zip"))
    assert refusal(caught.value) == (400, "invalidModelImportFormat")


def test_a_client_turns_a_loop_into_one_of_several_slots(blank: Loop, connect: Connect, fresh: str) -> None:
    client = connect(blank)
    arguments = client.get_policy()["arguments"] + " --ccb_explore_adf"
    assert client.update_policy({"name": "several slots", "arguments": arguments})["arguments"] == arguments
    eventually(lambda: is_answered(partial(client.rank_multi_slot, bodies.two_slots(fresh))), "several slots")


def is_answered(call: Callable[[], object]) -> bool:
    try:
        call()
    except HttpResponseError:
        return False
    return True


def test_configurations_and_policies_in_use_are_accepted(blank: Loop, connect: Connect) -> None:
    client = connect(blank)
    wanted = {
        "rewardAggregation": "average",
        "modelExportFrequency": "PT3M",
        "defaultReward": 1.0,
        "modelRetrainDays": 2,
        "rewardWaitTime": "PT4H",
        "explorationPercentage": 0.3,
        "logRetentionDays": -1,
        "learningMode": "Online",
    }
    assert client.update_service_configuration(wanted).items() >= wanted.items()
    assert client.get_service_configuration().items() >= wanted.items()
    pairs = " ".join(f"--quadratic {pair}" for pair in ("GT", "MR", "GR", "ME", "OT"))
    wanted = {"name": "app1", "arguments": f"--cb_explore_adf {pairs} --ignore A --cb_type ips --epsilon 0.3"}
    assert client.update_policy(wanted)["arguments"] == wanted["arguments"]
    assert client.get_policy()["arguments"] == wanted["arguments"]


def test_days_are_times_too(spare: Loop, connect: Connect, fresh: str) -> None:
    client = connect(spare)
    today = NOW.date()
    days = {"startTime": today - timedelta(days=1), "endTime": today + timedelta(days=2)}
    client.create_evaluation(fresh, evaluation(**days, policies=[], enableOfflineExperimentation=False))
    text = {"start_time": f"{today:%Y%m%dT%H%M%S}", "end_time": f"{days['endTime']:%Y%m%dT%H%M%S}"}
    reported = client.get_evaluation(fresh, **text)
    assert reported["startTime"] == f"{days['startTime']}T00:00:00+00:00"
    client.delete_evaluation(fresh)


def test_a_wrong_key_is_understood(loop: Loop, connect: Connect) -> None:
    with pytest.raises(ClientAuthenticationError) as caught:
        connect(replace(loop, key1="wrong")).get_policy()
    assert refusal(caught.value) == (401, "401")
