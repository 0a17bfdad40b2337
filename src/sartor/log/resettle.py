"""Settling the last days again when the rules have changed under which they were settled (contract, 2.4).

The outcomes of the last ``modelRetrainDays`` are made anew from the events, and amended; the trainer then
begins with a new lineage. What was settled stays settled: a decision whose new window is still open gets the
outcome that its observations give by now.

Which rules were applied is kept on the blob store of the loop, and changed when all is done. A crash in between
begins again: the same events under the same rules give the same outcomes.
"""

import msgspec
from msgspec import Struct

from sartor.log.resettlement_view import ResettledEvents, ResettledOutcomes, ResettledPart
from sartor.log.settle import BEFORE_US
from sartor.log.settler import Settler
from sartor.log_search import first_observation_since, first_outcome_since
from sartor.ports import BlobStore, EventLog, OutcomeLog
from sartor.records import Cursor
from sartor.settings import Aggregation, LoopSettings
from sartor.times import DAY_US

_RULES = "settling-rules"


class SettlingRules(Struct, frozen=True, kw_only=True):
    """The settings that decide what becomes of a decision and its observations."""

    reward_wait_us: int
    default_reward: float
    reward_aggregation: Aggregation


class _AppliedRules(Struct, frozen=True, kw_only=True):
    """The rules that the outcomes follow; not ``complete``: some follow these, some those before."""

    rules: SettlingRules
    complete: bool


def settling_rules(settings: LoopSettings, /) -> SettlingRules:
    """The rules in the settings of a loop."""
    wait = settings.reward_wait_time
    return SettlingRules(
        reward_wait_us=(wait.days * 86_400 + wait.seconds) * 1_000_000 + wait.microseconds,
        default_reward=settings.default_reward,
        reward_aggregation=settings.reward_aggregation,
    )


class Resettler:
    """Sees to it that the outcomes of a loop follow its rules. Nothing may settle while it has work to do.

    After an error make a new one: it begins again.
    """

    def __init__(self, events: EventLog, outcomes: OutcomeLog, blobs: BlobStore) -> None:
        self._events = events
        self._outcomes = outcomes
        self._blobs = blobs
        self._applied: _AppliedRules | None = None
        self._is_kept = False
        self._target: SettlingRules | None = None
        self._work: _Resettling | None = None

    def step(
        self, settings: LoopSettings, /, *, settings_version: int, now_us: int, limit: int = 2_000
    ) -> bool:
        """Do the next part of what is to be done; False: there is nothing, settle and learn.

        Args:
            settings: those in force.
            settings_version: kept with the outcomes that are made anew.
            now_us: the time now; ``modelRetrainDays`` count back from it.
            limit: how many outcomes or decisions are read, about.

        Raises:
            StoreUnavailable: not all is done.
        """
        applied = _AppliedRules(rules=settling_rules(settings), complete=True)
        if self._applied is None:
            self._applied = self._read() or applied
        if not self._outcomes.counts().outcomes:
            self._applied = applied  # a loop without outcomes keeps nothing, and nothing has to be changed
            return False
        if not self._is_kept:
            self._write(self._applied)
        if self._applied == applied:
            return False
        if self._goes_on(settings, settings_version=settings_version, now_us=now_us, limit=limit):
            return True
        self._write(applied)
        self._work = None
        return False

    def _goes_on(self, settings: LoopSettings, *, settings_version: int, now_us: int, limit: int) -> bool:
        """Do a part of the work, after a mark that it has begun; whether there is more."""
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
        except (
            msgspec.DecodeError
        ):  # what a blob store holds may be lost: then the rules of today count as applied
            return None
        self._is_kept = True
        return applied

    def _write(self, applied: _AppliedRules) -> None:
        self._blobs.put(_RULES, msgspec.json.encode(applied))
        self._applied, self._is_kept = applied, True


class _Resettling:
    """One settling-again: first it looks at the outcomes, then it settles their decisions."""

    def __init__(self, events: EventLog, outcomes: OutcomeLog, *, since_us: int) -> None:
        self._events = events
        self._outcomes = outcomes
        self._counts = outcomes.counts()
        self._part = ResettledPart(cursor=self._counts.cursor, since_us=since_us, first=events.horizon())
        self._read = first_outcome_since(outcomes, since_us) - 1
        self._settler: Settler | None = None

    def step(self, settings: LoopSettings, *, settings_version: int, limit: int) -> bool:
        """Whether there is more to do."""
        if self._read < self._counts.last_outcome:
            self._survey(limit)
            return True
        if not self._part.first_decision:
            return False
        if self._settler is None:
            self._settler = self._begun()
        self._settler.step(settings, settings_version=settings_version, limit=limit, reads=1)
        return not self._settler.caught_up

    def _survey(self, limit: int) -> None:
        batch = self._outcomes.outcomes(after=self._read, limit=limit)
        for logged in batch:
            if logged.seq <= self._counts.last_outcome and logged.outcome.event_id:  # '' was erased
                self._part.add(logged.outcome)
        self._read = batch[-1].seq if batch else self._counts.last_outcome

    def _begun(self) -> Settler:
        first = self._events.heads(after=self._part.first_decision - 1, limit=1)[0]
        cursor = Cursor(first.seq - 1, first_observation_since(self._events, first.at_us - BEFORE_US) - 1)
        part = self._part
        return Settler(ResettledEvents(self._events, part), ResettledOutcomes(self._outcomes, part, cursor))
