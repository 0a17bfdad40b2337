"""What the control plane needs of the service. Handlers call it on threads; each method may block."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sartor.api.control.wire import (
    ActivityLine,
    CorrectionResult,
    DeletedLoop,
    ErasureReceipt,
    ErasureRequest,
    LoopKeys,
    LoopResource,
    UsageDay,
)
from sartor.estimators.scorecard_view import ScorecardView


class Door(Protocol):
    """The control plane of an instance on behalf of one caller; errors are those of ``errors``."""

    def acting_for(self, caller: str, /) -> "Door":
        """The same, for another caller."""

    def loops(self) -> Sequence[LoopResource]:
        """All loops in service, by name."""

    def loop(self, name: str, /) -> LoopResource:
        """One loop."""

    def create(self, name: str, terms: Mapping[str, object], /) -> LoopResource:
        """Make a loop on some terms."""

    def change(self, name: str, terms: Mapping[str, object], /) -> LoopResource:
        """Change some terms."""

    def delete(self, name: str, /) -> DeletedLoop:
        """Take a loop out of service."""

    def keys(self, name: str, /) -> LoopKeys:
        """The keys of a loop."""

    def regenerate(self, name: str, /, *, second: bool) -> LoopKeys:
        """Replace one key."""

    def deleted(self) -> Sequence[DeletedLoop]:
        """The loops that can be brought back."""

    def recover(self, name: str, /, *, rename: str | None) -> LoopResource:
        """Bring a loop back."""

    def purge(self, name: str, /) -> None:
        """Remove a deleted loop for good."""

    def usage(self, names: Sequence[str], /, *, first: str | None, last: str | None) -> Sequence[UsageDay]:
        """What was used of these loops."""

    def score(self, name: str, /) -> ScorecardView:
        """What a loop earned, and what others would have earned."""

    def activities(self, count: int, /, *, loop: str | None) -> Sequence[ActivityLine]:
        """The newest lines of the activity log, oldest of them first."""

    def correct(
        self, name: str, event_id: str, reward: float | None, /, *, slot: str | None
    ) -> CorrectionResult:
        """Replace a reward."""

    def erase(self, name: str, asked: ErasureRequest, /) -> ErasureReceipt:
        """Erase what was decided for somebody."""
