"""What each learning mode answers, and what it records (contract, section 2.6)."""

from collections.abc import Iterator
from typing import Any

import pytest

from sartor.learn.vw import create_engine
from sartor.management import loops
from sartor.settings import VW_ARGUMENTS, LearningMode, LoopSettings
from tests.wire.harness import Service, articles


def in_mode(mode: LearningMode, *, model: bool = True) -> Service:
    return Service(
        ranks_with=(lambda: create_engine(VW_ARGUMENTS)) if model else None,
        settings=LoopSettings(learning_mode=mode),
    )


@pytest.fixture(params=["Apprentice", "LoggingOnly"])
def quiet(request: pytest.FixtureRequest) -> Iterator[Service]:
    """A loop in a mode in which the caller's own order is answered."""
    made = in_mode(request.param)
    yield made
    made.close()


def test_the_caller_gets_its_own_order(quiet: Service) -> None:
    for number in range(20):
        answer: Any = quiet.rank(articles(4, eventId=f"e{number}")).json()
        assert [action["id"] for action in answer["ranking"]] == [f"article-{n}" for n in range(4)]
        assert answer["rewardActionId"] == "article-0"
        assert sum(action["probability"] for action in answer["ranking"]) == pytest.approx(1)
        assert all(0 < action["probability"] < 1 for action in answer["ranking"])


def test_the_first_action_that_is_not_excluded_is_the_callers_choice(quiet: Service) -> None:
    answer: Any = quiet.rank(articles(4, excludedActions=["article-0", "article-2"])).json()
    assert [action["id"] for action in answer["ranking"]] == [f"article-{n}" for n in range(4)]
    assert answer["rewardActionId"] == "article-1"
    assert [action["probability"] > 0 for action in answer["ranking"]] == [False, True, False, True]


def test_apprentice_records_the_draw_of_the_model() -> None:
    service = in_mode("Apprentice")
    for number in range(40):
        service.rank(articles(4, eventId=f"e{number}"))
    decisions = [logged.decision for logged in service.decisions()]
    assert {decision.mode for decision in decisions} == {"Apprentice"}
    assert len({decision.chosen for decision in decisions}) > 1
    assert all(decision.model_id == "model-1" for decision in decisions)
    service.close()


def test_logging_only_records_what_was_done() -> None:
    service = in_mode("LoggingOnly")
    service.rank(articles(3, excludedActions=["article-0"]))
    decision = service.decisions()[0].decision
    assert (decision.mode, decision.chosen, decision.probabilities) == ("LoggingOnly", 1, (0.0, 1.0, 0.0))
    service.close()


@pytest.mark.parametrize("mode", ["Apprentice", "LoggingOnly"])
def test_before_there_is_a_model_all_actions_are_alike(mode: LearningMode) -> None:
    service = in_mode(mode, model=False)
    answer: Any = service.rank(articles(4)).json()
    assert [action["probability"] for action in answer["ranking"]] == [0.25] * 4
    assert answer["rewardActionId"] == "article-0"
    service.close()


def test_a_change_of_mode_is_followed() -> None:
    service = in_mode("Online")
    first = [str(service.rank(articles(4, eventId=f"e{n}")).json()["rewardActionId"]) for n in range(20)]
    assert len(set(first)) > 1
    loops.change_settings(service.stores, service.loop.name, {"learningMode": "Apprentice"})
    service.follow()
    then = [str(service.rank(articles(4, eventId=f"e{n}")).json()["rewardActionId"]) for n in range(20)]
    assert set(then) == {"article-0"}
    service.close()
