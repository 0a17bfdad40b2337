"""What engines are asked and taught about one decision, made when first needed and shared by all of them."""

from collections.abc import Callable, Sequence

from sartor.dsjson import single_slot
from sartor.errors import EngineRefused
from sartor.estimators.logged_choices import LoggedChoice
from sartor.inference import EngineQuery, query_of, query_probabilities
from sartor.ports import Engine
from sartor.records import LoggedDecision, Outcome

PredictThenLearn = Callable[[bytes, int], list[float]]
"""Takes a line and how many actions it holds; gives the probabilities from before the engine learned the line.

Nothing where they were no distribution; the line is learned all the same.
"""


class RowPredictions:
    """One decision as it was shown, and what came of it."""

    def __init__(self, shown: LoggedDecision, outcome: Outcome, rows: Sequence[LoggedChoice], /) -> None:
        self._shown = shown
        self._outcome = outcome
        self._rows = rows
        self._line = b""
        self._queries: dict[int, tuple[EngineQuery, bytes]] = {}
        self._taught: list[Engine] = []

    def predict(self, engine: Engine, place: int, /) -> list[float]:
        """An engine's probabilities for the actions of a row, from before it learns this decision.

        Raises:
            EngineRefused: it can't rank them.
        """
        if self._shown.decision.slots:
            return self._asked(engine, place)
        judge: PredictThenLearn | None = getattr(
            engine, "predict_then_learn", None
        )  # an engine need not have it; see ``learn.vw``
        if judge is not None:
            try:
                found = judge(self._lesson(), len(self._rows[0].ids))
            except EngineRefused:  # it may be able to rank what it can't learn
                return self._asked(engine, place)
            self._taught.append(engine)
            if not found:
                raise EngineRefused("The engine's answer is no distribution.")
            return found
        return self._asked(engine, place)

    def learn(self, engine: Engine, /) -> bool:
        """Let an engine learn this decision, unless it has; False where it can't."""
        if any(one is engine for one in self._taught):
            return True
        try:
            engine.learn(self._lesson())
        except EngineRefused:
            return False
        return True

    def _lesson(self) -> bytes:
        self._line = self._line or single_slot.encode_outcome_line(self._shown, self._outcome)
        return self._line

    def _asked(self, engine: Engine, place: int) -> list[float]:
        if place not in self._queries:
            query = query_of(self._shown.decision, slot=place)
            self._queries[place] = (query, query.encode())
        query, encoded = self._queries[place]
        return list(query_probabilities(engine, query, encoded=encoded))
