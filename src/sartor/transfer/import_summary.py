"""What became of the lines and files of an import: how many were taken and how many were not, and why."""

from msgspec import Struct

from sartor.dsjson.parse.lines import REASONS, RejectedLine

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
