"""Chooses where the training of a loop starts: from the newest model, an imported one, or an empty engine.

A lineage is a sequence of models each of which learned a little more than the one before. Training resumes
the newest lineage of the loop's generation while learning settings and the revision of the log are those
that it learned; otherwise a new one starts.
"""

import logging
from collections.abc import Sequence

from msgspec import Struct

from sartor.errors import Corrupt, ModelNotFound
from sartor.log_search import first_outcome_since
from sartor.ports import Engine, EngineFactory, Loop, ModelRegistry, OutcomeCounts, OutcomeLog
from sartor.records import Model
from sartor.times import DAY_US

_log = logging.getLogger(__name__)

_RECENT = 100
"""How many models are looked at: far more than keep their bytes."""


class TrainingState(Struct, kw_only=True):
    """An engine in training, and what it learned: the next model of its lineage is made from it."""

    engine: Engine
    arguments: str
    generation: int
    revision: int
    base_id: str | None
    first_outcome: int
    last_outcome: int
    learned: int
    parent_id: str | None
    goal: int
    """The last outcome that it must have learned before it is published for the first time."""
    fresh: bool
    """Whether no model of its lineage was published yet."""
    unpublished: int = 0
    """How many outcomes it learned since it was published."""

    @property
    def ready(self) -> bool:
        """Whether there is something to publish."""
        return self.unpublished > 0 and self.last_outcome >= self.goal

    def fits(self, loop: Loop, /, *, arguments: str, revision: int) -> bool:
        """Whether it may go on: generation, learning settings and revision of the log are still the same."""
        return (self.generation, self.arguments, self.revision) == (loop.generation, arguments, revision)


class TrainingStart:
    """Starts or resumes the training of one loop, from its models and outcomes."""

    def __init__(self, outcomes: OutcomeLog, models: ModelRegistry, factory: EngineFactory, /) -> None:
        self._outcomes = outcomes
        self._models = models
        self._factory = factory

    def resume_or_start(self, loop: Loop, /, *, arguments: str, now_us: int) -> TrainingState:
        """Resume the newest lineage, or start a new one.

        Raises:
            InvalidPolicy: the arguments are not accepted.
            StoreUnavailable: the store can't be read.
        """
        counts = self._outcomes.counts()
        history = [m for m in self._models.history(limit=_RECENT) if m.generation == loop.generation]
        newest = history[0] if history else None
        if newest is None or newest.arguments != arguments:
            first = self._find_first_outcome(loop, counts, now_us, is_first=newest is None)
            return self._start(arguments, loop.generation, counts, first)
        if newest.revision != counts.revision:
            return self._start(arguments, loop.generation, counts, newest.first_outcome, newest.base_id)
        return self._resume([model for model in history if _is_of_lineage(model, newest)], counts)

    def _resume(self, lineage: Sequence[Model], counts: OutcomeCounts) -> TrainingState:
        """Resume from the newest model whose bytes can be read; without any, learn the lineage again."""
        newest = lineage[0]
        for model in lineage:
            engine = self._load(model.arguments, model.model_id)
            if engine is not None:
                return _to_state(model, engine, goal=newest.last_outcome)
        _log.warning(
            "No model of this lineage can be read; its outcomes are learned again.", extra={"action": "relearn"}
        )
        return self._start(newest.arguments, newest.generation, counts, newest.first_outcome, newest.base_id)

    def _start(
        self,
        arguments: str,
        generation: int,
        counts: OutcomeCounts,
        first_outcome: int,
        base_id: str | None = None,
    ) -> TrainingState:
        """Start a lineage with an outcome, or with the first after it that retention left."""
        first = max(first_outcome, counts.first_outcome)
        base = None if base_id is None else self._load(arguments, base_id)
        return TrainingState(
            engine=base or self._factory(arguments),
            arguments=arguments,
            generation=generation,
            revision=counts.revision,
            base_id=base_id if base is not None else None,
            first_outcome=first,
            last_outcome=first - 1,
            learned=0,
            parent_id=base_id if base is not None else None,
            goal=counts.last_outcome,
            fresh=True,
        )

    def _load(self, arguments: str, model_id: str) -> Engine | None:
        try:
            return self._factory(arguments, self._models.blob(model_id))
        except (ModelNotFound, Corrupt) as error:
            _log.warning("Model %s can't be resumed: %s", model_id, error, extra={"action": "resume"})
            return None

    def _find_first_outcome(self, loop: Loop, counts: OutcomeCounts, now_us: int, *, is_first: bool) -> int:
        """The first outcome that an empty engine learns. ``is_first``: the generation has no model yet."""
        floor = loop.first_outcome or 1
        if is_first and (loop.first_outcome is not None or loop.generation == 1):
            return floor
        days = loop.settings.model_retrain_days
        following = counts.last_outcome + 1
        since = first_outcome_since(self._outcomes, now_us - days * DAY_US) if days else following
        return max(floor, since)


def _is_of_lineage(model: Model, newest: Model) -> bool:
    return _lineage_key(model) == _lineage_key(newest)


def _lineage_key(model: Model) -> tuple[str, int, str | None, int]:
    return model.arguments, model.first_outcome, model.base_id, model.revision


def _to_state(model: Model, engine: Engine, *, goal: int) -> TrainingState:
    return TrainingState(
        engine=engine,
        arguments=model.arguments,
        generation=model.generation,
        revision=model.revision,
        base_id=model.base_id,
        first_outcome=model.first_outcome,
        last_outcome=model.last_outcome,
        learned=model.learned,
        parent_id=model.model_id,
        goal=goal,
        fresh=False,
    )
