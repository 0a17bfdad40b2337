"""Histories of a loop for tests: what arrives when, how a settler lives through it, and what must come of it.

The expectation is computed from the whole history at once, in the plainest way, by code of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from sartor.errors import StoreUnavailable
from sartor.log.settler import Settler
from sartor.ports import EventLog, OutcomeCounts, OutcomeLog
from sartor.records import (
    Decision,
    DecisionHeader,
    Horizon,
    LoggedDecision,
    LoggedObservation,
    LoggedOutcome,
    Observation,
    Outcome,
    Settlement,
)
from sartor.settings import LoopSettings
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores

S = 1_000_000
BEFORE_S = 120


@dataclass(frozen=True)
class Arrival:
    """An event, and how long after the one before it."""

    after_us: int
    event: Decision | Observation


@dataclass(frozen=True)
class Step:
    """One step of the settler, and what goes on around it."""

    arrivals_before: int
    arrivals_during: tuple[int, ...]
    limit: int
    crash: str


gaps_us = st.sampled_from([0, 1, S, 5 * S, 10 * S - 1, 10 * S, 60 * S, 120 * S - 1, 120 * S])
event_ids = st.sampled_from("ab")
decisions = st.builds(lambda name, later: make_decision(name, deferred=later), event_ids, st.booleans())
observations = st.builds(
    lambda name, reward: Observation(event_id=name, reward=reward),
    event_ids,
    st.none() | st.sampled_from([0.0, 1.0, -0.5, 0.25]),
)
histories = st.lists(st.builds(Arrival, gaps_us, decisions | observations), max_size=14)
lives = st.lists(
    st.builds(
        Step,
        st.integers(0, 4),
        st.lists(st.integers(0, 2), max_size=8).map(tuple),
        st.sampled_from([1, 2, 3, 10_000]),
        st.sampled_from(["", "", "restart", "before record", "after record"]),
    ),
    max_size=8,
)
calm = st.just([Step(0, (), 10_000, "")])


class Interrupted(EventLog):
    """An event log that lets something happen before each call."""

    def __init__(self, events: EventLog, happen: Callable[[], None]) -> None:
        self._events = events
        self._happen = happen

    def append(self, events: Sequence[Decision | Observation], /) -> None:
        self._events.append(events)

    def horizon(self) -> Horizon:
        self._happen()
        return self._events.horizon()

    def heads(self, *, after: int, limit: int) -> Sequence[DecisionHeader]:
        self._happen()
        return self._events.heads(after=after, limit=limit)

    def decisions(self, *, after: int, limit: int) -> Sequence[LoggedDecision]:
        self._happen()
        return self._events.decisions(after=after, limit=limit)

    def observations(self, *, after: int, limit: int) -> Sequence[LoggedObservation]:
        self._happen()
        return self._events.observations(after=after, limit=limit)


class Mortal(OutcomeLog):
    """An outcome log that fails once before, or once after, it has recorded."""

    def __init__(self, outcomes: OutcomeLog) -> None:
        self._outcomes = outcomes
        self.crash = ""
        self.recorded: list[Settlement] = []

    def record(self, settlement: Settlement, /) -> None:
        crash, self.crash = self.crash, ""
        if crash == "before record":
            raise StoreUnavailable
        self._outcomes.record(settlement)
        self.recorded.append(settlement)
        if crash == "after record":
            raise KeyboardInterrupt

    def amend(self, outcomes: Sequence[Outcome], /) -> int:
        return self._outcomes.amend(outcomes)

    def outcomes(self, *, after: int, limit: int) -> Sequence[LoggedOutcome]:
        return self._outcomes.outcomes(after=after, limit=limit)

    def outcomes_of(self, event_id: str, /) -> Sequence[LoggedOutcome]:
        return self._outcomes.outcomes_of(event_id)

    def has_outcome(self, event_id: str, /, *, until: int) -> bool:
        return self._outcomes.has_outcome(event_id, until=until)

    def find_outcome(self, decision: int, /) -> LoggedOutcome | None:
        return self._outcomes.find_outcome(decision)

    def counts(self) -> OutcomeCounts:
        return self._outcomes.counts()


@dataclass
class World:
    """A loop in memory whose time is that of the last arrival, and the settler that lives in it."""

    history: Sequence[Arrival] = ()
    clock: Clock = field(default_factory=Clock)
    during: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        logs = MemoryStores(clock_us=self.clock).open(make_loop())
        self.events = Interrupted(logs.events, self._arrive_during)
        self.outcomes = Mortal(logs.outcomes)
        self.coming = list(self.history)
        self.restart()

    def restart(self) -> None:
        self.settler = Settler(self.events, self.outcomes)

    def arrive(self, count: int = 1) -> None:
        for arrival in self.coming[:count]:
            self.clock.now_us += arrival.after_us
            self.events.append([arrival.event])
        del self.coming[:count]

    def _arrive_during(self) -> None:
        if self.during:
            self.arrive(self.during.pop(0))

    def live(self, steps: Sequence[Step], settings: LoopSettings) -> None:
        """Live through the steps."""
        for step in steps:
            self.arrive(step.arrivals_before)
            self.during = list(step.arrivals_during)
            if step.crash == "restart":
                self.restart()
            else:
                self.outcomes.crash = step.crash
            self.try_step(settings, limit=step.limit)
            self.during, self.outcomes.crash = [], ""

    def try_step(self, settings: LoopSettings, *, limit: int) -> None:
        try:
            self.settler.step(settings, settings_version=1, limit=limit)
        except StoreUnavailable:
            pass  # the process lives on, and so does the settler
        except KeyboardInterrupt:
            self.restart()

    def finish(self, settings: LoopSettings) -> None:
        """Let everything arrive, every window end, and everything be settled."""
        self.arrive(len(self.coming))
        self.clock.now_us += settings.reward_wait_time.seconds * S + 2 * BEFORE_S * S
        while self.settler.step(settings, settings_version=1):
            pass

    def heads(self) -> Sequence[DecisionHeader]:
        return self.events.heads(after=0, limit=10_000)

    def observed(self) -> Sequence[LoggedObservation]:
        return self.events.observations(after=0, limit=10_000)

    def settled(self) -> list[LoggedOutcome]:
        return list(self.outcomes.outcomes(after=0, limit=10_000))

    def results(self) -> dict[int, tuple[float, bool, tuple[int, ...]]]:
        """Reward, learnable and the observations that took part, of each settled decision."""
        outcomes = [logged.outcome for logged in self.settled()]
        return {
            o.decision_seq: (o.reward, o.learnable, tuple(joined.seq for joined in o.joined)) for o in outcomes
        }

    def unmatched(self) -> dict[int, str]:
        return {
            unmatched_observation.observation_seq: unmatched_observation.reason
            for step in self.outcomes.recorded
            for unmatched_observation in step.unmatched
        }


def owners(world: World, settings: LoopSettings) -> dict[int, int | None]:
    """For each observation the decision to which it belongs: the earliest that may have it."""
    wait_us = settings.reward_wait_time.seconds * S
    found: dict[int, int | None] = {}
    for seen in world.observed():
        mine = [head for head in world.heads() if head.event_id == seen.observation.event_id]
        fits = [h.seq for h in mine if h.at_us - BEFORE_S * S < seen.at_us < h.at_us + wait_us]
        found[seen.seq] = min(fits, default=None)
    return found


def expected_strays(world: World, settings: LoopSettings) -> dict[int, str]:
    """Late is what came after a decision that could not have it any more; dangling, what met none."""
    unmatched: dict[int, str] = {}
    belongs_to = owners(world, settings)
    for seen in world.observed():
        if belongs_to[seen.seq] is None:
            mine = [head for head in world.heads() if head.event_id == seen.observation.event_id]
            unmatched[seen.seq] = "late" if any(head.at_us <= seen.at_us for head in mine) else "dangling"
    return unmatched


def expected(world: World, settings: LoopSettings) -> dict[int, tuple[int, float, bool, tuple[int, ...]]]:
    """For ``earliest`` and ``sum``: due time, reward, learnable and joined observations of each decision."""
    belongs_to = owners(world, settings)
    at_once = settings.reward_aggregation == "earliest" and settings.learn_when == "reward"
    found: dict[int, tuple[int, float, bool, tuple[int, ...]]] = {}
    for head in world.heads():
        due_us = head.at_us + settings.reward_wait_time.seconds * S
        joined: list[int] = []
        rewards: list[float] = []
        active = not head.deferred
        for seen in world.observed():
            if belongs_to[seen.seq] != head.seq:
                continue
            joined.append(seen.seq)
            if seen.observation.reward is None:
                active = True
            else:
                rewards.append(seen.observation.reward)
            if at_once and active and rewards:
                due_us = max(head.at_us, seen.at_us)
                break
        if settings.reward_aggregation == "sum":
            reward = sum(rewards) if rewards else settings.default_reward
        else:
            reward = rewards[0] if rewards else settings.default_reward
        found[head.seq] = (due_us, reward, active, tuple(joined))
    return found
