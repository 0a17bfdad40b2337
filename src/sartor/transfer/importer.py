"""Saved logs into a loop: line by line, each decision once, however often and wherever it was interrupted.

Lines are read, checked and brought in batches; what is committed stays, and is passed over the next time. So
there is nothing to resume: an import that was killed is started again.
"""

import secrets
import time
from collections.abc import Callable, Sequence
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
    """Lines of one kind that were not taken. ``first``: where the first is, and what is wrong with it."""

    lines: int
    reason: str
    first: str


class PassedFile(Struct, frozen=True, kw_only=True):
    """A file that was passed over, or could not be read to its end."""

    file: str
    reason: str


class ImportSummary(Struct, kw_only=True):
    """The count so far. ``taken``: decisions by kind of line."""

    files: int = 0
    lines: int = 0
    taken: dict[str, int] = {}
    skipped: dict[str, SkippedLines] = {}
    passed: list[PassedFile] = []
    damaged: list[PassedFile] = []

    @property
    def taken_in_all(self) -> int:
        """Decisions that were taken, of both kinds."""
        return sum(self.taken.values())

    def take(self, *, several_slots: bool) -> None:
        """Count a decision that was taken."""
        kind = "multi-slot" if several_slots else "single-slot"
        self.taken[kind] = self.taken.get(kind, 0) + 1

    def skip(self, kind: str, *, where: str, why: str = "") -> None:
        """Count a line that was not taken."""
        reason = _REASONS[kind]
        if kind in self.skipped:
            self.skipped[kind].lines += 1
        else:
            said = f"{where}: {why}" if why and why != reason else where
            self.skipped[kind] = SkippedLines(lines=1, reason=reason, first=said)

    def unread(self, found: RejectedLine, *, where: str) -> None:
        """Count a line that gives no decision."""
        self.skip(found.kind, where=where, why=found.reason)

    @property
    def is_clean(self) -> bool:
        """Whether no line and no file was refused that should have told of decisions."""
        refused = {"no probabilities", "invalid", "corrupt", "too large", "other slots"}
        return not self.damaged and refused.isdisjoint(self.skipped)


_TOLD_EVERY = 1_000


class FoundLogs(Struct, frozen=True, kw_only=True):
    """The logs at a place, and the files there that are none."""

    place: FileLocation
    logs: Sequence[File]
    passed: Sequence[PassedFile]

    @property
    def size(self) -> int:
        """Bytes of all logs."""
        return sum(file.size for file in self.logs)


def find_logs(place: FileLocation, /) -> FoundLogs:
    """The logs at a place, in the order in which they were written.

    Raises:
        LocationUnavailable: it can't be read, or there is nothing.
    """
    everything = [(file, log_files.reject_reason(file)) for file in place.files()]
    return FoundLogs(
        place=place,
        logs=[file for file, reason in everything if reason is None],
        passed=[PassedFile(file=file.path, reason=reason) for file, reason in everything if reason is not None],
    )


class Importer:
    """Brings logs into the history of one loop."""

    def __init__(
        self,
        history: History | None,
        /,
        *,
        several_slots: bool,
        alone: bool,
        is_here: Callable[[ImportedDecision], bool] = lambda _: False,
    ) -> None:
        """Nothing is read yet.

        Args:
            history: where the decisions go; None: nowhere, lines are only read and counted.
            is_here: whether the loop has made the decision of a line itself.
            several_slots: whether the loop decides over several slots.
            alone: whether no service runs that would wait for this.
        """
        self.tally = ImportSummary(taken={}, skipped={}, passed=[], damaged=[])
        self._history = history
        self._is_here = is_here
        self._several_slots = several_slots
        self._pace = AdaptiveBatch(alone=alone)
        self._limits = Limits()
        self._batch: list[tuple[ImportedDecision, str]] = []
        self._source = 0

    def take(self, found: FoundLogs, /, *, tell: Callable[[int], None] = lambda _: None) -> None:
        """Take all logs of a place. ``tell`` is called now and then with the bytes that were read so far.

        Raises:
            StoreUnavailable: not all was taken; repeat it.
        """
        self.tally.passed += found.passed
        done = 0
        for file in found.logs:
            self._file(found.place, file, tell, before=done)
            done += file.size
            tell(done)

    def _file(self, place: FileLocation, file: File, tell: Callable[[int], None], *, before: int) -> None:
        self._source = secrets.randbits(62)
        reading = log_files.LogFileReader(place, file)
        self.tally.files += 1
        try:
            for number, line in enumerate(reading.lines(), 1):
                self._line(line, f"{file.path}:{number}")
                if number % _TOLD_EVERY == 0:
                    tell(before + reading.read_bytes)
        except LocationUnavailable as error:
            self.tally.damaged.append(PassedFile(file=file.path, reason=error.message))
        self._flush()

    def _line(self, line: bytes | None, where: str) -> None:
        self.tally.lines += 1
        found = RejectedLine("corrupt", "The line is too long.") if line is None else parse_line(line)
        if isinstance(found, RejectedLine):
            self.tally.unread(found, where=where)
        elif bool(found.decision.slots) is not self._several_slots:
            self.tally.skip("other slots", where=where)
        elif not fits_limits(found.decision, line or b"", limits=self._limits):
            self.tally.skip("too large", where=where)
        elif self._is_here(found):
            self.tally.skip("repeated", where=where)
        else:
            self._batch.append((found, where))
            if len(self._batch) >= self._pace.lines:
                self._flush()

    def _flush(self) -> None:
        if self._batch:
            self._pace.keep(self._bring)

    def _bring(self) -> None:
        batch, self._batch = self._batch, []
        lines = [line for line, _ in batch]
        news = [True] * len(lines)
        if self._history is not None:
            news = list(self._history.import_decisions(lines, source=self._source))
        for (line, where), new in zip(batch, news, strict=True):
            if new:
                self.tally.take(several_slots=bool(line.decision.slots))
            else:
                self.tally.skip("repeated", where=where)


class OwnDecisions:
    """The decisions of a loop that were not imported."""

    def __init__(self, logs: LoopStores, /, *, since_us: int) -> None:
        """Nothing is read yet. ``since_us``: when the loop was made; what is older it can't have decided."""
        self._logs = logs
        self._since_us = since_us

    def contains(self, line: ImportedDecision, /) -> bool:
        """Whether the decision of a line was made here, and settled. It costs a look-up."""
        return line.made_at_us >= self._since_us and any(
            decision.at_us == line.made_at_us and not decision.imported
            for logged in self._logs.outcomes.outcomes_of(line.decision.event_id)
            for decision in self._logs.events.decisions(after=logged.outcome.decision_seq - 1, limit=1)
        )


_LARGEST = 2_000
_SMALLEST = 20
_LONG_S = 0.008


class AdaptiveBatch:
    """Counts lines into batches. Beside a service each write is short, and followed by a pause as long."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self.lines = _LARGEST if alone else 100

    def keep(self, work: Callable[[], None], /) -> None:
        """Do a batch of ``lines`` lines."""
        began_s = time.monotonic()
        work()
        took_s = time.monotonic() - began_s
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
