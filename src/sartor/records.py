"""The records: decisions, observations, outcomes, models, jobs, changes, and the requests behind decisions.

All are frozen. Times are whole microseconds since 1970 (UTC), named ``*_us``; sequence numbers start at 1 and
are assigned by the store. Feature blobs are JSON text (UTF-8) of an array of feature objects, already checked
against the contract; only ``dsjson`` and ``feature_names`` look inside them.
"""

from collections.abc import Collection
from typing import Literal

from msgspec import Struct

from sartor.numbers import is_reward

Mode = Literal["Online", "Apprentice", "LoggingOnly"]
UnmatchedReason = Literal["late", "dangling"]

NO_MODEL = "N/A"
"""The model id of decisions that were made before there was a model (contract, section 2.2)."""


def open_indexes(count: int, closed: Collection[int], /) -> tuple[int, ...]:
    """Returns the indexes of ``count`` actions that are not closed, in order."""
    if not closed:
        return tuple(range(count))
    return tuple([index for index in range(count) if index not in closed])


class Action(Struct, frozen=True, array_like=True):
    """One thing that could be shown. ``features``: JSON array of feature objects."""

    id: str
    features: bytes


class Slot(Struct, frozen=True, kw_only=True, array_like=True):
    """One slot of a multi-slot decision (contract, section 2.10), and the action that was drawn for it.

    Indexes are into the ``actions`` of the decision. ``probabilities`` has one entry for each action, in the
    order of the request: 0 for those that were excluded here or that an earlier slot took; it sums to 1.
    """

    id: str
    features: bytes
    excluded: tuple[int, ...]
    baseline: int
    probabilities: tuple[float, ...]
    ranking: tuple[int, ...]
    chosen: int


class Decision(Struct, frozen=True, kw_only=True, array_like=True):
    """One answered Rank: all that is needed to recompute it.

    ``excluded``, ``ranking`` and ``chosen`` are indexes into ``actions``. ``probabilities`` has one entry
    for each action, in the order of the request, 0 for the excluded, and sums to 1: the probabilities that were
    used in the draw. ``ranking`` is the order of the answer; ``chosen`` the action that was drawn.

    ``mode`` says what the record holds (contract, section 2.6). Apprentice: the model's draw, although the
    answer was the caller's own order. LoggingOnly: the baseline, with a propensity of 1, as it was shown.

    ``slots``: those of a multi-slot decision, in order; its own ``excluded``, ``probabilities``, ``ranking``
    and ``chosen`` are then those of the first slot. Empty for a single-slot decision.

    ``dropped``: the probability with which decisions like this were left out of the log that it was imported
    from, in [0, 1); it stands for 1 / (1 - ``dropped``) decisions.

    What was mixed into the model's probabilities (``mixture.py``): ``control_share``, of the control group, 0
    without one; ``control_feature``, whose value said who is in it, empty where the decision was drawn on its
    own; ``in_control``, whether it answered; ``floor``, under the probabilities of all actions together.
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
    slots: tuple[Slot, ...] = ()
    dropped: float = 0.0
    control_share: float = 0.0
    control_feature: str = ""
    in_control: bool = False
    floor: float = 0.0

    @property
    def baseline(self) -> int:
        """The application's own choice: the first action that is not excluded, or what the first slot names."""
        if self.slots:
            return self.slots[0].baseline
        return self.rankable[0]

    @property
    def propensity(self) -> float:
        """The probability with which the chosen action was chosen, in (0, 1]."""
        return self.probabilities[self.chosen]

    @property
    def rankable(self) -> tuple[int, ...]:
        """The indexes of the actions that were not excluded, in the order of the request."""
        return open_indexes(len(self.actions), self.excluded)

    def offered(self, slot: int = 0, /) -> tuple[int, ...]:
        """The indexes of the actions that a slot could take, in the order of the request.

        Those that it excludes, or that a slot before it took, are left out. ``slot`` counts from 0 and is 0
        for a single-slot decision.
        """
        if not self.slots:
            return self.rankable
        taken = [one.chosen for one in self.slots[:slot]]
        return open_indexes(len(self.actions), {*self.slots[slot].excluded, *taken})


class Observation(Struct, frozen=True, kw_only=True, array_like=True):
    """One reward as it arrived, unchanged; or an activation, when ``reward`` is None.

    ``slot``: the id of the slot that a multi-slot reward is for.
    """

    event_id: str
    reward: float | None = None
    slot: str | None = None


class DecisionHeader(Struct, frozen=True, array_like=True):
    """What settling needs of a decision: all but its features. ``slots``: slot ids of a multi-slot decision.

    ``at_us`` is the time of the commit. ``outcome``: that of an imported decision, which came with it.
    """

    seq: int
    at_us: int
    event_id: str
    deferred: bool
    slots: tuple[str, ...] = ()
    outcome: "Outcome | None" = None


class LoggedDecision(Struct, frozen=True, array_like=True):
    """A decision with its number and the time at which it was committed.

    ``imported``: it was made elsewhere, at ``at_us``, which may be earlier than that of decisions before it.
    """

    seq: int
    at_us: int
    decision: Decision
    imported: bool = False


class LoggedObservation(Struct, frozen=True, array_like=True):
    """An observation with its number and the time at which it was committed."""

    seq: int
    at_us: int
    observation: Observation


class Horizon(Struct, frozen=True, kw_only=True):
    """How far the event log reaches: events that are not counted here will have a time of ``now_us`` or later.

    ``decisions`` and ``observations`` are the last numbers that were assigned; after retention the log begins
    with ``first_decision`` and ``first_observation``.
    """

    now_us: int
    decisions: int
    observations: int
    first_decision: int = 1
    first_observation: int = 1


class Usage(Struct, frozen=True, kw_only=True):
    """How many ranks and rewards a loop had on one day (UTC). ``day_us``: when the day began."""

    day_us: int
    decisions: int
    rewards: int


class JoinedObservation(Struct, frozen=True, array_like=True):
    """An observation that is part of an outcome. ``reward`` is None for an activation.

    ``seq`` is 0 where it came with an imported decision; ``at_us`` is then when that was made.
    """

    seq: int
    at_us: int
    reward: float | None
    slot: str | None = None


class Outcome(Struct, frozen=True, kw_only=True, array_like=True):
    """A settled decision. ``learnable`` is False where it was deferred and never activated.

    ``reward`` is the aggregated reward, or the default reward where none was observed. ``slot_rewards``: the
    same for each slot of a multi-slot decision, in order; ``reward`` is then that of the first slot.
    ``corrected``: the reward was replaced by hand; it stands whatever the observations are.
    """

    decision_seq: int
    event_id: str
    reward: float
    learnable: bool
    joined: tuple[JoinedObservation, ...]
    settled_at_us: int
    settings_version: int
    slot_rewards: tuple[float, ...] = ()
    corrected: bool = False

    @property
    def is_in_range(self) -> bool:
        """Whether its rewards are such as are accepted now.

        Others were recorded before rewards had a range, and are set aside wherever rewards are summed.
        """
        return is_reward(self.reward) and all(map(is_reward, self.slot_rewards))


class ImportedDecision(Struct, frozen=True, kw_only=True):
    """A decision that was made and settled elsewhere, with its outcome, from a log of that place.

    ``made_at_us``: when it was made. Number and time of the outcome are assigned when it is imported.
    """

    decision: Decision
    made_at_us: int
    outcome: Outcome


class LoggedOutcome(Struct, frozen=True, array_like=True):
    """An outcome with its number: the order in which the loop learns."""

    seq: int
    outcome: Outcome


class UnmatchedObservation(Struct, frozen=True, array_like=True):
    """An observation that will never be learned: it came late, or there is no decision with its event id."""

    observation_seq: int
    reason: UnmatchedReason


class Cursor(Struct, frozen=True, array_like=True):
    """Where settling resumes: every decision and observation up to these numbers is finished."""

    decisions: int = 0
    observations: int = 0


class Settlement(Struct, frozen=True, kw_only=True):
    """One step of settling; a store records it whole or not at all."""

    outcomes: tuple[Outcome, ...]
    unmatched: tuple[UnmatchedObservation, ...]
    cursor: Cursor


class OutcomeCounts(Struct, frozen=True, kw_only=True):
    """Totals of one loop's outcome log.

    After retention it begins with ``first_outcome``. Decisions up to number ``forgotten`` may still be in the
    event log although their outcomes are gone.
    """

    outcomes: int
    last_outcome: int
    learnable: int
    late: int
    dangling: int
    revision: int = 0
    cursor: Cursor = Cursor()
    first_outcome: int = 1
    forgotten: int = 0


class Model(Struct, frozen=True, kw_only=True):
    """The lineage of a model: everything about it but its bytes.

    It equals an empty engine with ``arguments`` that learned the learnable outcomes numbered
    ``first_outcome`` … ``last_outcome``, in order; ``learned`` of them in all. ``last_outcome`` may be
    ``first_outcome - 1``: nothing learned yet.

    ``generation``: grows when the loop's model is reset, imported or replaced; a trainer goes on only with
    models of the loop's generation. ``base_id``: the imported model with which the lineage began in place of
    an empty engine. ``revision``: the revision of the outcome log that was learned; see ``OutcomeLog.amend``.
    """

    model_id: str
    parent_id: str | None
    arguments: str
    settings_version: int
    first_outcome: int
    last_outcome: int
    learned: int
    created_at_us: int
    generation: int = 1
    base_id: str | None = None
    revision: int = 0


class AuditEntry(Struct, frozen=True, kw_only=True):
    """An entry of the audit log: who changed what in which loop. It holds no key and no other secret.

    ``before`` and ``after``: JSON, the values that were changed; ``null`` where there was, or is, nothing.
    """

    by: str
    action: str
    loop: str = ""
    loop_id: str = ""
    before: bytes = b"null"
    after: bytes = b"null"


class LoggedAuditEntry(Struct, frozen=True, kw_only=True):
    """An audit entry with its number, the time of its commit, and a digest of it and all before it."""

    seq: int
    at_us: int
    entry: AuditEntry
    digest: bytes


class ModelNote(Struct, frozen=True, kw_only=True):
    """A person's note on a model whose bytes are kept. ``saved``: keep them until they are removed by name."""

    model_id: str
    saved: bool = False
    description: str = ""


LONGEST_LEASE_US = 3_600_000_000
"""An hour: no lease of a job, and no pause before it is begun again, is longer."""

JobState = Literal["pending", "running", "succeeded", "failed", "canceled"]


class Job(Struct, frozen=True, kw_only=True):
    """A long computation for a loop: an evaluation, a feature importance. ``job_id`` is unique in its loop.

    ``spec`` and ``result`` are JSON, with the meaning that ``kind`` gives them. ``progress``: 0 to 1.
    ``lease_until_us``: when another worker may claim it, unless the one that did renews its lease before.
    """

    job_id: str
    kind: str
    spec: bytes
    created_at_us: int
    state: JobState = "pending"
    progress: float = 0.0
    description: str = ""
    result: bytes = b""
    started_at_us: int = 0
    finished_at_us: int = 0
    lease_until_us: int = 0
    attempts: int = 0


class RankInput(Struct, frozen=True, kw_only=True):
    """A single-slot Rank request. ``excluded``: distinct indexes into ``actions``; at least one isn't."""

    event_id: str
    context: bytes
    actions: tuple[Action, ...]
    excluded: tuple[int, ...] = ()
    deferred: bool = False

    @property
    def rankable(self) -> tuple[int, ...]:
        """The indexes of the actions that were not excluded, in the order of the request."""
        return open_indexes(len(self.actions), self.excluded)


class SlotInput(Struct, frozen=True, kw_only=True):
    """One slot of a request. ``excluded`` and ``baseline`` index the actions; the baseline is not excluded."""

    id: str
    features: bytes
    baseline: int
    excluded: tuple[int, ...] = ()


class MultiSlotInput(Struct, frozen=True, kw_only=True):
    """A multi-slot Rank request: at most as many slots as actions, each with a different baseline."""

    event_id: str
    context: bytes
    actions: tuple[Action, ...]
    slots: tuple[SlotInput, ...]
    deferred: bool = False
