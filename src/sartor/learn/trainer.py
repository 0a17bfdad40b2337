"""Learning exactly: every outcome once, in order, through any crash.

A published model names the outcomes that are in it, and model and numbers are written together. So the
trainer keeps no other state: after a crash it loads the newest model and goes on with the next outcome.
"""

import logging
from collections import deque
from collections.abc import Iterator
from datetime import timedelta

from msgspec import Struct

from sartor import dsjson
from sartor.errors import Corrupt, EngineRefused, ModelNotFound
from sartor.learn.lessons import Lesson, lessons
from sartor.learn.policy import with_exploration
from sartor.ports import Engine, EngineFactory, EventLog, Loop, ModelRegistry, OutcomeLog
from sartor.records import LoggedDecision, Model

_log = logging.getLogger(__name__)

_WITNESSES = 8
_DAY_US = 86_400_000_000


class _Pupil(Struct, kw_only=True):
    """An engine in training and what is in it: the makings of the next model of its lineage."""

    engine: Engine
    arguments: str
    first_outcome: int
    last_outcome: int
    learned: int
    parent_id: str | None
    goal: int
    """The last outcome that must be in it before it is published for the first time."""
    unpublished: int = 0
    """How many outcomes were learned since it was published."""

    @property
    def ready(self) -> bool:
        """Whether there is something to publish."""
        return self.unpublished > 0 and self.last_outcome >= self.goal


class Trainer:
    """Learns the outcomes of one loop and publishes models. One for each loop, in one process."""

    def __init__(
        self, events: EventLog, outcomes: OutcomeLog, models: ModelRegistry, factory: EngineFactory, /
    ) -> None:
        self._events = events
        self._outcomes = outcomes
        self._models = models
        self._factory = factory
        self._pupil: _Pupil | None = None
        self._newest: Model | None = None
        self._witnesses: deque[LoggedDecision] = deque(maxlen=_WITNESSES)
        self.problem: str | None = None
        """Why no model is published although there is something new; None: all is well."""

    def step(self, loop: Loop, /, *, now_us: int, limit: int = 5_000) -> int:
        """Learn what was settled since, and publish a model when one is due.

        Settings and learning settings are taken from ``loop`` at each step. New learning settings start an
        empty engine, which learns the outcomes of the last ``modelRetrainDays`` and is published when it
        has caught up.

        Args:
            loop: the loop as it is now.
            now_us: the time now.
            limit: how many outcomes are read at most.

        Returns:
            How many outcomes were learned.

        Raises:
            InvalidPolicy: the loop's learning settings are not accepted.
            Corrupt: an outcome settles a decision that is not in the log.
            StoreUnavailable: nothing is lost; the next step goes on where this one stopped.
        """
        pupil = self._enrolled(loop, now_us)
        before = pupil.learned
        for lesson in lessons(self._events, self._outcomes, after=pupil.last_outcome, limit=limit):
            self._teach(pupil, lesson)
        if pupil.ready and self._due(loop, now_us):
            self._publish(pupil, loop, now_us)
        return pupil.learned - before

    def close(self) -> None:
        """Free the engine; idempotent. The next step would load the newest model again."""
        if self._pupil is not None:
            self._pupil.engine.close()
        self._pupil = None

    def _enrolled(self, loop: Loop, now_us: int) -> _Pupil:
        """The engine in training, made anew after a start and when the learning settings have changed."""
        arguments = with_exploration(loop.arguments, epsilon=loop.settings.exploration_percentage)
        if self._pupil is None or self._pupil.arguments != arguments:
            self.close()
            history = self._models.history()
            self._newest = history[0] if history else None
            same = [model for model in history if self._is_of_lineage(model, arguments)]
            self._pupil = self._resumed(same) if same else self._started(loop, arguments, now_us)
        return self._pupil

    def _is_of_lineage(self, model: Model, arguments: str) -> bool:
        newest = self._newest
        return (
            newest is not None
            and newest.arguments == model.arguments == arguments
            and newest.first_outcome == model.first_outcome
        )

    def _resumed(self, lineage: list[Model]) -> _Pupil:
        """Go on from the newest model whose bytes can be read; from nothing, if there is none."""
        for model in lineage:
            try:
                engine = self._factory(model.arguments, self._models.blob(model.model_id))
            except (ModelNotFound, Corrupt) as error:
                _log.warning("Model %s can't be resumed: %s", model.model_id, error, extra={"action": "resume"})
                continue
            return _Pupil(
                engine=engine,
                arguments=model.arguments,
                first_outcome=model.first_outcome,
                last_outcome=model.last_outcome,
                learned=model.learned,
                parent_id=model.model_id,
                goal=lineage[0].last_outcome,
            )
        _log.warning(
            "No model of this lineage can be read; its outcomes are learned again.", extra={"action": "relearn"}
        )
        return self._blank(lineage[0].arguments, lineage[0].first_outcome)

    def _started(self, loop: Loop, arguments: str, now_us: int) -> _Pupil:
        if self._newest is None:
            return self._blank(arguments, 1)
        days = loop.settings.model_retrain_days
        return self._blank(arguments, self._first_since(now_us - days * _DAY_US if days else None))

    def _blank(self, arguments: str, first_outcome: int) -> _Pupil:
        return _Pupil(
            engine=self._factory(arguments),
            arguments=arguments,
            first_outcome=first_outcome,
            last_outcome=first_outcome - 1,
            learned=0,
            parent_id=None,
            goal=self._outcomes.counts().last_outcome,
        )

    def _first_since(self, since_us: int | None) -> int:
        """The number of the first outcome that was settled at a time or later, by bisection (None: the next)."""
        next_outcome = self._outcomes.counts().last_outcome + 1
        low, high = (next_outcome if since_us is None else 1), next_outcome
        while low < high:
            middle = (low + high) // 2
            found = self._outcomes.outcomes(after=middle - 1, limit=1)
            if found and found[0].outcome.settled_at_us < since_us:
                low = middle + 1
            else:
                high = middle
        return low

    def _teach(self, pupil: _Pupil, lesson: Lesson) -> None:
        if _taught(pupil.engine, lesson) and lesson.decision is not None:
            pupil.learned += 1
            pupil.unpublished += 1
            self._witnesses.append(lesson.decision)
        pupil.last_outcome = lesson.seq

    def _due(self, loop: Loop, now_us: int) -> bool:
        if self._newest is None or self._newest.arguments != (self._pupil and self._pupil.arguments):
            return True
        elapsed = timedelta(microseconds=now_us - self._newest.created_at_us)
        return not timedelta(0) <= elapsed < loop.settings.model_export_frequency

    def _publish(self, pupil: _Pupil, loop: Loop, now_us: int) -> None:
        self.problem = self._unsoundness(pupil.engine)
        if self.problem is not None:
            _log.warning("No model is published: %s", self.problem, extra={"action": "publish"})
            return
        model = self._model(pupil, loop, now_us)
        self._models.publish(model, pupil.engine.dump(), live=loop.settings.model_auto_publish)
        self._newest = model
        pupil.parent_id = model.model_id
        pupil.unpublished = 0

    def _unsoundness(self, engine: Engine) -> str | None:
        """Why the engine can't rank what it has just learned: learning settings can make weights infinite."""
        try:
            for witness in self._witnesses:
                rankable = witness.decision.rankable
                engine.probabilities(dsjson.rankable_context(witness.decision, rankable), len(rankable))
        except EngineRefused as error:
            return error.message
        return None

    def _model(self, pupil: _Pupil, loop: Loop, now_us: int) -> Model:
        """Times of creation, and so the ids, grow even where the clock was set back."""
        created_at_us = now_us if self._newest is None else max(now_us, self._newest.created_at_us + 1)
        return Model(
            model_id=f"{created_at_us:016x}",
            parent_id=pupil.parent_id,
            arguments=pupil.arguments,
            settings_version=loop.version,
            first_outcome=pupil.first_outcome,
            last_outcome=pupil.last_outcome,
            learned=pupil.learned,
            created_at_us=created_at_us,
        )


def replay(model: Model, /, *, events: EventLog, outcomes: OutcomeLog, factory: EngineFactory) -> Engine:
    """An engine that learned exactly what the model learned, from nothing. The caller closes it.

    Raises:
        Corrupt: an outcome settles a decision that is not in the log.
    """
    engine = factory(model.arguments)
    for lesson in _of(model, events, outcomes):
        _taught(engine, lesson)
    return engine


def _of(model: Model, events: EventLog, outcomes: OutcomeLog) -> Iterator[Lesson]:
    count = model.last_outcome - model.first_outcome + 1
    return lessons(events, outcomes, after=model.first_outcome - 1, limit=count)


def _taught(engine: Engine, lesson: Lesson) -> bool:
    """Learn a lesson. What an engine refuses is left out, in training and in replay alike."""
    line = lesson.line()
    if line is None:
        return False
    try:
        engine.learn(line)
    except EngineRefused as error:
        _log.warning("Outcome %d is not learned: %s", lesson.seq, error, extra={"action": "learn"})
        return False
    return True
