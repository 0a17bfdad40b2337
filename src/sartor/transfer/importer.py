"""Imports saved logs into a loop, line by line, each decision once, however often it is interrupted.

Lines are read, checked and imported in batches; what is committed stays, and is skipped the next time. So there
is nothing to resume: an import that was killed is started again.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import msgspec
from msgspec import Struct

from sartor.access import request_size
from sartor.dsjson.parse.lines import REASONS, RejectedLine, parse_line
from sartor.errors import LocationUnavailable
from sartor.features import Features
from sartor.ports import History, LoopStores
from sartor.records import Decision, ImportedDecision
from sartor.settings import Limits
from sartor.transfer import log_files
from sartor.transfer.locations import File, FileLocation

_REASONS = {
    **{str(kind): reason for kind, reason in REASONS.items()},
    "repeated": "it is here already",
    "too large": "more features than an engine can cross in reasonable time",
    "other slots": "decisions of the other kind than the loop's: of several slots, or of one",
}


class SkippedLines(Struct, kw_only=True):
    """Lines of one kind that were not imported. ``first``: where the first is, and what is wrong with it."""

    lines: int
    reason: str
    first: str


class PassedFile(Struct, frozen=True, kw_only=True):
    """A file that was skipped, or could not be read to its end."""

    file: str
    reason: str


class ImportSummary(Struct, kw_only=True):
    """What became of the lines and files so far. ``taken``: imported decisions by kind of line."""

    files: int = 0
    lines: int = 0
    taken: dict[str, int] = {}
    skipped: dict[str, SkippedLines] = {}
    passed: list[PassedFile] = []
    damaged: list[PassedFile] = []

    @property
    def total_taken(self) -> int:
        """Decisions that were imported, of both kinds."""
        return sum(self.taken.values())

    def add_decision(self, *, several_slots: bool) -> None:
        """Counts a decision that was imported."""
        kind = "multi-slot" if several_slots else "single-slot"
        self.taken[kind] = self.taken.get(kind, 0) + 1

    def add_skipped(self, kind: str, *, where: str, why: str = "") -> None:
        """Counts a line that was not imported."""
        reason = _REASONS[kind]
        if kind in self.skipped:
            self.skipped[kind].lines += 1
        else:
            first = f"{where}: {why}" if why and why != reason else where
            self.skipped[kind] = SkippedLines(lines=1, reason=reason, first=first)

    def add_rejected(self, found: RejectedLine, *, where: str) -> None:
        """Counts a line that holds no decision."""
        self.add_skipped(found.kind, where=where, why=found.reason)

    @property
    def is_clean(self) -> bool:
        """Whether no line and no file was refused that should have held decisions."""
        refused = {"no probabilities", "reward", "invalid", "corrupt", "too large", "other slots"}
        return not self.damaged and refused.isdisjoint(self.skipped)


_REPORT_EVERY = 1_000


class FoundLogs(Struct, frozen=True, kw_only=True):
    """The logs at a location, and the files there that are none."""

    location: FileLocation
    logs: Sequence[File]
    passed: Sequence[PassedFile]

    @property
    def size(self) -> int:
        """Bytes of all logs."""
        return sum(file.size for file in self.logs)


def find_logs(location: FileLocation, /) -> FoundLogs:
    """Finds the logs at a location, in the order in which they were written.

    Raises:
        LocationUnavailable: it can't be read, or there is nothing.
    """
    everything = [(file, log_files.reject_reason(file)) for file in location.files()]
    return FoundLogs(
        location=location,
        logs=[file for file, reason in everything if reason is None],
        passed=[PassedFile(file=file.path, reason=reason) for file, reason in everything if reason is not None],
    )


class Importer:
    """Imports logs into the history of one loop."""

    def __init__(
        self,
        history: History | None,
        /,
        *,
        several_slots: bool,
        alone: bool,
        is_own: Callable[[ImportedDecision], bool] = lambda _: False,
    ) -> None:
        """Prepares; nothing is read yet.

        Args:
            history: where the decisions go; None: nowhere, lines are only read and counted.
            several_slots: whether the loop decides over several slots.
            alone: whether no service runs that would wait for this.
            is_own: whether the loop has made the decision of a line itself.
        """
        self.summary = ImportSummary(taken={}, skipped={}, passed=[], damaged=[])
        self._history = history
        self._is_own = is_own
        self._several_slots = several_slots
        self._batch_size = AdaptiveBatch(alone=alone)
        self._limits = Limits()
        self._batch: list[tuple[ImportedDecision, str]] = []
        self._source = 0

    def import_logs(self, found: FoundLogs, /, *, on_progress: Callable[[int], None] = lambda _: None) -> None:
        """Imports all logs of a location. ``on_progress`` gets the bytes that were read so far.

        Raises:
            StoreUnavailable: not everything was imported; repeat it.
        """
        self.summary.passed += found.passed
        done = 0
        for file in found.logs:
            self._import_file(found.location, file, on_progress, before=done)
            done += file.size
            on_progress(done)

    def _import_file(
        self, location: FileLocation, file: File, on_progress: Callable[[int], None], *, before: int
    ) -> None:
        self._source = secrets.randbits(62)
        reading = log_files.LogFileReader(location, file)
        self.summary.files += 1
        try:
            for number, line in enumerate(reading.lines(), 1):
                self._import_line(line, f"{file.path}:{number}")
                if number % _REPORT_EVERY == 0:
                    on_progress(before + reading.read_bytes)
        except LocationUnavailable as error:
            self.summary.damaged.append(PassedFile(file=file.path, reason=error.message))
        self._flush()

    def _import_line(self, line: bytes | None, where: str) -> None:
        self.summary.lines += 1
        found = RejectedLine("corrupt", "The line is too long.") if line is None else parse_line(line)
        if isinstance(found, RejectedLine):
            self.summary.add_rejected(found, where=where)
        elif bool(found.decision.slots) is not self._several_slots:
            self.summary.add_skipped("other slots", where=where)
        elif not fits_limits(found.decision, line or b"", limits=self._limits):
            self.summary.add_skipped("too large", where=where)
        elif self._is_own(found):
            self.summary.add_skipped("repeated", where=where)
        else:
            self._batch.append((found, where))
            if len(self._batch) >= self._batch_size.lines:
                self._flush()

    def _flush(self) -> None:
        if self._batch:
            self._batch_size.run(self._write_batch)

    def _write_batch(self) -> None:
        batch, self._batch = self._batch, []
        lines = [line for line, _ in batch]
        is_new = [True] * len(lines)
        if self._history is not None:
            is_new = list(self._history.import_decisions(lines, source=self._source))
        for (line, where), new in zip(batch, is_new, strict=True):
            if new:
                self.summary.add_decision(several_slots=bool(line.decision.slots))
            else:
                self.summary.add_skipped("repeated", where=where)


class OwnDecisions:
    """The decisions of a loop that were not imported."""

    def __init__(self, logs: LoopStores, /, *, since_us: int) -> None:
        """Prepares; nothing is read yet. ``since_us``: when the loop was created: it decided nothing before."""
        self._logs = logs
        self._since_us = since_us
        self._times: dict[str, frozenset[int]] = {}

    def contains(self, line: ImportedDecision, /) -> bool:
        """Whether the decision of a line was made by this loop, and settled; costs a look-up for a new id."""
        if line.made_at_us < self._since_us:
            return False
        event_id = line.decision.event_id
        if event_id not in self._times:
            if len(self._times) >= _MOST_REMEMBERED:
                self._times.clear()
            self._times[event_id] = frozenset(self._read_times(event_id))
        return line.made_at_us in self._times[event_id]

    def _read_times(self, event_id: str) -> Iterator[int]:
        # Any number of decisions may share an event id: they are read once, not for each line.
        for logged in self._logs.outcomes.outcomes_of(event_id):
            for decision in self._logs.events.decisions(after=logged.outcome.decision_seq - 1, limit=1):
                if not decision.imported:
                    yield decision.at_us


_MOST_REMEMBERED = 1_000
"""Event ids whose decisions are remembered while lines are imported."""

_LARGEST = 2_000
_SMALLEST = 20
_LONG_S = 0.008


class AdaptiveBatch:
    """Chooses how many lines are written at once. Beside a service writes are short, with pauses between."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self.lines = _LARGEST if alone else 100

    def run(self, work: Callable[[], None], /) -> None:
        """Writes a batch of ``lines`` lines with ``work``, and pauses beside a service."""
        start_s = time.monotonic()
        work()
        took_s = time.monotonic() - start_s
        if not self._alone:
            halved, doubled = max(_SMALLEST, self.lines // 2), min(_LARGEST, self.lines * 2)
            self.lines = halved if took_s > _LONG_S else doubled
            time.sleep(took_s)


_decode = msgspec.json.Decoder(Features).decode


def fits_limits(decision: Decision, line: bytes, /, *, limits: Limits) -> bool:
    """Whether it has no more features, and no more pairs of them, than the limits allow."""
    looks = max(1, len(decision.slots))
    if request_size.fits_at_a_glance(line, actions=looks * len(decision.actions), limits=limits):
        return True
    context = request_size.count_features(_decode(decision.context))
    actions = [request_size.count_features(_decode(action.features)) for action in decision.actions]
    slots = [request_size.count_features(_decode(slot.features)) for slot in decision.slots]
    total = sum(chain([context], actions, slots))
    pairs = looks * request_size.count_pairs(context + max(slots, default=0), actions)
    return total <= limits.features and pairs <= limits.feature_pairs
