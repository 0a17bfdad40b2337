"""The predictions of several engines for one settled decision; each engine learns it once, afterwards."""

from collections.abc import Callable, Sequence

from sartor.dsjson import single_slot
from sartor.errors import EngineRefused
from sartor.estimators.logged_choices import LoggedChoice
from sartor.inference import EngineQuery, query_of, query_probabilities
from sartor.ports import Engine
from sartor.records import LoggedDecision, Outcome

PredictThenLearn = Callable[[bytes, int], list[float]]
"""Takes a line and how many actions it holds; returns the probabilities from before the engine learned it.

Empty where they were no distribution; the line is learned all the same.
"""


class RowPredictions:
    """One decision as it was shown, with its outcome; queries and line are encoded once, when needed."""

    def __init__(self, shown: LoggedDecision, outcome: Outcome, choices: Sequence[LoggedChoice], /) -> None:
        self._shown = shown
        self._outcome = outcome
        self._choices = choices
        self._line = b""
        self._queries: dict[int, tuple[EngineQuery, bytes]] = {}
        self._learned_by: list[Engine] = []

    def predict(self, engine: Engine, slot: int, /) -> list[float]:
        """Returns an engine's probabilities for the actions of a slot, from before it learns this decision.

        Raises:
            EngineRefused: it can't rank them.
        """
        if self._shown.decision.slots:
            return self._query(engine, slot)
        predict_then_learn: PredictThenLearn | None = getattr(
            engine, "predict_then_learn", None
        )  # optional for engines; see ``learn.vw``
        if predict_then_learn is None:
            return self._query(engine, slot)
        try:
            probabilities = predict_then_learn(self._encode_line(), len(self._choices[0].ids))
        except EngineRefused:  # it may be able to rank what it can't learn
            return self._query(engine, slot)
        self._learned_by.append(engine)
        if not probabilities:
            raise EngineRefused("The engine's answer is no distribution.")
        return probabilities

    def learn(self, engine: Engine, /) -> bool:
        """Lets an engine learn this decision, unless it has; returns False where it can't."""
        if any(one is engine for one in self._learned_by):
            return True
        try:
            engine.learn(self._encode_line())
        except EngineRefused:
            return False
        return True

    def _encode_line(self) -> bytes:
        self._line = self._line or single_slot.encode_outcome_line(self._shown, self._outcome)
        return self._line

    def _query(self, engine: Engine, slot: int) -> list[float]:
        if slot not in self._queries:
            query = query_of(self._shown.decision, slot=slot)
            self._queries[slot] = (query, query.encode())
        query, encoded = self._queries[slot]
        return list(query_probabilities(engine, query, encoded=encoded))
