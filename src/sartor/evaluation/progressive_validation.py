"""Progressive validation: one pass over the log that scores several policies; each event is read once for all.

A policy starts with an empty engine. For each row it first gives its probabilities, which are scored against
the logged choice; then it learns the outcome. So no row is scored by an engine that has learned it (Blum,
Kalai, Langford 1999).
"""

from collections.abc import Iterator, Sequence
from operator import mul

from msgspec import Struct, field

from sartor.errors import EngineRefused
from sartor.estimators.calibration import PropensityCalibration
from sartor.estimators.doubly_robust import ActionMeans
from sartor.estimators.estimator_set import PolicyScore
from sartor.estimators.interval import Bounds
from sartor.estimators.logged_choices import LoggedChoice, as_shown, logged_choices
from sartor.estimators.reference_policies import ReferencePolicies, TrackedActions
from sartor.estimators.reward_model import RewardModel
from sartor.evaluation.column_buffer import ColumnBuffer
from sartor.evaluation.row_predictions import RowPredictions
from sartor.evaluation.spec import Source
from sartor.inference import uniform_probabilities
from sartor.mixture import conditional_probabilities, mix_as_recorded
from sartor.ports import Engine
from sartor.ranking import one_hot
from sartor.records import Decision, LoggedDecision, Outcome

_MAX_SLOTS = 64
"""How many slots are scored on their own; further ones only together with all."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A policy to score. Without an engine it is the reference policy that its source names."""

    name: str
    arguments: str
    source: Source
    engine: Engine | None = None


class CandidateScore(Struct, kw_only=True):
    """The scores of one policy by slot ("" for all rows).

    ``refused``: rows it couldn't rank. ``learned``: outcomes it learned. ``model``: a dump of its engine.
    """

    name: str
    arguments: str
    source: Source
    scores: dict[str, PolicyScore] = field(default_factory=dict)
    refused: int = 0
    learned: int = 0
    model: bytes | None = None


class LogSummary(Struct, kw_only=True):
    """A summary of the log: its time, the calibration of its probabilities, and the reference policies."""

    decisions: int = 0
    first_us: int = 0
    last_us: int = 0
    calibration: PropensityCalibration = field(default_factory=PropensityCalibration)
    reference_policies: ReferencePolicies = field(default_factory=ReferencePolicies)
    tracked_actions: TrackedActions = field(default_factory=TrackedActions)
    reward_model: RewardModel = field(default_factory=RewardModel)


class ProgressiveValidation:
    """Scores candidates over settled decisions, given in the order of the log."""

    def __init__(self, candidates: Sequence[Candidate], /, *, bounds: Bounds, bin_us: int) -> None:
        """Starts with nothing scored.

        Args:
            candidates: the policies to score.
            bounds: the range in which rewards lie.
            bin_us: the length of the bins of the charts over time, in microseconds.
        """
        self._candidates = candidates
        self._bounds = bounds
        self._bin_us = bin_us
        self._means = ActionMeans()
        self._buffers: dict[str, ColumnBuffer] = {}
        self._refused = [0] * len(candidates)
        self._learned = [0] * len(candidates)
        self._probabilities: list[float] = []
        self._chosen: list[int] = []
        self.summary = LogSummary()

    def add(self, logged: LoggedDecision, outcome: Outcome, /) -> None:
        """Scores one settled decision, then lets the engines learn it."""
        shown = as_shown(logged.decision)
        choices = logged_choices(shown, outcome)
        self._summarise(logged, choices)
        predictions = RowPredictions(LoggedDecision(logged.seq, logged.at_us, shown), outcome, choices)
        for slot, choice in enumerate(choices):
            q = self._means.predict(choice.ids)
            row = _ScoredRow(shown, choice, slot, q, self._buffers_for(choice))
            for buffer in row.buffers:
                buffer.add_row(choice, q[choice.chosen], at_us=logged.at_us)
            for number, candidate in enumerate(self._candidates):
                self._score(number, candidate, row, predictions)
        self._learn(predictions)
        for choice in choices:
            self._means.learn(choice.ids[choice.chosen], choice.reward)
        for buffer in self._buffers.values():
            if buffer.full:
                buffer.flush()

    def _score(self, number: int, candidate: Candidate, row: "_ScoredRow", predictions: RowPredictions) -> None:
        try:
            probabilities = _probabilities_of(candidate, row, predictions)
        except EngineRefused:
            self._refused[number] += 1
            for buffer in row.buffers:
                buffer.skip_row(number)
            return
        target, expected = probabilities[row.choice.chosen], sum(map(mul, probabilities, row.expected_rewards))
        uncovered = sum([probabilities[index] for index in row.impossible])
        for buffer in row.buffers:
            buffer.add_weights(number, target=target, uncovered=uncovered, q_policy=expected)

    def _buffers_for(self, choice: LoggedChoice) -> list[ColumnBuffer]:
        """Returns the buffer of all rows, and that of the slot."""
        return [
            self._buffer(name)
            for name in ("", choice.slot)[: 2 if choice.slot else 1]
            if self._has_room_for(name)
        ]

    def _has_room_for(self, name: str) -> bool:
        return name in self._buffers or len(self._buffers) <= _MAX_SLOTS

    def _buffer(self, name: str) -> ColumnBuffer:
        buffer = self._buffers.get(name)
        if buffer is None:
            buffer = self._buffers[name] = ColumnBuffer(
                len(self._candidates), bounds=self._bounds, bin_us=self._bin_us
            )
        return buffer

    def _learn(self, predictions: RowPredictions) -> None:
        for number, candidate in enumerate(self._candidates):
            if candidate.engine is not None and predictions.learn(candidate.engine):
                self._learned[number] += 1

    def _summarise(self, logged: LoggedDecision, choices: Sequence[LoggedChoice]) -> None:
        summary = self.summary
        summary.decisions += 1
        summary.first_us = min(summary.first_us or logged.at_us, logged.at_us)
        summary.last_us = max(summary.last_us, logged.at_us)
        for name in summary.tracked_actions.track(choices[0].ids):
            summary.reference_policies.stop_tracking(name)
        tracked, model = summary.tracked_actions.ordinals, summary.reward_model
        summary.reference_policies.add(choices[0], tracked=tracked, model=model)
        for probabilities, chosen in _recorded_choices(logged.decision):
            self._chosen.append(len(self._probabilities) + chosen)
            self._probabilities.extend(probabilities)
        if len(self._probabilities) > 50_000:
            self._flush_calibration()

    def _flush_calibration(self) -> None:
        self.summary.calibration.add(self._probabilities, self._chosen)
        self._probabilities.clear()
        self._chosen.clear()

    def finish(self) -> list[CandidateScore]:
        """Returns the scores, with the models that the policies learned."""
        self._flush_calibration()
        for buffer in self._buffers.values():
            buffer.flush()
        return [
            CandidateScore(
                name=one.name,
                arguments=one.arguments,
                source=one.source,
                scores={slot: buffer.scores[number] for slot, buffer in self._buffers.items()},
                refused=self._refused[number],
                learned=self._learned[number],
                model=None if one.engine is None else one.engine.dump(),
            )
            for number, one in enumerate(self._candidates)
        ]


class _ScoredRow:
    """One choice to score: the expected rewards of its actions, and which of them could not be chosen."""

    __slots__ = ("buffers", "choice", "expected_rewards", "impossible", "shown", "slot")

    def __init__(
        self,
        shown: Decision,
        choice: LoggedChoice,
        slot: int,
        expected_rewards: list[float],
        buffers: list[ColumnBuffer],
    ) -> None:
        self.shown = shown
        self.choice = choice
        self.slot = slot
        self.expected_rewards = expected_rewards
        self.buffers = buffers
        self.impossible = [number for number, p in enumerate(choice.probabilities) if p == 0.0]


def _probabilities_of(candidate: Candidate, row: "_ScoredRow", predictions: RowPredictions) -> Sequence[float]:
    if candidate.engine is not None:
        # As it would have been served, so that it is compared with what was served on the same terms.
        return mix_as_recorded(predictions.predict(candidate.engine, row.slot), row.shown, row.slot)
    count = len(row.choice.ids)
    if candidate.source == "Online":
        return row.choice.probabilities
    if candidate.source == "Random":
        return uniform_probabilities(count)
    return one_hot(row.choice.baseline, count)


def _recorded_choices(decision: Decision) -> Iterator[tuple[Sequence[float], int]]:
    """Yields the recorded probabilities and choices: in Apprentice mode the model's, which were not shown."""
    if decision.slots:
        for number, slot in enumerate(decision.slots):
            yield conditional_probabilities(decision, number), slot.chosen
    else:
        yield conditional_probabilities(decision), decision.chosen
