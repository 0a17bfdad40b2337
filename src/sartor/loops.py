"""The loops of an instance: what one is, the catalog that holds them all, and the log of who changed what.

``ports`` has the rest of what a store must do, and passes these on.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from msgspec import Struct

from sartor.records import Activity, LoggedActivity
from sartor.settings import LoopSettings, LoopTerms

SEVERAL_SLOTS = "--ccb_explore_adf"
"""The learning setting that makes a loop one of several slots."""


class Loop(Struct, frozen=True, kw_only=True):
    """One personalization problem. ``version`` grows with each change of settings, policy or keys.

    ``loop_id`` seeds the draws and outlives no deletion; ``name`` is what people type. ``edited_at_us``: when
    something that matters to training was changed last. ``generation``: see ``records.Model``; a new one
    learns from ``first_outcome``, or, where that is None, the outcomes of the last ``modelRetrainDays``. An
    imported model is published before the loop gets its generation, so that training finds it.
    ``recoverable_until_us``: of a deleted loop, until when it can be brought back.
    """

    name: str
    loop_id: str
    key1: str
    key2: str
    policy_name: str
    arguments: str
    settings: LoopSettings = LoopSettings()
    version: int = 1
    created_at_us: int = 0
    edited_at_us: int = 0
    generation: int = 1
    first_outcome: int | None = None
    terms: LoopTerms = LoopTerms()
    recoverable_until_us: int = 0

    @property
    def has_several_slots(self) -> bool:
        """Whether it fills several slots at once: its learning settings say so (contract, section 2.10)."""
        return has_several_slots(self.arguments)


def has_several_slots(arguments: str, /) -> bool:
    """Whether accepted learning settings are for several slots; see ``learn.policy.check_policy``."""
    return SEVERAL_SLOTS in arguments.split()


class Catalog(Protocol):
    """The loops of one instance, their keys and settings. Keys are encrypted at rest by the store.

    An ``activity`` that is given with a change is committed with it to the ``AuditLog``, or neither is.
    """

    def loops(self) -> Sequence[Loop]:
        """All loops in service, by name."""

    def create(self, loop: Loop, /, *, activity: Activity | None = None) -> None:
        """Add a loop.

        Raises:
            LoopExists: the name is taken.
        """

    def update(self, loop: Loop, /, *, activity: Activity | None = None) -> Loop:
        """Replace the loop of that name; returns it with its version raised by one.

        Raises:
            LoopNotFound: there is no such loop.
        """

    def delete(self, name: str, /, *, recoverable_until_us: int = 0, activity: Activity | None = None) -> None:
        """Take a loop out of service; its name is free. Its log is removed by ``Stores.purge`` after a time.

        Raises:
            LoopNotFound: there is no such loop.
        """

    def deleted(self) -> Sequence[Loop]:
        """The deleted loops that were not removed yet, in the order of their making."""

    def recover(self, loop_id: str, /, *, name: str | None = None, activity: Activity | None = None) -> Loop:
        """Bring a deleted loop back with all that it had, under its name or another one.

        Raises:
            LoopNotFound: there is no such deleted loop.
            LoopExists: the name is taken.
        """

    def give_up(self, loop_id: str, /, *, activity: Activity | None = None) -> None:
        """Let ``Stores.purge`` remove a deleted loop from now on.

        Raises:
            LoopNotFound: there is no such deleted loop.
        """

    def version(self) -> int:
        """A number that changes with every change of the catalog; cheap enough to be polled."""


class AuditLog(Protocol):
    """Who did what to the instance, from its beginning, numbered from 1. Nothing changes or removes a line."""

    def append(self, activity: Activity, /) -> None:
        """Commit a change that changed nothing in the catalog."""

    def activities(self, *, after: int = 0, limit: int) -> Sequence[LoggedActivity]:
        """The next changes after a number, in order."""

    def last(self, limit: int, /) -> Sequence[LoggedActivity]:
        """The newest changes, newest first."""


@runtime_checkable
class Backups(Protocol):
    """Loops in files, for stores that can: taken while they are used, and put back."""

    def back_up(self, loop: Loop, target: Path, /) -> None:
        """Write a loop with its log, its models and its keys, which stay sealed, to a file.

        Raises:
            StoreUnavailable: it can't be written.
        """

    def restore(self, source: Path, /, *, name: str | None, new_keys: tuple[str, str]) -> Loop:
        """Put a loop back, under its name or another one.

        It has the keys that it had, or, where another instance sealed them, the new ones.

        Raises:
            LoopExists: the name is taken, or the loop is there, in service or deleted.
            Corrupt: the file is no backup.
            StoreUnavailable: it can't be read, or the loop not be written.
        """
