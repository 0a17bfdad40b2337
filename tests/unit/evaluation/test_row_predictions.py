"""Each engine predicts a decision once and learns it once, whichever calls it has."""

import pytest

from sartor.errors import EngineRefused
from sartor.estimators.logged_choices import logged_choices
from sartor.evaluation.row_predictions import RowPredictions
from sartor.records import LoggedDecision
from sartor.testing.builders import make_decision, make_outcome
from sartor.testing.fakes import SingleSlot


class PredictingThenLearning(SingleSlot):
    """An engine that predicts and learns in one call, in one of three ways."""

    def __init__(self, *, answer: list[float] | None) -> None:
        self.calls: list[str] = []
        self._answer = answer

    def predict_then_learn(self, line: bytes, actions: int, /) -> list[float]:
        self.calls.append("predict_then_learn")
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


def make_predictions() -> RowPredictions:
    decision, outcome = make_decision(actions=2), make_outcome()
    return RowPredictions(LoggedDecision(1, 1, decision), outcome, logged_choices(decision, outcome))


def test_an_engine_that_predicts_then_learns_is_called_once() -> None:
    predictions, engine = make_predictions(), PredictingThenLearning(answer=[0.25, 0.75])
    assert predictions.predict(engine, 0) == [0.25, 0.75]
    assert predictions.learn(engine)
    assert engine.calls == ["predict_then_learn"]


def test_what_can_not_be_learned_may_still_be_ranked() -> None:
    predictions, engine = make_predictions(), PredictingThenLearning(answer=None)
    assert predictions.predict(engine, 0) == [0.5, 0.5]
    assert not predictions.learn(engine)
    assert engine.calls == ["predict_then_learn", "probabilities", "learn"]


def test_an_answer_that_is_no_distribution_is_refused_and_nothing_learned_twice() -> None:
    predictions, engine = make_predictions(), PredictingThenLearning(answer=[])
    with pytest.raises(EngineRefused):
        predictions.predict(engine, 0)
    assert predictions.learn(engine)
    assert engine.calls == ["predict_then_learn"]
