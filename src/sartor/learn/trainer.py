"""Learning exactly: every outcome once, in order, through any crash.

A published model names the outcomes that are in it, and model and numbers are written together. So the
trainer keeps no other state: after a crash it loads the newest model and goes on with the next outcome.
"""

import logging
from collections import deque
from collections.abc import Iterator
from datetime import timedelta

from sartor.errors import EngineRefused
from sartor.inference import decision_probabilities
from sartor.learn.lineage import Enrolment, Pupil
from sartor.learn.policy import with_exploration
from sartor.learn.training_data import Lesson, lessons
from sartor.ports import Engine, EngineFactory, EventLog, Loop, ModelRegistry, OutcomeCounts, OutcomeLog
from sartor.records import LoggedDecision, Model

_log = logging.getLogger(__name__)

_WITNESSES = 8
_RECENT = 100


class Trainer:
    """Learns the outcomes of one loop and publishes models. One for each loop, in one process."""

    def __init__(
        self, events: EventLog, outcomes: OutcomeLog, models: ModelRegistry, factory: EngineFactory, /
    ) -> None:
        self._events = events
        self._outcomes = outcomes
        self._models = models
        self._enrolment = Enrolment(outcomes, models, factory)
        self._pupil: Pupil | None = None
        self._newest: Model | None = None
        self._witnesses: deque[LoggedDecision] = deque(maxlen=_WITNESSES)
        self.problem: str | None = None
        """Why no model is published although there is something new; None: all is well."""

    def step(self, loop: Loop, /, *, now_us: int, limit: int = 5_000) -> int:
        """Learn what was settled since, and publish a model when one is due.

        Settings and learning settings are taken from ``loop`` at each step. New learning settings start an
        empty engine, which learns the outcomes of the last ``modelRetrainDays`` and is published when it
        has caught up; so do a new generation, from where the loop says, and a new revision of the log.

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
        if pupil.ready and self._due(pupil, loop, now_us):
            self._publish(pupil, loop, now_us)
        return pupil.learned - before

    def close(self) -> None:
        """Free the engine; idempotent. The next step would load the newest model again."""
        if self._pupil is not None:
            self._pupil.engine.close()
        self._pupil = None

    def _enrolled(self, loop: Loop, now_us: int) -> Pupil:
        """The engine in training, made anew after a start, and when what it learned is no longer wanted."""
        arguments = with_exploration(loop.arguments, epsilon=loop.settings.exploration_percentage)
        revision = self._outcomes.counts().revision  # before any lesson is read, so that it is never too new
        pupil = self._pupil
        if pupil is not None and pupil.fits(loop, arguments=arguments, revision=revision):
            return pupil
        self.close()
        self._newest = next(iter(self._models.history(limit=1)), None)
        self._pupil = self._enrolment.pupil(loop, arguments=arguments, now_us=now_us)
        if pupil is not None and pupil.generation < loop.generation:
            self._withdraw(pupil, loop)
        return self._pupil

    def _withdraw(self, pupil: Pupil, loop: Loop) -> None:
        """Take back a model that went live while the generation that replaces it was begun."""
        live = self._models.live()
        if live is None or live.generation != pupil.generation or not loop.settings.model_auto_publish:
            return
        newest = next((m for m in self._models.history(limit=_RECENT) if m.generation == loop.generation), None)
        if newest is not None or loop.first_outcome is not None:
            self._models.promote(None if newest is None else newest.model_id)

    def _teach(self, pupil: Pupil, lesson: Lesson) -> None:
        if _taught(pupil.engine, lesson) and lesson.decision is not None:
            pupil.learned += 1
            pupil.unpublished += 1
            self._witnesses.append(lesson.decision)
        pupil.last_outcome = lesson.seq

    def _due(self, pupil: Pupil, loop: Loop, now_us: int) -> bool:
        if pupil.fresh or self._newest is None:
            return True
        elapsed = timedelta(microseconds=now_us - self._newest.created_at_us)
        return not timedelta(0) <= elapsed < loop.settings.model_export_frequency

    def _publish(self, pupil: Pupil, loop: Loop, now_us: int) -> None:
        self.problem = self._unsoundness(pupil.engine)
        if self.problem is not None:
            _log.warning("No model is published: %s", self.problem, extra={"action": "publish"})
            return
        model = self._model(pupil, loop, now_us)
        live, keep = loop.settings.model_auto_publish, loop.settings.staged_model_history_length
        self._models.publish(model, pupil.engine.dump(), live=live, keep=keep)
        self._newest = model
        pupil.parent_id = model.model_id
        pupil.unpublished = 0
        pupil.fresh = False

    def _unsoundness(self, engine: Engine) -> str | None:
        """Why the engine can't rank what it has just learned: learning settings can make weights infinite."""
        try:
            for witness in self._witnesses:
                decision_probabilities(engine, witness.decision)
        except EngineRefused as error:
            return error.message
        return None

    def _model(self, pupil: Pupil, loop: Loop, now_us: int) -> Model:
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
            generation=pupil.generation,
            base_id=pupil.base_id,
            revision=pupil.revision,
        )


def replay(
    model: Model, /, *, events: EventLog, outcomes: OutcomeLog, models: ModelRegistry, factory: EngineFactory
) -> Engine:
    """An engine that learned exactly what the model learned, from nothing or from the model it is based on.

    The caller closes it. Ask ``gap`` first: it may be that the log no longer holds what the model learned.

    Raises:
        ModelNotFound: the bytes of the model that it is based on are not there.
        Corrupt: an outcome settles a decision that is not in the log.
    """
    engine = factory(model.arguments, None if model.base_id is None else models.blob(model.base_id))
    for lesson in _of(model, events, outcomes):
        _taught(engine, lesson)
    return engine


def gap(model: Model, counts: OutcomeCounts, /) -> str | None:
    """Why a replay can't give the model again, as the log is now; None: it does."""
    if model.last_outcome < model.first_outcome:
        return None
    if model.first_outcome < counts.first_outcome:
        return f"the log begins with outcome {counts.first_outcome}, the model with {model.first_outcome}"
    if model.revision != counts.revision:
        return f"it learned revision {model.revision} of the log, which is at {counts.revision}"
    return None


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
