"""Every operation of azure-ai-personalizer, the official Python client of 2022-09-01-preview, in both kinds."""

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

import pytest
from azure.ai import personalizer
from azure.ai.personalizer import aio
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from sartor.ports import Loop
from sartor.settings import DEFAULT_ARGUMENTS
from tests.acceptance.service import eventually
from tests.wire.clients import bodies, page, preview
from tests.wire.clients.bodies import BEGIN, END, POLICY, evaluation, importance
from tests.wire.clients.instance import Instance
from tests.wire.clients.preview import Connect, Pieces, refusal
from tests.wire.clients.record import Record

CLIENT = "azure-ai-personalizer"
BASICS = {"close", "send_request"}
FRAME = {"start_time": BEGIN, "end_time": END}
FINISHED = "finished/1 é"
ENDED = {"Succeeded", "Failed", "Timeout", "Canceled"}


@pytest.fixture(scope="module", autouse=True)
def started(instance: Instance, taught: Loop) -> Iterator[preview.Synchronous]:
    """Jobs, computed while other tests run: an evaluation with a policy for each kind, and importances."""
    client = preview.Synchronous(instance.endpoint, taught.key1, Record(CLIENT))
    policies = [{**POLICY, "name": kind} for kind in preview.KINDS]
    client.create_evaluation(FINISHED, evaluation(policies=policies))
    client.create_feature_importance(FINISHED, importance())
    yield client
    client.close()


@pytest.fixture(scope="module")
def finished(started: preview.Synchronous) -> str:
    """The id of the evaluation and of the feature importance, which ended."""
    evaluated = partial(started.get_evaluation, FINISHED, **FRAME)
    weighed = partial(started.get_feature_importance, FINISHED)
    for returned in (evaluated, weighed):
        eventually(partial(has_ended, returned), "the end of the jobs", within_s=30)
    return FINISHED


def has_ended(returned: Callable[[], Any]) -> bool:
    return returned()["status"] in ENDED


@pytest.mark.parametrize("module", [personalizer, aio])
def test_the_page_lists_what_the_client_has(module: Any) -> None:
    has = {name for kind in preview.CLASSES for name in page.methods(getattr(module, kind))} - BASICS
    assert version(CLIENT) == page.client(CLIENT).version
    assert has == set(page.client(CLIENT).rows)
    assert {page.test_of(operation) for operation in has} <= set(globals())


def test_rank(instance: Instance, loop: Loop, connect: Connect, fresh: str) -> None:
    answer = connect(loop).rank(bodies.ranked(fresh))
    assert answer["eventId"] == fresh
    assert answer["ranking"][0] == {"id": "pasta", "probability": 0.0}
    assert [one["probability"] for one in answer["ranking"][1:]] == [0.5, 0.5]
    logged = instance.decisions(loop, fresh)[-1].decision
    assert logged.actions[logged.chosen].id == answer["rewardActionId"]


def test_reward(instance: Instance, loop: Loop, connect: Connect, fresh: str) -> None:
    assert connect(loop).reward(fresh, {"value": 0.25}) is None
    assert instance.observations(loop, fresh) == [(None, 0.25)]


def test_activate(instance: Instance, loop: Loop, connect: Connect, fresh: str) -> None:
    assert connect(loop).activate(fresh) is None
    assert instance.observations(loop, fresh) == [(None, None)]


def test_rank_multi_slot(instance: Instance, slots: Loop, connect: Connect, fresh: str) -> None:
    answer = connect(slots).rank_multi_slot(bodies.two_slots(fresh))
    assert answer["eventId"] == fresh
    assert [slot["id"] for slot in answer["slots"]] == ["top", "side"]
    chosen = [slot["rewardActionId"] for slot in answer["slots"]]
    assert len(set(chosen)) == 2
    assert chosen[1] != "ice"
    logged = instance.decisions(slots, fresh)[-1].decision
    assert [logged.actions[slot.chosen].id for slot in logged.slots] == chosen


def test_reward_multi_slot(instance: Instance, slots: Loop, connect: Connect, fresh: str) -> None:
    assert connect(slots).reward_multi_slot(fresh, {"reward": bodies.REWARDS}) is None
    assert instance.observations(slots, fresh) == [("top", 1.0), ("side", -0.5)]


def test_activate_multi_slot(instance: Instance, slots: Loop, connect: Connect, fresh: str) -> None:
    assert connect(slots).activate_multi_slot(fresh) is None
    assert instance.observations(slots, fresh) == [(None, None)]


def test_export_model(taught: Loop, connect: Connect) -> None:
    bare = connect(taught).export_model()
    ours = connect(taught).get_policy()["arguments"].startswith("--sartor")
    name = "model.sartor" if ours else "model.vw"
    with zipfile.ZipFile(io.BytesIO(connect(taught).export_model(signed=True))) as archive:
        assert set(archive.namelist()) == {name, "signer.der", "sha512_signature.bin"}
        assert archive.read(name) == bare
    assert bare.startswith(b"sartor") or b"--cb_explore_adf" in bare


def test_import_model(instance: Instance, spare: Loop, connect: Connect) -> None:
    client = connect(spare)
    bare, signed = client.export_model(), client.export_model(signed=True)
    before = instance.now(spare).generation
    assert client.import_model(io.BytesIO(signed)) is None
    assert client.import_model(Pieces(signed[:500], signed[500:])) is None
    assert instance.now(spare).generation == before + 2
    assert client.export_model() == bare


def test_reset_model(spare: Loop, connect: Connect) -> None:
    client = connect(spare)
    assert client.reset_model() is None
    assert client.get_model_properties()["creationTime"] == "0001-01-01T00:00:00+00:00"
    with pytest.raises(ResourceNotFoundError):
        client.export_model()


def test_get_model_properties(taught: Loop, connect: Connect) -> None:
    returned = connect(taught).get_model_properties()
    made, renewed = (datetime.fromisoformat(returned[name]) for name in ("creationTime", "lastModifiedTime"))
    assert BEGIN < made <= renewed < END


def test_get_log_properties(taught: Loop, connect: Connect) -> None:
    returned = connect(taught).get_log_properties()["dateRange"]
    first, last = (datetime.fromisoformat(returned[name]) for name in ("from", "to"))
    assert BEGIN < first <= last < END


def test_delete_logs(spare: Loop, connect: Connect) -> None:
    client = connect(spare)
    assert client.delete_logs() is None
    assert client.get_log_properties() == {}
    assert client.export_model()


def test_get_policy(loop: Loop, connect: Connect) -> None:
    assert connect(loop).get_policy() == {"name": loop.loop_id, "arguments": DEFAULT_ARGUMENTS}


def test_update_policy(blank: Loop, connect: Connect) -> None:
    client = connect(blank)
    assert client.update_policy(POLICY) == POLICY
    assert client.get_policy() == POLICY


def test_reset_policy(blank: Loop, connect: Connect) -> None:
    client = connect(blank)
    client.update_policy(POLICY)
    assert client.reset_policy() == {"name": blank.loop_id, "arguments": DEFAULT_ARGUMENTS}
    assert client.get_policy()["arguments"] == DEFAULT_ARGUMENTS


def test_get_service_configuration(loop: Loop, connect: Connect) -> None:
    returned = connect(loop).get_service_configuration()
    assert returned["rewardWaitTime"] == "PT10M"
    assert returned["learningMode"] == "Online"
    assert returned["modelRetrainDays"] == 2
    assert datetime.fromisoformat(returned["lastConfigurationEditDate"]).tzinfo is None


def test_update_service_configuration(blank: Loop, connect: Connect) -> None:
    client = connect(blank)
    returned = client.get_service_configuration()
    wanted = {
        **returned,
        "rewardWaitTime": timedelta(hours=4),  # the client writes it out
        "rewardAggregation": "sum",
        "explorationPercentage": 0.3,
        "modelExportFrequency": "PT15M",
        "logRetentionDays": -1,
    }
    answer = client.update_service_configuration(wanted)
    edited = {"lastConfigurationEditDate": answer["lastConfigurationEditDate"]}
    assert answer == {**wanted, "rewardWaitTime": "PT4H", **edited}
    assert client.get_service_configuration() == answer


def test_apply_from_evaluation(
    instance: Instance, taught: Loop, connect: Connect, kind: str, finished: str
) -> None:
    client = connect(taught)
    before = instance.now(taught).generation
    assert client.apply_from_evaluation({"evaluationId": finished, "policyName": kind}) is None
    assert client.get_policy() == {**POLICY, "name": kind}
    assert instance.now(taught).generation == before + 1


def test_create_evaluation(taught: Loop, connect: Connect, fresh: str) -> None:
    client = connect(taught)
    assert client.create_evaluation(fresh, evaluation()) is None
    with pytest.raises(HttpResponseError) as caught:
        client.create_evaluation(fresh, evaluation())
    assert refusal(caught.value) == (400, "EvaluationAlreadyExists")
    client.delete_evaluation(fresh)


def test_get_evaluation(taught: Loop, connect: Connect, kind: str, finished: str) -> None:
    returned = connect(taught).get_evaluation(finished, **FRAME, interval_in_minutes=60, window="Rolling")
    assert (returned["id"], returned["name"], returned["status"]) == (finished, "tried", "Succeeded")
    assert returned["evaluationType"] == "Manual"
    policies = {policy["name"]: policy for policy in returned["content"]["value"]}
    assert {"Online", "Baseline", "Random", "Custom"} <= {one["policySource"] for one in policies.values()}
    low, high = policies[kind]["summary"]["confidenceInterval"]
    assert low <= policies[kind]["summary"]["expectedReward"] <= high
    assert policies[kind]["timeseries"]["data"]


def test_list_evaluations(taught: Loop, connect: Connect, finished: str, fresh: str) -> None:
    client = connect(taught)
    client.create_evaluation(fresh, evaluation())
    listed = [one["id"] for one in client.list_evaluations(params={"maxpagesize": 1})]
    assert listed[0] == fresh
    assert finished in listed
    manual = client.list_evaluations(filter_expression="evaluationType eq 'Manual'", top=1, skip=1)
    assert [one["id"] for one in manual] == listed[1:2]
    assert client.list_evaluations(filter_expression="evaluationType eq 'Auto'") == []
    client.delete_evaluation(fresh)


def test_delete_evaluation(taught: Loop, connect: Connect, fresh: str) -> None:
    client = connect(taught)
    client.create_evaluation(fresh, evaluation())
    assert client.delete_evaluation(fresh) is None
    with pytest.raises(ResourceNotFoundError) as caught:
        client.get_evaluation(fresh, **FRAME)
    assert refusal(caught.value) == (404, "EvaluationNotFound")


def test_create_feature_importance(taught: Loop, connect: Connect, fresh: str) -> None:
    client = connect(taught)
    assert client.create_feature_importance(fresh, importance()) is None
    with pytest.raises(HttpResponseError) as caught:
        client.create_feature_importance(fresh, importance())
    assert refusal(caught.value) == (400, "FeatureImportanceAlreadyExists")
    client.delete_feature_importance(fresh)


def test_get_feature_importance(taught: Loop, connect: Connect, finished: str) -> None:
    returned = connect(taught).get_feature_importance(finished)
    assert (returned["status"], returned.get("description")) == ("Succeeded", None)
    assert (returned["id"], returned["name"]) == (finished, "weighed")
    scores = [one["score"] for one in returned["featureScores"]]
    assert scores == sorted(scores, reverse=True)
    assert {"namespace", "featureName", "score"} == set(returned["featureScores"][0])


def test_list_feature_importances(taught: Loop, connect: Connect, finished: str, fresh: str) -> None:
    client = connect(taught)
    client.create_feature_importance(fresh, importance())
    listed = [one["id"] for one in client.list_feature_importances(params={"maxpagesize": 1})]
    assert listed[0] == fresh
    assert finished in listed
    assert [one["id"] for one in client.list_feature_importances(top=1, skip=1)] == listed[1:2]
    client.delete_feature_importance(fresh)


def test_delete_feature_importance(taught: Loop, connect: Connect, fresh: str) -> None:
    client = connect(taught)
    client.create_feature_importance(fresh, importance())
    assert client.delete_feature_importance(fresh) is None
    with pytest.raises(ResourceNotFoundError) as caught:
        client.get_feature_importance(fresh)
    assert refusal(caught.value) == (404, "FeatureImportanceNotFound")
