"""One pass over the log that scores several policies: each event is read once, for all of them.

A policy starts with an empty engine. In each row it first says what it would have done, then that is scored
against what was done, then it learns what came of it: no row is scored by an engine that has learned it
(progressive validation; Blum, Kalai, Langford 1999).
"""

from collections.abc import Iterator, Sequence
from operator import mul

from msgspec import Struct, field

from sartor.errors import EngineRefused
from sartor.estimators.calibration import Propensities
from sartor.estimators.direct import ActionMeans
from sartor.estimators.fixed_actions import Followed
from sartor.estimators.interval import Bounds
from sartor.estimators.logged_choices import Deed, deeds, done
from sartor.estimators.reference_policies import Tally
from sartor.estimators.score import Score
from sartor.evaluation.column_buffer import Sheet
from sartor.evaluation.row_predictions import Asked
from sartor.evaluation.spec import Source
from sartor.ports import Engine
from sartor.records import Decision, LoggedDecision, Outcome

_SLOTS = 64
"""How many slots are scored by their own; the others only together."""


class Contestant(Struct, frozen=True, kw_only=True):
    """A policy in the contest. Without an engine it is one of those that its source tells apart."""

    name: str
    arguments: str
    source: Source
    engine: Engine | None = None


class Scored(Struct, kw_only=True):
    """What the contest says of one policy, by slot ("" for all rows). ``refused``: rows it couldn't rank."""

    name: str
    arguments: str
    source: Source
    scores: dict[str, Score] = field(default_factory=dict)
    refused: int = 0
    learned: int = 0
    model: bytes | None = None


class LogSummary(Struct, kw_only=True):
    """What the log says of itself: calibration of its probabilities, and its fixed actions."""

    decisions: int = 0
    first_us: int = 0
    last_us: int = 0
    propensities: Propensities = field(default_factory=Propensities)
    tally: Tally = field(default_factory=Tally)
    followed: Followed = field(default_factory=Followed)


class Contest:
    """Scores contestants over settled decisions, given in the order of the log."""

    def __init__(self, contestants: Sequence[Contestant], /, *, bounds: Bounds, moment_us: int) -> None:
        """Nothing is scored yet.

        Args:
            contestants: who takes part.
            bounds: the range in which rewards lie.
            moment_us: how long a moment of the series in time is.
        """
        self._contestants = contestants
        self._bounds = bounds
        self._moment_us = moment_us
        self._means = ActionMeans()
        self._sheets: dict[str, Sheet] = {}
        self._refused = [0] * len(contestants)
        self._learned = [0] * len(contestants)
        self._odds: list[float] = []
        self._drawn: list[int] = []
        self.summary = LogSummary()

    def take(self, logged: LoggedDecision, outcome: Outcome, /) -> None:
        """Score and learn one settled decision."""
        shown = done(logged.decision)
        rows = deeds(shown, outcome)
        self._summarise(logged, rows)
        asked = Asked(LoggedDecision(logged.seq, logged.at_us, shown), outcome, rows)
        for place, deed in enumerate(rows):
            q = self._means.predictions(deed.ids)
            row = _Row(deed, place, q, self._sheets_of(deed))
            for sheet in row.sheets:
                sheet.begin(deed, q[deed.chosen], at_us=logged.at_us)
            for number, contestant in enumerate(self._contestants):
                self._score(number, contestant, row, asked)
        self._learn(asked)
        for deed in rows:
            self._means.learn(deed.ids[deed.chosen], deed.reward)
        for sheet in self._sheets.values():
            if sheet.full:
                sheet.flush()

    def _score(self, number: int, contestant: Contestant, row: "_Row", asked: Asked) -> None:
        try:
            odds = _odds(contestant, row.deed, asked, row.place)
        except EngineRefused:
            self._refused[number] += 1
            for sheet in row.sheets:
                sheet.pass_over(number)
            return
        target, expected = odds[row.deed.chosen], sum(map(mul, odds, row.predictions))
        uncovered = sum([odds[place] for place in row.impossible])
        for sheet in row.sheets:
            sheet.say(number, target=target, uncovered=uncovered, q_policy=expected)

    def _sheets_of(self, deed: Deed) -> list[Sheet]:
        """The sheet of all rows, and that of the slot."""
        return [self._sheet(name) for name in ("", deed.slot)[: 2 if deed.slot else 1] if self._open(name)]

    def _open(self, name: str) -> bool:
        return name in self._sheets or len(self._sheets) <= _SLOTS

    def _sheet(self, name: str) -> Sheet:
        sheet = self._sheets.get(name)
        if sheet is None:
            sheet = self._sheets[name] = Sheet(
                len(self._contestants), bounds=self._bounds, moment_us=self._moment_us
            )
        return sheet

    def _learn(self, asked: Asked) -> None:
        for number, contestant in enumerate(self._contestants):
            if contestant.engine is not None and asked.learned(contestant.engine):
                self._learned[number] += 1

    def _summarise(self, logged: LoggedDecision, rows: Sequence[Deed]) -> None:
        summary = self.summary
        summary.decisions += 1
        summary.first_us = min(summary.first_us or logged.at_us, logged.at_us)
        summary.last_us = max(summary.last_us, logged.at_us)
        for name in summary.followed.offer(rows[0].ids):
            summary.tally.forget(name)
        summary.tally.add(rows[0], followed=summary.followed.ordinals)
        for probabilities, chosen in _draws(logged.decision):
            self._drawn.append(len(self._odds) + chosen)
            self._odds.extend(probabilities)
        if len(self._odds) > 50_000:
            self._flush_odds()

    def _flush_odds(self) -> None:
        self.summary.propensities.add(self._odds, self._drawn)
        self._odds.clear()
        self._drawn.clear()

    def finish(self) -> list[Scored]:
        """The scores, with the models that the policies learned."""
        self._flush_odds()
        for sheet in self._sheets.values():
            sheet.flush()
        return [
            Scored(
                name=one.name,
                arguments=one.arguments,
                source=one.source,
                scores={slot: sheet.scores[number] for slot, sheet in self._sheets.items()},
                refused=self._refused[number],
                learned=self._learned[number],
                model=None if one.engine is None else one.engine.dump(),
            )
            for number, one in enumerate(self._contestants)
        ]


class _Row:
    """One deed to be scored: the predicted rewards of its actions, and which of them could not be chosen."""

    __slots__ = ("deed", "impossible", "place", "predictions", "sheets")

    def __init__(self, deed: Deed, place: int, predictions: list[float], sheets: list[Sheet]) -> None:
        self.deed = deed
        self.place = place
        self.predictions = predictions
        self.sheets = sheets
        self.impossible = [number for number, p in enumerate(deed.odds) if p == 0.0]


def _odds(contestant: Contestant, deed: Deed, asked: Asked, place: int) -> Sequence[float]:
    if contestant.engine is not None:
        return asked.odds(contestant.engine, place)
    count = len(deed.ids)
    if contestant.source == "Online":
        return deed.odds
    if contestant.source == "Random":
        return [1.0 / count] * count
    return [1.0 if number == deed.baseline else 0.0 for number in range(count)]


def _draws(decision: Decision) -> Iterator[tuple[Sequence[float], int]]:
    """The odds that were used and what was drawn, as recorded: in Apprentice mode the model's."""
    if decision.slots:
        for slot in decision.slots:
            yield slot.probabilities, slot.chosen
    else:
        yield decision.probabilities, decision.chosen
