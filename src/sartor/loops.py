"""The loops of an instance: a loop, the catalog of all loops, and the audit log of changes.

``ports`` has the other protocols of stores, and exports these too.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from msgspec import Struct
from msgspec.structs import replace

from sartor.problems import Damage
from sartor.records import AuditEntry, LoggedAuditEntry
from sartor.settings import LoopSettings, LoopTerms

SEVERAL_SLOTS = "--ccb_explore_adf"
"""The learning setting that makes a loop one of several slots."""

_EPSILON = re.compile(r"(?<!\S)--epsilon(=|\s+)(\S+)")


class Loop(Struct, frozen=True, kw_only=True):
    """One personalization problem. ``version`` grows with each change of settings, policy or keys.

    ``arguments`` are the learning settings as they were set; ``effective_arguments`` are those that serve.
    ``loop_id`` seeds the draws and is never used again after a deletion; ``name`` is for people.
    ``edited_at_us``: when a setting that affects training was changed last. ``generation``: see
    ``records.Model``; a new one learns from ``first_outcome``, or, if that is None, the outcomes of the last
    ``modelRetrainDays``. An imported model is published before the loop gets its generation, so that training
    finds it. ``recoverable_until_us``: until when a deleted loop can be recovered. ``mirror_by_operator``: the
    target of the log mirror was set by whoever runs the instance, who may name any place.
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
    mirror_by_operator: bool = False

    @property
    def effective_arguments(self) -> str:
        """The learning settings that serve: the exploration percentage stands after their ``--epsilon``."""
        return with_epsilon(self.arguments, epsilon=self.settings.exploration_percentage)

    @property
    def has_several_slots(self) -> bool:
        """Whether its learning settings are for several slots at once (contract, section 2.10)."""
        return has_several_slots(self.arguments)


def has_several_slots(arguments: str, /) -> bool:
    """Whether accepted learning settings are for several slots; see ``learn.policy.check_policy``."""
    return SEVERAL_SLOTS in arguments.split()


def with_epsilon(arguments: str, /, *, epsilon: float) -> str:
    """Returns the settings with the number after ``--epsilon`` replaced; unchanged without that option.

    Args:
        arguments: learning settings.
        epsilon: the exploration percentage of the loop, 0 to 1.
    """
    return _EPSILON.sub(rf"--epsilon\g<1>{float(epsilon)!r}", arguments)


def with_arguments(loop: Loop, arguments: str, /) -> Loop:
    """Returns the loop with other learning settings.

    The number after their ``--epsilon``, 0 to 1, becomes its exploration percentage; settings without that
    option leave the percentage as it is.

    Args:
        loop: the loop.
        arguments: accepted learning settings; see ``learn.policy.check_policy``.
    """
    found = _EPSILON.search(arguments)
    if found is None:
        return replace(loop, arguments=arguments)
    settings = replace(loop.settings, exploration_percentage=float(found[2]))
    return replace(loop, arguments=arguments, settings=settings)


class UnreadableLoop(Struct, frozen=True, kw_only=True):
    """A loop whose entry in the catalog is damaged.

    Attributes:
        loop_id: its id.
        name: its name.
        keys: its two keys, if they can be read: they still tell who calls.
        reason: what is wrong with the entry.
        deleted: whether it is out of service.
    """

    loop_id: str
    name: str
    keys: tuple[str, ...]
    reason: str
    deleted: bool = False


class LoopChanges(Struct, frozen=True, kw_only=True):
    """What happened to the loops since a version of the catalog.

    Attributes:
        version: the version now; give it to the next call.
        loops: the loops in service that were created, changed or recovered, as they are now, in any order.
        unreadable: the loops, created or changed, whose entry is damaged.
        gone: the ids of loops that were deleted; some may never have been seen.
        complete: these are all loops in service: what is not among them is gone.
    """

    version: int
    loops: tuple[Loop, ...] = ()
    gone: tuple[str, ...] = ()
    unreadable: tuple[UnreadableLoop, ...] = ()
    complete: bool = False


class Catalog(Protocol):
    """The loops of one instance, their keys and settings. Keys are encrypted at rest by the store.

    The ``entry`` of a change is committed to the ``AuditLog`` together with the change, or neither is.
    """

    def loops(self) -> Sequence[Loop]:
        """All loops in service, by name. Whoever wants them often follows ``changes`` instead.

        Raises:
            Corrupt: there are loops, and the keys of none can be decrypted: the secret key is another one.
        """

    def unreadable(self) -> Sequence[UnreadableLoop]:
        """The loops whose entry is damaged, deleted ones too; ``loops`` and ``deleted`` leave them out."""

    def find(self, name: str, /) -> Loop:
        """The loop in service of that name. Reads no other one.

        Raises:
            LoopNotFound: there is no such loop.
        """

    def find_by_id(self, loop_id: str, /) -> Loop | None:
        """The loop in service with that id; None: there is none. Reads no other one."""

    def changes(self, *, since: int | None) -> LoopChanges:
        """What happened since a ``version``; None: everything. The cost grows with what changed alone."""

    def create(self, loop: Loop, /, *, entry: AuditEntry | None = None) -> None:
        """Add a loop.

        Raises:
            LoopExists: the name is taken.
        """

    def update(self, loop: Loop, /, *, entry: AuditEntry | None = None) -> Loop:
        """Replace the loop of that name; returns it with its version raised by one.

        Raises:
            LoopNotFound: there is no such loop.
        """

    def delete(self, name: str, /, *, recoverable_until_us: int = 0, entry: AuditEntry | None = None) -> None:
        """Take a loop out of service and free its name. ``Stores.purge`` removes its data after a time.

        Raises:
            LoopNotFound: there is no such loop.
        """

    def deleted(self) -> Sequence[Loop]:
        """The deleted loops whose data is not removed yet, in the order of their creation."""

    def recover(self, loop_id: str, /, *, name: str | None = None, entry: AuditEntry | None = None) -> Loop:
        """Recover a deleted loop with all its data, under its name or another one.

        Raises:
            LoopNotFound: there is no such deleted loop.
            LoopExists: the name is taken.
        """

    def give_up(self, loop_id: str, /, *, entry: AuditEntry | None = None) -> None:
        """Let ``Stores.purge`` remove a deleted loop from now on; it can't be recovered any more.

        Raises:
            LoopNotFound: there is no such deleted loop.
        """

    def version(self) -> int:
        """Returns a number that changes with every change of the catalog; cheap enough to be polled."""


class AuditLog(Protocol):
    """Who changed what in the instance, numbered from 1. Entries are never changed or removed."""

    def append(self, entry: AuditEntry, /) -> None:
        """Commit an entry by itself, for a change outside the catalog."""

    def entries(self, *, after: int = 0, limit: int) -> Sequence[LoggedAuditEntry]:
        """The next entries after a number, in order."""

    def last(self, limit: int, /) -> Sequence[LoggedAuditEntry]:
        """The newest entries, newest first."""

    def last_of(self, loop_id: str, limit: int, /) -> Sequence[LoggedAuditEntry]:
        """The newest entries about the loop with this id, newest first; reads no other ones."""


class RestoreChecks(Protocol):
    """What a restored loop must pass before it is one."""

    @property
    def accepts_foreign(self) -> bool:
        """Whether a backup is accepted that another instance wrote, or an older version."""

    def check_loop(self, loop: Loop, /) -> Loop:
        """The loop of another instance, as it is accepted.

        Raises:
            CallerError: it is not; the message says why.
        """

    def check_model(self, blob: bytes, arguments: str, /, *, is_own: bool) -> bytes:
        """The dump of a model, made under these arguments, as it is accepted; one of our own is not changed.

        Raises:
            InvalidModel, InvalidPolicy, Corrupt: it is not.
        """

    def check_blob(self, content: bytes, /) -> None:
        """Check a blob of another instance.

        Raises:
            InvalidModel: it is a model that is not accepted.
        """


@runtime_checkable
class Repairs(Protocol):
    """Repair of the stores of loops, for stores that can be damaged from outside."""

    def find_damage(self, loop: Loop, /) -> Sequence[Damage]:
        """What is damaged; reads everything once. It may run beside the service."""

    def mend(self, loop: Loop, damage: Damage, /) -> str:
        """Mend what has a remedy, while no process uses the stores; nothing damaged is deleted.

        Returns:
            What was done, in a sentence.

        Raises:
            StoreUnavailable: it can't be mended.
        """


@runtime_checkable
class Backups(Protocol):
    """Backups of loops in files, for stores that support them: taken while the loops are used."""

    def back_up(self, loop: Loop, target: Path, /) -> None:
        """Write a loop with its log, its models and its keys, which stay encrypted, to a file.

        Raises:
            StoreUnavailable: it can't be written.
        """

    def restore(
        self, source: Path, /, *, name: str | None, new_keys: tuple[str, str], checks: RestoreChecks
    ) -> Loop:
        """Restore a loop, under its name or another one, once the backup is authenticated.

        It keeps its keys, or gets the new ones if another instance encrypted them.

        Raises:
            ForeignBackup: this instance did not write it, and ``checks`` accept only its own.
            LoopExists: the name is taken, or the loop is there, in service or deleted.
            Corrupt: the file is not a backup.
            StoreUnavailable: the file can't be read, or the loop can't be written.
        """
