"""What engines are asked and taught about one decision, made when first needed and shared by all of them."""

from collections.abc import Callable, Sequence

from sartor import dsjson, dsjson_slots
from sartor.errors import EngineRefused
from sartor.evaluate.deeds import Deed
from sartor.ports import Engine
from sartor.records import LoggedDecision, Outcome

Judge = Callable[[bytes, int], list[float]]
"""Takes a line and how many actions it holds; gives the odds from before the engine learned the line.

Nothing where they were no distribution; the line is learned all the same.
"""


class Asked:
    """One decision as it was shown, and what came of it."""

    def __init__(self, shown: LoggedDecision, outcome: Outcome, rows: Sequence[Deed], /) -> None:
        self._shown = shown
        self._outcome = outcome
        self._rows = rows
        self._context = b""
        self._line = b""
        self._questions: dict[int, tuple[bytes, list[int]]] = {}
        self._taught: list[Engine] = []

    def odds(self, engine: Engine, place: int, /) -> list[float]:
        """An engine's odds for the actions of a row, from before it learns this decision.

        Raises:
            EngineRefused: it can't rank them.
        """
        if self._shown.decision.slots:
            question, offered = self._question(place)
            count = len(self._shown.decision.actions)
            return engine.slot_probabilities(question, count, slots=place + 1, offered=offered)
        count = len(self._rows[0].ids)
        judge: Judge | None = getattr(engine, "judge", None)  # an engine need not have it; see ``learn.vw``
        if judge is not None:
            try:
                found = judge(self._lesson(), count)
            except EngineRefused:  # it may be able to rank what it can't learn
                return engine.probabilities(self._request(), count)
            self._taught.append(engine)
            if not found:
                raise EngineRefused("The engine's answer is no distribution.")
            return found
        return engine.probabilities(self._request(), count)

    def learned(self, engine: Engine, /) -> bool:
        """Let an engine learn this decision, unless it has; False where it can't."""
        if any(one is engine for one in self._taught):
            return True
        try:
            engine.learn(self._lesson())
        except EngineRefused:
            return False
        return True

    def _lesson(self) -> bytes:
        self._line = self._line or dsjson.outcome_line(self._shown, self._outcome)
        return self._line

    def _request(self) -> bytes:
        decision = self._shown.decision
        self._context = self._context or dsjson.rankable_context(decision, decision.rankable)
        return self._context

    def _question(self, place: int) -> tuple[bytes, list[int]]:
        if place not in self._questions:
            shown = self._shown.decision
            self._context = self._context or dsjson.context(shown.context, shown.actions)
            taken = [slot.chosen for slot in shown.slots[:place]]
            slot = shown.slots[place]
            offered = [i for i in range(len(shown.actions)) if i not in taken and i not in slot.excluded]
            question = dsjson_slots.question(self._context, slot.features, taken=taken, offered=offered)
            self._questions[place] = (question, offered)
        return self._questions[place]
