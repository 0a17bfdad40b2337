"""What engines are asked: once, and taught once, whatever they can do."""

import pytest

from sartor.errors import EngineRefused
from sartor.estimators.logged_choices import deeds
from sartor.evaluation.row_predictions import Asked
from sartor.records import LoggedDecision
from sartor.testing.builders import make_decision, make_outcome
from sartor.testing.engines import SingleSlot


class Judging(SingleSlot):
    """An engine that judges, in one of three ways."""

    def __init__(self, *, answer: list[float] | None) -> None:
        self.calls: list[str] = []
        self._answer = answer

    def judge(self, line: bytes, actions: int, /) -> list[float]:
        self.calls.append("judge")
        if self._answer is None:
            raise EngineRefused("can't learn it")
        return self._answer

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        self.calls.append("probabilities")
        return [1.0 / actions] * actions

    def learn(self, line: bytes, /) -> None:
        self.calls.append("learn")
        if self._answer is None:
            raise EngineRefused("can't learn it")

    def dump(self) -> bytes:
        return b""

    def close(self) -> None:
        return


def asked() -> Asked:
    decision, outcome = make_decision(actions=2), make_outcome()
    return Asked(LoggedDecision(1, 1, decision), outcome, deeds(decision, outcome))


def test_an_engine_that_judges_is_taught_by_that() -> None:
    one, engine = asked(), Judging(answer=[0.25, 0.75])
    assert one.odds(engine, 0) == [0.25, 0.75]
    assert one.learned(engine)
    assert engine.calls == ["judge"]


def test_what_can_not_be_learned_may_still_be_ranked() -> None:
    one, engine = asked(), Judging(answer=None)
    assert one.odds(engine, 0) == [0.5, 0.5]
    assert not one.learned(engine)
    assert engine.calls == ["judge", "probabilities", "learn"]


def test_an_answer_that_is_no_distribution_is_refused_and_nothing_learned_twice() -> None:
    one, engine = asked(), Judging(answer=[])
    with pytest.raises(EngineRefused):
        one.odds(engine, 0)
    assert one.learned(engine)
    assert engine.calls == ["judge"]
