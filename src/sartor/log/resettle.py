"""Settles the last days again after the rules changed under which they were settled (contract, 2.4).

The outcomes of the last ``modelRetrainDays`` are computed again from the events, and amended; the trainer then
starts a new lineage. What was settled stays settled: a decision whose new window is still open gets the
outcome that follows from its observations so far.

The rules that were applied are kept in the blob store of the loop, and replaced when everything is done. After
a crash in between it starts over: the same events under the same rules give the same outcomes.
"""

import msgspec
from msgspec import Struct

from sartor.log.resettlement_view import ResettledEvents, ResettledOutcomes, ResettledPart
from sartor.log.settle import BEFORE_US, wait_us
from sartor.log.settler import Settler
from sartor.log_search import first_observation_since, first_outcome_since
from sartor.ports import BlobStore, EventLog, OutcomeLog
from sartor.records import Cursor
from sartor.settings import Aggregation, LoopSettings
from sartor.times import DAY_US

_RULES = "settling-rules"


class SettlingRules(Struct, frozen=True, kw_only=True):
    """The settings that decide how a decision is settled."""

    reward_wait_us: int
    default_reward: float
    reward_aggregation: Aggregation


class _AppliedRules(Struct, frozen=True, kw_only=True):
    """The rules that the outcomes follow. If not ``complete``, some follow these and some those before."""

    rules: SettlingRules
    complete: bool


def settling_rules(settings: LoopSettings, /) -> SettlingRules:
    """The rules in the settings of a loop."""
    return SettlingRules(
        reward_wait_us=wait_us(settings),
        default_reward=settings.default_reward,
        reward_aggregation=settings.reward_aggregation,
    )


class Resettler:
    """Keeps the outcomes of a loop in line with its rules. Nothing may settle while it has work to do.

    After an error make a new one: it starts over.
    """

    def __init__(self, events: EventLog, outcomes: OutcomeLog, blobs: BlobStore) -> None:
        self._events = events
        self._outcomes = outcomes
        self._blobs = blobs
        self._applied: _AppliedRules | None = None
        self._is_stored = False
        self._target: SettlingRules | None = None
        self._work: _Resettling | None = None

    def step(
        self, settings: LoopSettings, /, *, settings_version: int, now_us: int, limit: int = 2_000
    ) -> bool:
        """Do the next part of the work.

        Args:
            settings: those in force.
            settings_version: kept with the amended outcomes.
            now_us: the time now; ``modelRetrainDays`` count back from it.
            limit: roughly how many outcomes or decisions are read.

        Returns:
            Whether it worked and there may be more; False: all outcomes follow the rules, settle and learn.

        Raises:
            StoreUnavailable: this part is not done.
        """
        applied = _AppliedRules(rules=settling_rules(settings), complete=True)
        if self._applied is None:
            self._applied = self._read() or applied
        if not self._outcomes.counts().outcomes:
            self._applied = applied  # without outcomes there is nothing to amend, and nothing to store
            return False
        if not self._is_stored:
            self._write(self._applied)
        if self._applied == applied:
            return False
        if self._resettle(settings, settings_version=settings_version, now_us=now_us, limit=limit):
            return True
        self._write(applied)
        self._work = None
        return False

    def _resettle(self, settings: LoopSettings, *, settings_version: int, now_us: int, limit: int) -> bool:
        """Do a part of the work, after storing that it has started; whether there is more."""
        days = settings.model_retrain_days
        if not days:
            return False
        rules = settling_rules(settings)
        if self._work is None or self._target != rules:
            self._work = _Resettling(self._events, self._outcomes, since_us=now_us - days * DAY_US)
            self._target = rules
            self._write(_AppliedRules(rules=rules, complete=False))
        return self._work.step(settings, settings_version=settings_version, limit=limit)

    def _read(self) -> _AppliedRules | None:
        content = self._blobs.get(_RULES)
        if content is None:
            return None
        try:
            applied = msgspec.json.decode(content, type=_AppliedRules)
        except msgspec.DecodeError:  # a blob store may lose its content: then today's rules count as applied
            return None
        self._is_stored = True
        return applied

    def _write(self, applied: _AppliedRules) -> None:
        self._blobs.put(_RULES, msgspec.json.encode(applied))
        self._applied, self._is_stored = applied, True


class _Resettling:
    """One run: first it selects the outcomes to replace, then it settles their decisions."""

    def __init__(self, events: EventLog, outcomes: OutcomeLog, *, since_us: int) -> None:
        self._events = events
        self._outcomes = outcomes
        self._counts = outcomes.counts()
        self._part = ResettledPart(cursor=self._counts.cursor, since_us=since_us, first=events.horizon())
        self._selected_to = first_outcome_since(outcomes, since_us) - 1
        self._settler: Settler | None = None

    def step(self, settings: LoopSettings, *, settings_version: int, limit: int) -> bool:
        """Do the next part; whether there is more."""
        if self._selected_to < self._counts.last_outcome:
            self._select(limit)
            return True
        if not self._part.first_decision:
            return False
        if self._settler is None:
            self._settler = self._make_settler()
        self._settler.step(settings, settings_version=settings_version, limit=limit, reads=1)
        return not self._settler.caught_up

    def _select(self, limit: int) -> None:
        batch = self._outcomes.outcomes(after=self._selected_to, limit=limit)
        for logged in batch:
            if logged.seq <= self._counts.last_outcome and logged.outcome.event_id:  # '' was erased
                self._part.add(logged.outcome)
        self._selected_to = batch[-1].seq if batch else self._counts.last_outcome

    def _make_settler(self) -> Settler:
        first = self._events.heads(after=self._part.first_decision - 1, limit=1)[0]
        cursor = Cursor(first.seq - 1, first_observation_since(self._events, first.at_us - BEFORE_US) - 1)
        part = self._part
        return Settler(ResettledEvents(self._events, part), ResettledOutcomes(self._outcomes, part, cursor))
