"""What is compared: anything that chooses an action and learns what it earned; engines first of all."""

import time
from typing import Any, Protocol

import msgspec

from sartor.dsjson import single_slot
from sartor.dsjson.context_json import encode_context
from sartor.explore.decide import decide
from sartor.inference import uniform_probabilities
from sartor.lab.world import Situation
from sartor.ports import Engine
from sartor.records import NO_MODEL, Action, Decision, LoggedDecision, Outcome, RankInput

_encode = msgspec.json.Encoder().encode


class Choice(msgspec.Struct, frozen=True):
    """What a learner chose, and the probability with which it did; None where it doesn't say."""

    option: int
    probability: float | None = None
    decision: Decision | None = None


class Learner(Protocol):
    """Chooses and learns; ``decide_us`` and ``learn_us`` are its total times in microseconds."""

    decide_us: float
    learn_us: float

    def choose(self, situation: Situation[Any], /) -> Choice:
        """Choose an option."""

    def learn(self, situation: Situation[Any], choice: Choice, reward: float, /) -> None:
        """Learn what a choice earned. Called in the order of the choices, after a delay."""

    def close(self) -> None:
        """Free what it holds."""


class EngineLearner:
    """An engine of Sartor, asked and taught through the code that serves and trains.

    The times are those of the engine alone: its probabilities, and its learning from an encoded line.
    """

    def __init__(self, engine: Engine | None, /, *, seed: int) -> None:
        """Take an engine; None chooses uniformly.

        Args:
            engine: decides and learns.
            seed: the draws of two learners with one seed are the same.
        """
        self._engine = engine
        self._seed = seed
        self.decide_us = 0.0
        self.learn_us = 0.0

    def choose(self, situation: Situation[Any], /) -> Choice:
        """Ask the engine, and draw as the service does."""
        actions = tuple(Action(option.id, _encode(option.features)) for option in situation.options)
        request = RankInput(
            event_id=f"{situation.turn}-{self._seed}", context=_encode(situation.context), actions=actions
        )
        if self._engine is None:
            probabilities = uniform_probabilities(len(actions))
        else:
            query = encode_context(request.context, actions)
            started = time.perf_counter_ns()
            probabilities = self._engine.probabilities(query, len(actions))
            self.decide_us += (time.perf_counter_ns() - started) / 1_000
        decision = decide(
            request, probabilities=probabilities, loop_id="quality", model_id=NO_MODEL, settings_version=1
        )
        return Choice(decision.chosen, decision.propensity, decision)

    def learn(self, situation: Situation[Any], choice: Choice, reward: float, /) -> None:
        """Teach the engine the line that the log would hold."""
        if self._engine is None or choice.decision is None:
            return
        outcome = Outcome(
            decision_seq=situation.turn + 1,
            event_id=choice.decision.event_id,
            reward=reward,
            learnable=True,
            joined=(),
            settled_at_us=situation.turn,
            settings_version=1,
        )
        logged = LoggedDecision(situation.turn + 1, situation.turn, choice.decision)
        line = single_slot.encode_outcome_line(logged, outcome)
        started = time.perf_counter_ns()
        self._engine.learn(line)
        self.learn_us += (time.perf_counter_ns() - started) / 1_000

    def close(self) -> None:
        """Free the engine."""
        if self._engine is not None:
            self._engine.close()


def open_engine(arguments: str, /, *, seed: int) -> EngineLearner:
    """Returns a learner with new learning settings; ``uniform`` stands for no engine.

    Raises:
        InvalidPolicy: the arguments are not accepted.
    """
    if arguments == "uniform":
        return EngineLearner(None, seed=seed)
    from sartor.runtime import compose

    return EngineLearner(compose.engine_factory()(arguments), seed=seed)
