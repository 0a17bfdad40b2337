"""Compares a loop with its baseline in windows of time or of events; memory grows with the number of windows.

A decision is matched when the model's choice is the baseline, and its reward is then counted as imitated
(contract, section 2.6). Decisions that were never activated don't count.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from sartor.joined_outcomes import read_joined_outcomes
from sartor.numbers import is_reward
from sartor.ports import EventLog, OutcomeLog
from sartor.records import Mode


class SettledChoice(Struct, frozen=True, kw_only=True):
    """The part of a settled decision that is counted; of a multi-slot decision its first slot."""

    at_us: int
    mode: Mode
    matched: bool
    reward: float


class MetricWindow(Struct, kw_only=True):
    """The sums of one window. ``start_us`` and ``end_us`` are its bounds.

    ``set_aside``: decisions that are in no sum, because their reward is out of range.
    """

    mode: Mode
    start_us: int
    end_us: int
    events: int = 0
    rewards: float = 0.0
    matched: int = 0
    imitated: float = 0.0
    set_aside: int = 0

    def add(self, choice: SettledChoice, /) -> None:
        """Count a decision; one whose reward is out of range is only set aside."""
        if not is_reward(choice.reward):
            self.set_aside += 1
            return
        self.events += 1
        self.rewards += choice.reward
        self.matched += choice.matched
        self.imitated += choice.reward if choice.matched else 0.0


Metrics = dict[Mode, list[MetricWindow]]
"""The windows that hold a decision, by learning mode, each in order of time."""


def windows_by_time(
    choices: Iterable[SettledChoice], /, *, start_us: int, end_us: int, width_us: int
) -> Metrics:
    """Windows of equal length from ``start_us`` on; the last one ends with ``end_us``."""
    found: dict[tuple[Mode, int], MetricWindow] = {}
    for choice in choices:
        if not start_us <= choice.at_us < end_us:
            continue
        number = (choice.at_us - start_us) // width_us
        if (choice.mode, number) not in found:
            first_us = start_us + number * width_us
            found[choice.mode, number] = MetricWindow(
                mode=choice.mode, start_us=first_us, end_us=min(first_us + width_us, end_us)
            )
        found[choice.mode, number].add(choice)
    return _group_by_mode(found[key] for key in sorted(found, key=lambda key: key[1]))


def windows_by_count(choices: Iterable[SettledChoice], /, *, count: int) -> Metrics:
    """Windows of equal numbers of decisions, in the order of settling; the last one may hold fewer."""
    found: Metrics = {}
    for choice in choices:
        windows = found.setdefault(choice.mode, [])
        if not windows or windows[-1].events == count:
            windows.append(MetricWindow(mode=choice.mode, start_us=choice.at_us, end_us=choice.at_us))
        window = windows[-1]
        window.start_us = min(window.start_us, choice.at_us)
        window.end_us = max(window.end_us, choice.at_us)
        window.add(choice)
    return found


def read_choices(
    events: EventLog, outcomes: OutcomeLog, /, *, after: int, until: int
) -> Iterator[SettledChoice]:
    """Reads what was settled with the numbers after one, up to and including another, in order.

    Raises:
        Corrupt: an outcome of a decision that is not in the log.
        StoreUnavailable: the log can't be read.
    """
    for joined in read_joined_outcomes(events, outcomes, after=after, limit=until - after, learnable_only=True):
        if joined.decision is not None:
            decision = joined.decision.decision
            yield SettledChoice(
                at_us=joined.decision.at_us,
                mode=decision.mode,
                matched=decision.chosen == decision.baseline,
                reward=joined.outcome.reward,
            )


def _group_by_mode(metrics: Iterable[MetricWindow]) -> Metrics:
    grouped: Metrics = {}
    for metric in metrics:
        grouped.setdefault(metric.mode, []).append(metric)
    return grouped
