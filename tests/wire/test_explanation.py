"""The explanation of a rank in the previews, where the loop asks for it (contract, section 2.8)."""

from collections.abc import Iterator
from typing import Any

import pytest

from sartor.api.dataplane.ranking import explain_ranking
from sartor.api.routing import versions
from sartor.api.routing.versions import V1_0, V2022_09, Version
from sartor.dsjson.single_slot import encode_outcome_line
from sartor.learn.engines import create_engine
from sartor.management import loops
from sartor.ports import Engine
from sartor.records import LoggedDecision
from sartor.settings import VW_ARGUMENTS, LoopSettings
from sartor.testing.builders import make_outcome
from tests.unit.learn.training_loop import ENGINES
from tests.wire.harness import Service, articles
from tests.wire.test_versions import at

ON = LoopSettings(is_inference_explainability_enabled=True)


def experienced(arguments: str = VW_ARGUMENTS) -> Engine:
    """An engine that saw article-1 succeed, and nothing else."""
    teacher = Service()
    made = create_engine(arguments)
    for number in range(200):
        teacher.rank(articles(3, eventId=f"e{number}"))
    for logged in teacher.decisions():
        made.learn(_line(logged))
    teacher.close()
    return made


def _line(logged: LoggedDecision) -> bytes:
    return encode_outcome_line(logged, make_outcome(logged.seq, reward=float(logged.decision.chosen == 1)))


@pytest.fixture(scope="module", params=list(ENGINES.values()), ids=list(ENGINES))
def explaining(request: pytest.FixtureRequest) -> Iterator[Service]:
    made = Service(ranks_with=lambda: experienced(request.param), settings=ON)
    yield made
    made.close()


@pytest.mark.parametrize("version", versions.PREVIEWS, ids=lambda version: version.name)
def test_ranked_actions_are_explained_in_the_order_of_the_answer(explaining: Service, version: Version) -> None:
    body = articles(3, eventId="why", excludedActions=["article-2"])
    answer: Any = explaining.call("POST", at(version, "/rank"), body).json()
    assert list(answer) == ["ranking", "eventId", "rewardActionId", "inferenceExplanation"]
    reasons = answer["inferenceExplanation"]
    ranked = [action["id"] for action in answer["ranking"] if action["probability"] > 0]
    assert [reason["id"] for reason in reasons] == ranked
    for reason in reasons:
        assert all(list(feature) == ["name", "score"] for feature in reason["features"])
        sizes = [abs(feature["score"]) for feature in reason["features"]]
        assert sizes == sorted(sizes, reverse=True)


def test_the_feature_that_made_the_difference_speaks_for_the_action(explaining: Service) -> None:
    answer: Any = explaining.call("POST", at(V2022_09, "/rank"), articles(3)).json()
    reasons = {
        reason["id"]: {feature["name"]: feature["score"] for feature in reason["features"]}
        for reason in answer["inferenceExplanation"]
    }
    assert reasons["article-1"]["Action.topic"] > 0.01
    assert reasons["article-1"]["Action.topic"] > reasons["article-0"]["Action.topic"]


def test_the_first_version_has_no_explanations(explaining: Service) -> None:
    answer = explaining.call("POST", at(V1_0, "/rank"), articles(3)).json()
    assert list(answer) == ["ranking", "eventId", "rewardActionId"]


def test_explanations_change_nothing_else(explaining: Service) -> None:
    plain = explaining.call("POST", at(V1_0, "/rank"), articles(3, eventId="same")).json()
    answer = explaining.call("POST", at(V2022_09, "/rank"), articles(3, eventId="same")).json()
    assert {name: answer[name] for name in plain} == plain


def test_they_are_off_by_default_and_followed_when_turned_on(service: Service) -> None:
    path = at(V2022_09, "/rank")
    assert "inferenceExplanation" not in service.call("POST", path, articles(3)).json()
    loops.change_settings(service.stores, service.loop.name, {"isInferenceExplainabilityEnabled": True})
    service.follow()
    answer = service.call("POST", path, articles(3)).json()
    assert answer["inferenceExplanation"] == []  # there is no model whose reasons could be told


def test_a_large_request_is_explained_in_part(explaining: Service) -> None:
    many = articles(50, contextFeatures=[{f"f{n}": n for n in range(40)}])
    explaining.call("POST", at(V2022_09, "/rank"), many)
    decision = explaining.decisions()[-1].decision
    (served_loop,) = explaining.loop_table.all()
    reasons = explain_ranking(served_loop, V2022_09, decision)
    assert isinstance(reasons, list)
    assert len(reasons) == 50
    assert sum(len(reason.features) for reason in reasons) < 50 * 42
    assert reasons[0].features
