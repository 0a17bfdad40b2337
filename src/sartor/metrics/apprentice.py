"""How well the model imitates the baseline in Apprentice mode (contract, section 2.6): a fold over outcomes.

Memory is constant, and folding on from a checkpoint gives the same as folding everything. Of several slots the
first one counts. See ``checkpointed_fold.py``.
"""

import math

import msgspec
from msgspec import Struct, field

from sartor.errors import Corrupt
from sartor.metrics.checkpointed_fold import CheckpointedFold, FoldDefinition, read_current
from sartor.numbers import LARGEST_REWARD
from sartor.ports import BlobStore, LoopStores
from sartor.records import Decision, LoggedDecision, Outcome

RECENT = 1_000
"""How many of the newest events the metrics show by themselves."""


class MatchSums(Struct, frozen=True, kw_only=True):
    """Sums over some decisions. ``imitated``: the model chose the baseline, which is what was shown."""

    events: int = 0
    imitated: int = 0
    rewards: float = 0.0
    imitated_rewards: float = 0.0

    @property
    def baseline_average(self) -> float:
        """The mean reward of the baseline for each event; 0 without any."""
        return self.rewards / self.events if self.events else 0.0

    @property
    def model_average(self) -> float:
        """The mean reward of the model for each event, as if it had earned nothing where it chose otherwise."""
        return self.imitated_rewards / self.events if self.events else 0.0

    @property
    def reward_sums(self) -> tuple[float, float]:
        """The two sums of rewards."""
        return self.rewards, self.imitated_rewards

    @property
    def ratio(self) -> float | None:
        """The share of the baseline's reward that the model achieves; None: the baseline earned nothing."""
        return self.imitated_rewards / self.rewards if self.rewards else None


class ApprenticeMatch(Struct, frozen=True, kw_only=True):
    """All decisions in Apprentice mode, and the last thousand. Times are those of the decisions."""

    start_us: int
    last_us: int
    total: MatchSums
    recent: MatchSums


class ApprenticeMatchFold(Struct, kw_only=True):
    """The fold. ``last``: the outcome up to which it went, of the log in its ``revision``."""

    revision: int = 0
    last: int = 0
    start_us: int = 0
    last_us: int = 0
    total: MatchSums = field(default_factory=MatchSums)
    recent: list[tuple[bool, float]] = []

    def add(self, seq: int, outcome: Outcome, logged: LoggedDecision | None, /) -> None:
        """Take in the next outcome; only ``last`` moves where it does not count."""
        self.last = seq
        if logged is None or logged.decision.mode != "Apprentice":
            return
        if not outcome.learnable or not outcome.is_in_range:
            return
        imitated = _imitates(logged.decision)
        self.start_us = self.start_us or logged.at_us
        self.last_us = logged.at_us
        self.total = MatchSums(
            events=self.total.events + 1,
            imitated=self.total.imitated + imitated,
            rewards=self.total.rewards + outcome.reward,
            imitated_rewards=self.total.imitated_rewards + (outcome.reward if imitated else 0.0),
        )
        self.recent = [*self.recent[1 - RECENT :], (imitated, outcome.reward)]

    def metrics(self) -> ApprenticeMatch | None:
        """What was counted; None: the loop never decided in Apprentice mode."""
        if not self.total.events:
            return None
        recent = MatchSums(
            events=len(self.recent),
            imitated=sum(imitated for imitated, _ in self.recent),
            rewards=math.fsum(reward for _, reward in self.recent),
            imitated_rewards=math.fsum(reward for imitated, reward in self.recent if imitated),
        )
        return ApprenticeMatch(start_us=self.start_us, last_us=self.last_us, total=self.total, recent=recent)

    def state(self) -> bytes:
        """A checkpoint."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_state(cls, state: bytes, /) -> "ApprenticeMatchFold":
        """The fold of a checkpoint.

        Raises:
            Corrupt: the bytes are not one.
        """
        try:
            fold = msgspec.msgpack.decode(state, type=cls)
        except msgspec.DecodeError as error:
            raise Corrupt(f"The metrics of Apprentice mode can't be read: {error}.") from error
        if not all(abs(sums) <= LARGEST_REWARD * fold.total.events for sums in fold.total.reward_sums):
            raise Corrupt("The metrics of Apprentice mode hold a reward from before rewards had a range.")
        return fold


class ApprenticeUpdater(CheckpointedFold[ApprenticeMatchFold]):
    """Keeps the metrics of one loop up to date. Start it only where the loop is in Apprentice mode."""

    def __init__(self, logs: LoopStores, /, *, loop_name: str = "") -> None:
        super().__init__(logs, APPRENTICE_MATCH, loop_name=loop_name)


def read_apprentice_match(logs: LoopStores, /) -> ApprenticeMatch | None:
    """The metrics as they are now; writes nothing. See ``read_current``.

    None: the loop never decided in Apprentice mode, or its learn process has counted nothing of it yet.

    Raises:
        StoreUnavailable: the log can't be read.
    """
    if logs.blobs.get(APPRENTICE_MATCH.name) is None:
        return None
    return read_current(logs, APPRENTICE_MATCH).metrics()


def read_checkpoint(blobs: BlobStore, /) -> ApprenticeMatch | None:
    """The metrics up to the checkpoint in a loop's blob store, some seconds ago; None: nothing.

    Raises:
        StoreUnavailable: it can't be read.
        Corrupt: it is not one.
    """
    state = blobs.get(APPRENTICE_MATCH.name)
    return None if state is None else ApprenticeMatchFold.from_state(state).metrics()


def _imitates(decision: Decision) -> bool:
    return decision.chosen == decision.baseline


APPRENTICE_MATCH = FoldDefinition(
    name="apprentice",
    subject="The match with the baseline in Apprentice mode",
    action="apprentice_failed",
    create=lambda revision: ApprenticeMatchFold(revision=revision),
    from_state=ApprenticeMatchFold.from_state,
    add=lambda fold, joined: fold.add(joined.seq, joined.outcome, joined.decision),
)
