"""Over HTTP: the answer and the record of a loop with a control group are those of the mixture."""

from collections.abc import Iterator
from typing import Any

import pytest

from sartor.api.routing.versions import PREVIEW_3, Version
from sartor.explore.recompute import recompute_decision
from sartor.learn.vw import create_engine
from sartor.mixture import control_shares, policy_probabilities
from sartor.ranking import one_hot
from sartor.settings import AZURE_ARGUMENTS, LoopSettings
from sartor.testing.fakes import SingleSlot
from tests.wire.harness import Service, articles
from tests.wire.test_multislot import page
from tests.wire.test_versions import EACH, at

SEVERAL = AZURE_ARGUMENTS.replace("--cb_", "--ccb_", 1)
RULES = LoopSettings(control_share=0.25, control_feature="user.id", exploration_floor=0.3)
"""The floor is below 1/3, so it shows with a model only."""


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service(settings=RULES)
    yield made
    made.close()


def rank(service: Service, number: int, *, user: int | None = None) -> dict[str, Any]:
    context = [{"hour": 9}, *([] if user is None else [{"user": {"id": user}}])]
    reply = service.rank(articles(eventId=f"e{number}", contextFeatures=context))
    assert reply.status == 201
    return reply.json()


def test_the_answer_holds_the_probabilities_of_the_mixture(service: Service) -> None:
    answers = [rank(service, number) for number in range(60)]
    for answer in answers:
        odds = {one["id"]: one["probability"] for one in answer["ranking"]}
        assert odds == pytest.approx({"article-0": 0.5, "article-1": 0.25, "article-2": 0.25})
    assert len({answer["rewardActionId"] for answer in answers}) == 3
    records = [logged.decision for logged in service.decisions()]
    assert any(one.in_control for one in records)
    assert all(policy_probabilities(one) == pytest.approx([1 / 3] * 3) for one in records)


def test_a_user_is_in_the_control_group_for_good(service: Service) -> None:
    for number in range(90):
        rank(service, number, user=number % 30)
    records = [logged.decision for logged in service.decisions()]
    groups = [one.in_control for one in records]
    assert groups == groups[:30] * 3
    assert 0 < sum(groups[:30]) < 30
    assert {one.chosen for one in records if one.in_control} == {0}
    assert {one.control_feature for one in records} == {"user.id"}


def test_the_floor_is_under_what_the_model_gives() -> None:
    class Certain(SingleSlot):
        def probabilities(self, context: bytes, actions: int, /) -> list[float]:
            return one_hot(1, actions)

        def close(self) -> None:
            return

    service = Service(ranks_with=Certain, settings=LoopSettings(exploration_floor=0.3))  # type: ignore[arg-type]
    odds = {one["id"]: one["probability"] for one in rank(service, 1)["ranking"]}
    assert odds == pytest.approx({"article-0": 0.1, "article-1": 0.8, "article-2": 0.1})
    service.close()


def test_several_slots_are_answered_together_and_recomputed() -> None:
    service = Service(ranks_with=lambda: create_engine(SEVERAL), arguments=SEVERAL, settings=RULES)
    for number in range(60):
        body = page(4, 2, eventId=f"e{number}", contextFeatures=[{"user": {"id": number}}])
        assert service.call("POST", at(PREVIEW_3, "/multislot/rank"), body).status == 201
    records = [logged.decision for logged in service.decisions()]
    assert any(one.in_control for one in records)
    for one in records:
        baselines = [slot.chosen == slot.baseline for slot in one.slots]
        assert all(baselines) or not one.in_control
        assert control_shares(one)[0] == 0.25
        assert bool(control_shares(one)[1]) is baselines[0]
        engine = create_engine(SEVERAL)
        assert recompute_decision(one, engine, loop_id=service.loop.loop_id) == one
    service.close()


@EACH
def test_the_configuration_of_the_retired_service_neither_shows_nor_changes_it(
    service: Service, version: Version
) -> None:
    path = at(version, "/configurations/service")
    before = service.call("GET", path).json()
    assert not {"controlShare", "controlFeature", "explorationFloor"} & set(before)
    changed = service.call("PUT", path, before | {"defaultReward": 0.5})
    assert changed.status == 200
    settings = service.follow().settings
    assert (settings.default_reward, settings.mixture_rules) == (0.5, RULES.mixture_rules)
