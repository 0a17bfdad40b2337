"""Taking over a policy of an evaluation on the wire (contract, section 1.6)."""

import pytest

from sartor.api.routing.versions import PREVIEW_1, PREVIEWS, V1_0, V2022_09, Version
from tests.wire.harness import Reply
from tests.wire.taught import FACTORY, Taught
from tests.wire.test_evaluations import POLICY, ask, contract, finish, scored
from tests.wire.test_evaluations import taught as taught
from tests.wire.test_versions import at


def apply(service: Taught, version: Version, name: str = "mine", evaluation: str = "one") -> Reply:
    return service.call(
        "POST",
        at(version, "/configurations/applyFromEvaluation"),
        {"evaluationId": evaluation, "policyName": name},
    )


@pytest.mark.parametrize("version", PREVIEWS, ids=lambda version: version.name)
def test_a_policy_of_an_evaluation_is_applied(taught: Taught, version: Version) -> None:
    ask(taught, V2022_09, contract(policies=[POLICY]))
    engine = FACTORY(POLICY["arguments"])
    taught.logs.blobs.put("evaluation-1-0", engine.dump())
    engine.close()
    finish(taught, scored(model="evaluation-1-0"))
    reply = apply(taught, version)
    assert (reply.status, reply.body) == (204, b"")
    policy = taught.call("GET", at(version, "/configurations/policy")).json()
    assert (policy["name"], str(policy["arguments"]).split()[0]) == ("mine", "--cb_explore_adf")
    live = taught.logs.models.live()
    assert live is not None
    assert live.base_id == live.model_id
    assert live.arguments == POLICY["arguments"]


@pytest.mark.parametrize("version", PREVIEWS, ids=lambda version: version.name)
def test_what_can_not_be_applied_has_its_code(taught: Taught, version: Version) -> None:
    assert (apply(taught, version).status, apply(taught, version).code) == (404, "EvaluationNotFound")
    ask(taught, V2022_09, contract())
    assert (apply(taught, version).status, apply(taught, version).code) == (400, "InvalidEvaluationContract")
    finish(taught, scored())
    assert (apply(taught, version).status, apply(taught, version).code) == (404, "EvaluationModelNotFound")
    missing = apply(taught, version, "another")
    assert (missing.status, missing.code) == (404, "LearningSettingsNotFound")


@pytest.mark.parametrize("body", [{}, {"evaluationId": "one"}, {"evaluationId": 1, "policyName": "mine"}, []])
def test_a_reference_must_name_both(taught: Taught, body: object) -> None:
    reply = taught.call("POST", at(PREVIEW_1, "/configurations/applyFromEvaluation"), body)
    assert (reply.status, reply.code) == (400, "InvalidPolicyContract")


def test_the_first_version_applies_nothing(taught: Taught) -> None:
    assert apply(taught, V1_0).status == 404
