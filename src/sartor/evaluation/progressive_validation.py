"""One pass over the log that scores several policies: each event is read once, for all of them.

A policy starts with an empty engine. In each row it first says what it would have done, then that is scored
against what was done, then it learns what came of it: no row is scored by an engine that has learned it
(progressive validation; Blum, Kalai, Langford 1999).
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
from sartor.evaluation.column_buffer import ColumnBuffer
from sartor.evaluation.row_predictions import RowPredictions
from sartor.evaluation.spec import Source
from sartor.ports import Engine
from sartor.records import Decision, LoggedDecision, Outcome

_SLOTS = 64
"""How many slots are scored by their own; the others only together."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A policy in the contest. Without an engine it is one of those that its source tells apart."""

    name: str
    arguments: str
    source: Source
    engine: Engine | None = None


class CandidateScore(Struct, kw_only=True):
    """What the contest says of one policy, by slot ("" for all rows). ``refused``: rows it couldn't rank."""

    name: str
    arguments: str
    source: Source
    scores: dict[str, PolicyScore] = field(default_factory=dict)
    refused: int = 0
    learned: int = 0
    model: bytes | None = None


class LogSummary(Struct, kw_only=True):
    """What the log says of itself: calibration of its probabilities, and its fixed actions."""

    decisions: int = 0
    first_us: int = 0
    last_us: int = 0
    calibration: PropensityCalibration = field(default_factory=PropensityCalibration)
    reference_policies: ReferencePolicies = field(default_factory=ReferencePolicies)
    tracked_actions: TrackedActions = field(default_factory=TrackedActions)


class ProgressiveValidation:
    """Scores candidates over settled decisions, given in the order of the log."""

    def __init__(self, candidates: Sequence[Candidate], /, *, bounds: Bounds, bin_us: int) -> None:
        """Nothing is scored yet.

        Args:
            candidates: who takes part.
            bounds: the range in which rewards lie.
            bin_us: the length of the bins of the charts over time, in microseconds.
        """
        self._candidates = candidates
        self._bounds = bounds
        self._moment_us = bin_us
        self._means = ActionMeans()
        self._sheets: dict[str, ColumnBuffer] = {}
        self._refused = [0] * len(candidates)
        self._learned = [0] * len(candidates)
        self._probabilities: list[float] = []
        self._drawn: list[int] = []
        self.summary = LogSummary()

    def add(self, logged: LoggedDecision, outcome: Outcome, /) -> None:
        """Score and learn one settled decision."""
        shown = as_shown(logged.decision)
        rows = logged_choices(shown, outcome)
        self._summarise(logged, rows)
        asked = RowPredictions(LoggedDecision(logged.seq, logged.at_us, shown), outcome, rows)
        for place, choice in enumerate(rows):
            q = self._means.predict(choice.ids)
            row = _ScoredRow(choice, place, q, self._sheets_of(choice))
            for sheet in row.sheets:
                sheet.add_row(choice, q[choice.chosen], at_us=logged.at_us)
            for number, candidate in enumerate(self._candidates):
                self._score(number, candidate, row, asked)
        self._learn(asked)
        for choice in rows:
            self._means.learn(choice.ids[choice.chosen], choice.reward)
        for sheet in self._sheets.values():
            if sheet.full:
                sheet.flush()

    def _score(self, number: int, candidate: Candidate, row: "_ScoredRow", asked: RowPredictions) -> None:
        try:
            probabilities = _probabilities(candidate, row.choice, asked, row.place)
        except EngineRefused:
            self._refused[number] += 1
            for sheet in row.sheets:
                sheet.skip_row(number)
            return
        target, expected = probabilities[row.choice.chosen], sum(map(mul, probabilities, row.predictions))
        uncovered = sum([probabilities[place] for place in row.impossible])
        for sheet in row.sheets:
            sheet.add_weights(number, target=target, uncovered=uncovered, q_policy=expected)

    def _sheets_of(self, choice: LoggedChoice) -> list[ColumnBuffer]:
        """The sheet of all rows, and that of the slot."""
        return [self._sheet(name) for name in ("", choice.slot)[: 2 if choice.slot else 1] if self._open(name)]

    def _open(self, name: str) -> bool:
        return name in self._sheets or len(self._sheets) <= _SLOTS

    def _sheet(self, name: str) -> ColumnBuffer:
        sheet = self._sheets.get(name)
        if sheet is None:
            sheet = self._sheets[name] = ColumnBuffer(
                len(self._candidates), bounds=self._bounds, bin_us=self._moment_us
            )
        return sheet

    def _learn(self, asked: RowPredictions) -> None:
        for number, candidate in enumerate(self._candidates):
            if candidate.engine is not None and asked.learn(candidate.engine):
                self._learned[number] += 1

    def _summarise(self, logged: LoggedDecision, rows: Sequence[LoggedChoice]) -> None:
        summary = self.summary
        summary.decisions += 1
        summary.first_us = min(summary.first_us or logged.at_us, logged.at_us)
        summary.last_us = max(summary.last_us, logged.at_us)
        for name in summary.tracked_actions.track(rows[0].ids):
            summary.reference_policies.stop_tracking(name)
        summary.reference_policies.add(rows[0], tracked=summary.tracked_actions.ordinals)
        for probabilities, chosen in _draws(logged.decision):
            self._drawn.append(len(self._probabilities) + chosen)
            self._probabilities.extend(probabilities)
        if len(self._probabilities) > 50_000:
            self._flush_calibration()

    def _flush_calibration(self) -> None:
        self.summary.calibration.add(self._probabilities, self._drawn)
        self._probabilities.clear()
        self._drawn.clear()

    def finish(self) -> list[CandidateScore]:
        """The scores, with the models that the policies learned."""
        self._flush_calibration()
        for sheet in self._sheets.values():
            sheet.flush()
        return [
            CandidateScore(
                name=one.name,
                arguments=one.arguments,
                source=one.source,
                scores={slot: sheet.scores[number] for slot, sheet in self._sheets.items()},
                refused=self._refused[number],
                learned=self._learned[number],
                model=None if one.engine is None else one.engine.dump(),
            )
            for number, one in enumerate(self._candidates)
        ]


class _ScoredRow:
    """One choice to be scored: the predicted rewards of its actions, and which of them could not be chosen."""

    __slots__ = ("choice", "impossible", "place", "predictions", "sheets")

    def __init__(
        self, choice: LoggedChoice, place: int, predictions: list[float], sheets: list[ColumnBuffer]
    ) -> None:
        self.choice = choice
        self.place = place
        self.predictions = predictions
        self.sheets = sheets
        self.impossible = [number for number, p in enumerate(choice.probabilities) if p == 0.0]


def _probabilities(
    candidate: Candidate, choice: LoggedChoice, asked: RowPredictions, place: int
) -> Sequence[float]:
    if candidate.engine is not None:
        return asked.predict(candidate.engine, place)
    count = len(choice.ids)
    if candidate.source == "Online":
        return choice.probabilities
    if candidate.source == "Random":
        return [1.0 / count] * count
    return [1.0 if number == choice.baseline else 0.0 for number in range(count)]


def _draws(decision: Decision) -> Iterator[tuple[Sequence[float], int]]:
    """The probabilities that were used and what was drawn, as recorded: in Apprentice mode the model's."""
    if decision.slots:
        for slot in decision.slots:
            yield slot.probabilities, slot.chosen
    else:
        yield decision.probabilities, decision.chosen
