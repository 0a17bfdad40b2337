"""The facts: what was decided, what was observed, what came of it, and which model knew it.

All are frozen; times are whole microseconds since 1970 (UTC), named ``*_us``; sequence numbers start
at 1 and are given by the store. Feature blobs are JSON text (UTF-8) of an array of feature objects,
already checked against the contract; nobody but the ``dsjson`` codec looks inside them.
"""

from typing import Literal

from msgspec import Struct

Mode = Literal["Online", "Apprentice", "LoggingOnly"]
StrayReason = Literal["late", "dangling"]

NO_MODEL = "N/A"
"""The model id of decisions that were made before there was a model (contract, section 2.2)."""


class Action(Struct, frozen=True, array_like=True):
    """One thing that could be shown. ``features``: JSON array of feature objects."""

    id: str
    features: bytes


class Decision(Struct, frozen=True, kw_only=True, array_like=True):
    """One answered Rank: all that is needed to recompute it.

    ``excluded``, ``ranking`` and ``chosen`` are indexes into ``actions``. ``probabilities`` has one entry
    for each action, in the order of the request, 0 for the excluded, and sums to 1: the odds that were
    used in the draw. ``ranking`` is the order that was answered; ``chosen`` the action that was sampled.
    """

    event_id: str
    context: bytes
    actions: tuple[Action, ...]
    excluded: tuple[int, ...]
    probabilities: tuple[float, ...]
    ranking: tuple[int, ...]
    chosen: int
    model_id: str
    settings_version: int
    mode: Mode = "Online"
    deferred: bool = False

    @property
    def propensity(self) -> float:
        """The probability with which the chosen action was chosen, in (0, 1]."""
        return self.probabilities[self.chosen]

    @property
    def rankable(self) -> tuple[int, ...]:
        """The indexes of the actions that were not excluded, in the order of the request."""
        if not self.excluded:
            return tuple(range(len(self.actions)))
        return tuple(i for i in range(len(self.actions)) if i not in self.excluded)


class Observation(Struct, frozen=True, kw_only=True, array_like=True):
    """One reward as it arrived, kept as sent; or an activation, when ``reward`` is None."""

    event_id: str
    reward: float | None = None


class Head(Struct, frozen=True, array_like=True):
    """What settling needs of a decision, without its features."""

    seq: int
    at_us: int
    event_id: str
    deferred: bool


class LoggedDecision(Struct, frozen=True, array_like=True):
    """A decision with its number and the time at which it was committed."""

    seq: int
    at_us: int
    decision: Decision


class LoggedObservation(Struct, frozen=True, array_like=True):
    """An observation with its number and the time at which it was committed."""

    seq: int
    at_us: int
    observation: Observation


class Horizon(Struct, frozen=True, kw_only=True):
    """How far the event log reaches: all that is not counted here will carry a time of ``now_us`` or later."""

    now_us: int
    decisions: int
    observations: int


class Joined(Struct, frozen=True, array_like=True):
    """An observation that took part in an outcome. ``reward`` is None for an activation."""

    seq: int
    at_us: int
    reward: float | None


class Outcome(Struct, frozen=True, kw_only=True, array_like=True):
    """A settled decision. ``learnable`` is False where it was deferred and never activated.

    ``reward`` is the aggregated reward, or the default reward where none was observed.
    """

    decision_seq: int
    event_id: str
    reward: float
    learnable: bool
    joined: tuple[Joined, ...]
    settled_at_us: int
    settings_version: int


class LoggedOutcome(Struct, frozen=True, array_like=True):
    """An outcome with its number: the order in which the loop learns."""

    seq: int
    outcome: Outcome


class Stray(Struct, frozen=True, array_like=True):
    """An observation that will never be learned: it came late, or met no decision."""

    observation_seq: int
    reason: StrayReason


class Cursor(Struct, frozen=True, array_like=True):
    """Where settling resumes: every decision and observation up to these numbers is done with."""

    decisions: int = 0
    observations: int = 0


class Settlement(Struct, frozen=True, kw_only=True):
    """One step of settling; a store records it whole or not at all."""

    outcomes: tuple[Outcome, ...]
    strays: tuple[Stray, ...]
    cursor: Cursor


class Model(Struct, frozen=True, kw_only=True):
    """What is known of a model, besides its bytes: its lineage.

    It equals an empty engine with ``arguments`` that learned the learnable outcomes numbered
    ``first_outcome`` … ``last_outcome``, in order; ``learned`` of them in all. ``last_outcome`` may be
    ``first_outcome - 1``: nothing learned yet.
    """

    model_id: str
    parent_id: str | None
    arguments: str
    settings_version: int
    first_outcome: int
    last_outcome: int
    learned: int
    created_at_us: int
