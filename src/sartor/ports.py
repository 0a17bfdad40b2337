"""The protocols of stores and engines, on one page. Nothing above this file knows which implementation it has.

Every store may block for the duration of a disk write, and never longer on purpose. All methods of the logs
raise ``StoreUnavailable`` when the store can't be read or written; nothing is written then. The contract suite
in ``tests/contract`` runs on every implementation, the in-memory one included.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from sartor.clocks import ClockRecords as ClockRecords
from sartor.engines import Engine as Engine
from sartor.engines import EngineFactory as EngineFactory
from sartor.loops import AuditLog as AuditLog
from sartor.loops import Catalog as Catalog
from sartor.loops import Loop as Loop
from sartor.problems import ProcessReports as ProcessReports
from sartor.records import (
    Decision,
    DecisionHeader,
    Horizon,
    ImportedDecision,
    Job,
    LoggedDecision,
    LoggedObservation,
    LoggedOutcome,
    Model,
    ModelNote,
    Observation,
    Outcome,
    Settlement,
    Usage,
)
from sartor.records import OutcomeCounts as OutcomeCounts


class EventLog(Protocol):
    """Decisions and observations of one loop as they arrived, numbered from 1 without gaps.

    Append-only, except for ``Maintenance``: ``apply_retention`` removes from the beginning, ``erase`` blanks.
    """

    def append(self, events: Sequence[Decision | Observation], /) -> None:
        """Commit all of the events, or none; they are durable when this returns.

        The store assigns numbers and the time of the commit; a time is never before that of an earlier horizon.
        """

    def horizon(self) -> Horizon:
        """How far the log reaches now. An event committed later carries a time ≥ ``now_us``, in any process."""

    def heads(self, *, after: int, limit: int) -> Sequence[DecisionHeader]:
        """The next decisions after a number, in order, without their features."""

    def decisions(self, *, after: int, limit: int) -> Sequence[LoggedDecision]:
        """The next decisions after a number, in order."""

    def observations(self, *, after: int, limit: int) -> Sequence[LoggedObservation]:
        """The next observations after a number, in order."""


class UnsettledIndex(Protocol):
    """Finds decisions of one loop that have no outcome yet; the others are found by their outcomes."""

    def find_unsettled(self, event_id: str, /, *, settled: int) -> Sequence[int]:
        """The numbers of the decisions after ``settled`` with this event id, in order: a look-up, no search."""


class History(Protocol):
    """Imports decisions that were made and settled elsewhere into the event log of one loop."""

    def import_decisions(self, lines: Sequence[ImportedDecision], /, *, source: int) -> Sequence[bool]:
        """Commit those that are new, in order, or nothing; returns for each whether it was new.

        They get the next numbers of the log, and ``heads`` returns their outcomes with them. Two with the same
        time and event id are the same if they come from different sources, and different if from one source
        (two ranks may share an id). They don't count as usage.

        Args:
            lines: what to import. An append waits meanwhile: about a hundred at a time beside a service.
            source: a number for the file that they come from, new for each reading of it.

        Raises:
            StoreUnavailable: the log can't be written now.
        """


class OutcomeLog(Protocol):
    """Settled decisions of one loop, in the order in which they are learned. One writer: the learn process."""

    def record(self, settlement: Settlement, /) -> None:
        """Add the outcomes and unmatched observations and move the cursor, atomically.

        Raises:
            Corrupt: an outcome for a decision that has one; a decision gives at most one outcome.
        """

    def amend(self, outcomes: Sequence[Outcome], /) -> int:
        """Replace the outcomes of decisions that have one. Raises the revision and returns it.

        Their numbers stay, and the times at which they were settled, whatever their ``settled_at_us``. An
        outcome that was erased (its event id is empty) stays as it is, and so does one that was corrected,
        unless it is corrected again.

        Raises:
            Corrupt: a decision has no outcome; nothing is amended then.
        """

    def outcomes(self, *, after: int, limit: int) -> Sequence[LoggedOutcome]:
        """The next outcomes after a number, in order."""

    def outcomes_of(self, event_id: str, /) -> Sequence[LoggedOutcome]:
        """The outcomes of the decisions with this event id, in order (two ranks may share an id)."""

    def has_outcome(self, event_id: str, /, *, until: int) -> bool:
        """Whether a decision with this event id, and this number or a lower one, has an outcome."""

    def find_outcome(self, decision: int, /) -> LoggedOutcome | None:
        """The outcome of the decision with this number; None: it has none. Costs the same for any event id."""

    def counts(self) -> OutcomeCounts:
        """Returns the totals, the last outcome's number, the revision, and where settling resumes."""


class ModelRegistry(Protocol):
    """The models of one loop: the live one, the imported ones, and the newest, with their bytes."""

    def publish(self, model: Model, blob: bytes, /, *, live: bool, keep: int = 20) -> None:
        """Add a model, atomically; make it the live one if ``live``. Prunes all but the newest ``keep``."""

    def history(self, *, limit: int | None = None) -> Sequence[Model]:
        """The lineage of the newest models, newest first, also of those whose bytes are gone; None: of all."""

    def blob(self, model_id: str, /) -> bytes:
        """The bytes of a model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
        """

    def live(self) -> Model | None:
        """The model that serves; cheap enough to be called several times a second."""

    def promote(self, model_id: str | None, /) -> None:
        """Make this model the live one; None: no model, decisions are uniform.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
        """


class ModelNotes(Protocol):
    """People's notes on the models of one loop, and the removal of models."""

    def all(self) -> Sequence[ModelNote]:
        """One for each model whose bytes are there, newest first."""

    def note(self, note: ModelNote, /) -> None:
        """Replace the note on a model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
        """

    def remove(self, model_id: str, /) -> None:
        """Remove the bytes of a model that does not serve; its lineage stays in the history.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            ModelInUse: it is the live one.
        """


class JobQueue(Protocol):
    """The long computations of one loop, oldest first. Any process adds jobs, the work process claims them."""

    def put(self, job: Job, /, *, most_waiting: int | None = None) -> None:
        """Add a job, unless ``most_waiting`` are waiting already; None: any number may.

        Raises:
            JobExists: the id is taken.
            QueueFull: so many are waiting.
        """

    def count_waiting(self) -> int:
        """How many jobs wait; one that is running does not. Reads none of them."""

    def find(self, job_id: str, /) -> Job | None:
        """The job with an id; None: there is none. Reads no other job."""

    def jobs(self, *, kind: str | None = None) -> Sequence[Job]:
        """All jobs, or those of a kind, oldest first."""

    def claim(self, *, now_us: int, lease_us: int) -> Job | None:
        """Start the oldest job that is pending, or running with an expired lease; None: there is none.

        A lease that ends later than ``LONGEST_LEASE_US`` from now was taken before the clock was set back.
        """

    def update(self, job: Job, /) -> bool:
        """Replace a job. False, and nothing written, if it was deleted or canceled meanwhile."""

    def delete(self, job_id: str, /) -> None:
        """Remove a job, whatever its state; one that runs is stopped by its worker.

        Raises:
            JobNotFound: there is no such job.
        """


class BlobStore(Protocol):
    """Named blobs of one loop that could be computed again: checkpoints, models of evaluations."""

    def put(self, name: str, content: bytes, /) -> None:
        """Store or replace a blob, whole or not at all; it is durable when this returns."""

    def get(self, name: str, /) -> bytes | None:
        """Returns the blob of that name, or None."""

    def names(self) -> Sequence[str]:
        """The names of all blobs, in order."""

    def delete(self, name: str, /) -> None:
        """Delete a blob; idempotent."""


class LoopStores(Protocol):
    """The stores of one loop, opened together."""

    @property
    def events(self) -> EventLog:
        """The decisions and observations."""

    @property
    def history(self) -> History:
        """The import of decisions made elsewhere."""

    @property
    def unsettled(self) -> UnsettledIndex:
        """The decisions that are not settled, by their event ids."""

    @property
    def outcomes(self) -> OutcomeLog:
        """The settled decisions."""

    @property
    def models(self) -> ModelRegistry:
        """The models that were learned from them."""

    @property
    def notes(self) -> ModelNotes:
        """The notes on models."""

    @property
    def jobs(self) -> JobQueue:
        """The long computations."""

    @property
    def blobs(self) -> BlobStore:
        """Results that are kept, and could be computed again."""

    def mark(self) -> Hashable:
        """A mark: equal to an earlier one only if no process committed in between, and none did lately."""

    def check(self) -> None:
        """Raise ``StoreUnavailable`` or ``Corrupt`` if no event could be committed or settled; cheap."""

    def close(self) -> None:
        """Release files and connections; idempotent."""


class Maintenance(Protocol):
    """The upkeep of the stores, away from the request path; nothing here delays an append for long."""

    def maintain(self, loop: Loop, /, *, sparing: bool = False) -> bool:
        """Do the housekeeping that must not happen on the request path (WAL checkpoints); may take 100 ms.

        ``sparing``: only what saves the next appends more time than it costs. Returns whether anything was due.
        """

    def apply_retention(self, loop: Loop, /, *, before_us: int) -> int:
        """Remove what was settled before a time: decisions, observations, outcomes and unmatched observations.

        The log loses its beginning: never what is still open, nor what came after it, nor the last of each
        kind, which keeps the numbering. It works in small steps, and takes a while.

        Returns:
            How many rows were removed.
        """

    def usage(self, loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
        """Returns the days with events that overlap [``from_us``, ``to_us``), in order.

        What ``apply_retention`` removed stays counted. The cost does not grow with a log that is maintained.
        """

    def erase(self, loop: Loop, /, *, decisions: Sequence[int]) -> Sequence[int]:
        """Blank the features and event ids of decisions, and the event ids of their rewards and outcomes.

        Models unlearn them: their outcomes are amended, and not learnable any more. The values are gone from
        the files when this returns. Repeating it does no harm; unknown numbers are ignored.

        Returns:
            The decisions that are still open, or whose rewards are: they are left as they are.

        Raises:
            StoreUnavailable: not all is erased, or readers keep old pages in use; repeat it.
        """

    def purge(self, *, now_us: int | None = None) -> Sequence[str]:
        """Remove the data of deleted loops that can't be recovered any more; returns their ids.

        ``now_us``: the time that counts; by default that of the clock.
        """

    def check_writable(self) -> None:
        """Raise ``StoreUnavailable`` if an event could not be committed now."""


class Stores(Maintenance, Protocol):
    """All stores of an instance: one catalog, one audit log, and the stores of each loop."""

    @property
    def catalog(self) -> Catalog:
        """The loops."""

    @property
    def audit(self) -> AuditLog:
        """Who changed what."""

    @property
    def reports(self) -> ProcessReports:
        """What the processes of the instance say about themselves."""

    @property
    def clock(self) -> ClockRecords:
        """What the instance knows of the clock of its machine."""

    def open(self, loop: Loop, /) -> LoopStores:
        """Open the stores of a loop, which are created at first use. The caller closes them."""

    def secret(self, name: str, make: Callable[[], bytes], /) -> bytes:
        """Returns a secret of the instance, made at first use and encrypted at rest; the same in every process.

        Raises:
            Corrupt: it was encrypted with another secret key, or damaged.
        """

    def close(self) -> None:
        """Release files and connections; idempotent. Whoever opened the stores of a loop closes them."""
