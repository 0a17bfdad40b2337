"""Learns every outcome exactly once, in order, and survives any crash.

A published model names the outcomes that it learned, and model and numbers are written together. So the
trainer keeps no other state: after a crash it loads the newest model and goes on with the next outcome.
"""

import logging
import math
from collections import deque
from collections.abc import Iterator
from datetime import timedelta

from sartor.errors import EngineRefused
from sartor.inference import decision_probabilities
from sartor.learn.lineage import TrainingStart, TrainingState
from sartor.learn.training_data import TrainingExample, read_examples
from sartor.ports import Engine, EngineFactory, EventLog, Loop, ModelRegistry, OutcomeCounts, OutcomeLog
from sartor.records import LoggedDecision, Model

_log = logging.getLogger(__name__)

_CHECKED = 8
"""How many of the last requests it learned an engine must rank before it is published."""

_RECENT = 100


class Trainer:
    """Learns the outcomes of one loop and publishes models. Only one process may train a loop."""

    def __init__(
        self, events: EventLog, outcomes: OutcomeLog, models: ModelRegistry, factory: EngineFactory, /
    ) -> None:
        self._events = events
        self._outcomes = outcomes
        self._models = models
        self._training_start = TrainingStart(outcomes, models, factory)
        self._training: TrainingState | None = None
        self._newest: Model | None = None
        self._published_us = 0
        self._recent: deque[LoggedDecision] = deque(maxlen=_CHECKED)
        self.problem: str | None = None
        """Why no model is published although there is something new; None: all is well."""
        self.caught_up = False
        """Whether the last step read all outcomes that there were."""

    def step(self, loop: Loop, /, *, now_us: int, limit: int = 5_000) -> int:
        """Learn the new outcomes, and publish a model when one is due.

        Settings and learning settings are taken from ``loop`` at each step. New learning settings start an
        empty engine, which learns the outcomes of the last ``modelRetrainDays`` and is published when it
        has caught up; so do a new generation, from the loop's ``first_outcome``, and a new revision of the log.

        Args:
            loop: the loop as it is now.
            now_us: the time now.
            limit: how many outcomes are read at most.

        Returns:
            How many outcomes were learned.

        Raises:
            InvalidPolicy: the loop's learning settings are not accepted.
            Corrupt: an outcome settles a decision that is not in the log.
            StoreUnavailable: nothing is lost; the next step continues where this one stopped.
        """
        training = self._resume_or_start(loop, now_us)
        before, after = training.learned, training.last_outcome
        for example in read_examples(self._events, self._outcomes, after=after, limit=limit):
            self._learn_one(training, example)
        self.caught_up = training.last_outcome - after < limit
        if training.ready and self._is_due(training, loop, now_us):
            self._publish(training, loop, now_us)
        return training.learned - before

    def find_pause_us(self, loop: Loop, /, *, now_us: int) -> float:
        """How long until a model is due if nothing is settled meanwhile: microseconds, infinity for never."""
        training = self._training
        if training is None or not training.ready:
            return math.inf
        if self.problem is not None:  # the engine that can't rank is tried again
            return 1e6
        if self._is_due(training, loop, now_us) or self._newest is None:
            return 0.0
        return self._published_us + loop.settings.model_export_frequency / timedelta(microseconds=1) - now_us

    def close(self) -> None:
        """Free the engine; idempotent. The next step would load the newest model again."""
        if self._training is not None:
            self._training.engine.close()
        self._training = None

    def _resume_or_start(self, loop: Loop, now_us: int) -> TrainingState:
        """The engine in training; another one after a start, and when it does not fit the loop any more."""
        arguments = loop.effective_arguments
        # Read before any training example, so that it is never too new.
        revision = self._outcomes.counts().revision
        training = self._training
        if training is not None and training.fits(loop, arguments=arguments, revision=revision):
            return training
        self.close()
        self._newest = next(iter(self._models.history(limit=1)), None)
        self._published_us = 0 if self._newest is None else self._newest.created_at_us
        self._training = self._training_start.resume_or_start(loop, arguments=arguments, now_us=now_us)
        if training is not None and training.generation < loop.generation:
            self._withdraw(training, loop)
        return self._training

    def _withdraw(self, training: TrainingState, loop: Loop) -> None:
        """Take back a model of the old generation that went live while the new one was started."""
        live = self._models.live()
        if live is None or live.generation != training.generation or not loop.settings.model_auto_publish:
            return
        newest = next((m for m in self._models.history(limit=_RECENT) if m.generation == loop.generation), None)
        if newest is not None or loop.first_outcome is not None:
            self._models.promote(None if newest is None else newest.model_id)

    def _learn_one(self, training: TrainingState, example: TrainingExample) -> None:
        if _try_to_learn(training.engine, example) and example.decision is not None:
            training.learned += 1
            training.unpublished += 1
            self._recent.append(example.decision)
        training.last_outcome = example.seq

    def _is_due(self, training: TrainingState, loop: Loop, now_us: int) -> bool:
        if training.fresh or self._newest is None:
            return True
        elapsed = timedelta(microseconds=now_us - self._published_us)
        return not timedelta(0) <= elapsed < loop.settings.model_export_frequency

    def _publish(self, training: TrainingState, loop: Loop, now_us: int) -> None:
        self.problem = self._find_problem(training.engine)
        if self.problem is not None:
            _log.warning("No model is published: %s", self.problem, extra={"action": "publish"})
            return
        model = self._describe_model(training, loop, now_us)
        live, keep = loop.settings.model_auto_publish, loop.settings.staged_model_history_length
        self._models.publish(model, training.engine.dump(), live=live, keep=keep)
        # Not when it says that it was created: where the clock was set back, that may be long after now.
        self._newest, self._published_us = model, now_us
        training.parent_id = model.model_id
        training.unpublished = 0
        training.fresh = False

    def _find_problem(self, engine: Engine) -> str | None:
        """Why the engine can't rank what it just learned: learning settings can make weights infinite."""
        try:
            for recorded in self._recent:
                decision_probabilities(engine, recorded.decision)
        except EngineRefused as error:
            return error.message
        return None

    def _describe_model(self, training: TrainingState, loop: Loop, now_us: int) -> Model:
        """Times of creation, and so the ids, increase even if the clock was set back."""
        created_at_us = now_us if self._newest is None else max(now_us, self._newest.created_at_us + 1)
        return Model(
            model_id=f"{created_at_us:016x}",
            parent_id=training.parent_id,
            arguments=training.arguments,
            settings_version=loop.version,
            first_outcome=training.first_outcome,
            last_outcome=training.last_outcome,
            learned=training.learned,
            created_at_us=created_at_us,
            generation=training.generation,
            base_id=training.base_id,
            revision=training.revision,
        )


def relearn(
    model: Model, /, *, events: EventLog, outcomes: OutcomeLog, models: ModelRegistry, factory: EngineFactory
) -> Engine:
    """Returns an engine that learned exactly what the model learned, from the model that it is based on if any.

    The caller closes it. Call ``replay_gap`` first: the log may no longer hold what the model learned.

    Raises:
        ModelNotFound: the bytes of the model that it is based on are gone.
        Corrupt: an outcome settles a decision that is not in the log.
    """
    engine = factory(model.arguments, None if model.base_id is None else models.blob(model.base_id))
    for example in _read_examples_of(model, events, outcomes):
        _try_to_learn(engine, example)
    return engine


def replay_gap(model: Model, counts: OutcomeCounts, /) -> str | None:
    """Returns why a replay of the log can't reproduce the model; None: it can."""
    if model.last_outcome < model.first_outcome:
        return None
    if model.first_outcome < counts.first_outcome:
        return f"the log begins with outcome {counts.first_outcome}, the model with {model.first_outcome}"
    if model.revision != counts.revision:
        return f"it learned revision {model.revision} of the log, which is at {counts.revision}"
    return None


def _read_examples_of(model: Model, events: EventLog, outcomes: OutcomeLog) -> Iterator[TrainingExample]:
    count = model.last_outcome - model.first_outcome + 1
    return read_examples(events, outcomes, after=model.first_outcome - 1, limit=count)


def _try_to_learn(engine: Engine, example: TrainingExample) -> bool:
    """Learn a training example; False: there is nothing to learn, or the engine refuses it.

    Refused examples are left out in training and in replay alike.
    """
    line = example.encode_line()
    if line is None:
        return False
    try:
        engine.learn(line)
    except EngineRefused as error:
        _log.warning("Outcome %d is not learned: %s", example.seq, error, extra={"action": "learn"})
        return False
    return True
