"""All that was saved of a loop, taken into one of ours: configuration, policy, logs, model, in this order.

Settings come first, since they decide how the history is learned; the model last: it has learned the history
already, and training goes on from it with what comes after.
"""

import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict, replace

from sartor.learn import policy
from sartor.management import loops, models
from sartor.ports import EngineFactory, Loop, LoopStores, Stores
from sartor.settings import with_changes
from sartor.stores.audited import AuditedStores, refuse_locked
from sartor.transfer import azure_exports, settle_and_learn
from sartor.transfer.importer import FoundLogs, Importer, ImportSummary, OwnDecisions, find_logs
from sartor.transfer.locations import strip_secrets
from sartor.transfer.open_location import open_location

_TIDY_S = 1.0

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class SavedResources(Struct, frozen=True, kw_only=True):
    """Where the things are: files, folders or URLs. None: there is no such thing."""

    logs: str | None = None
    configuration: str | None = None
    policy: str | None = None
    model: str | None = None


class MigrationSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """What was taken.

    Attributes:
        loop: the name of the loop.
        dry_run: whether nothing was written.
        configuration: the settings that were taken and those that were not, with the reasons.
        policy: the learning settings.
        logs: what became of each line.
        learned: how many outcomes were learned here; None: a service does it.
        pending: whether decisions were taken that a service has not settled yet.
        model: the id that the model has here; in a dry run a word of approval.
    """

    loop: str
    dry_run: bool
    configuration: azure_exports.ExportedConfiguration | None = None
    policy: azure_exports.ExportedPolicy | None = None
    logs: ImportSummary | None = None
    learned: int | None = None
    pending: bool = False
    model: str | None = None


def migrate(
    stores: Stores,
    name: str,
    saved: SavedResources,
    factory: EngineFactory,
    /,
    *,
    folder: Path,
    dry_run: bool = False,
    tell: Tell = lambda what, done, total: None,
) -> MigrationSummary:
    """Take all that was saved. Repeated, it takes what was not taken before.

    Args:
        stores: the instance's stores.
        name: the loop.
        saved: where the things are.
        factory: makes the engines that learn the history.
        folder: the data folder, to know whether a service runs on it.
        dry_run: check and count everything, and write nothing.
        tell: progress.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: its owner locked it against every change.
        LocationUnavailable: a file or folder can't be read, or is empty.
        InvalidRequest, InvalidSetting, InvalidPolicy, InvalidModel, InvalidSignature: what is not accepted.
    """
    loops.find_loop(stores, name)
    archive = _ParsedResources(saved)
    configuration, learning_settings = archive.configuration, archive.policy
    loop = _tried(stores, loops.find_loop(stores, name), archive)  # before anything is written
    if dry_run:
        return MigrationSummary(
            loop=name,
            dry_run=True,
            configuration=configuration,
            policy=learning_settings,
            logs=_read_logs(loop, archive.logs, tell),
            model=None if archive.model is None else "accepted",
        )
    refuse_locked(loop)
    _note(stores, loop, saved)
    _configure(stores, name, archive)
    tally, learned, settled = None, None, True
    if archive.logs is not None:
        tally, learned, settled = _LogMigration(stores, name, factory, tell).logs(
            archive.logs, folder=folder, learn=archive.model is None
        )
    model = None if archive.model is None else models.import_model(stores, name, archive.model).model_id
    return MigrationSummary(
        loop=name,
        dry_run=False,
        configuration=configuration,
        policy=learning_settings,
        logs=tally,
        learned=learned,
        pending=not settled,
        model=model,
    )


def _note(stores: Stores, loop: Loop, saved: SavedResources) -> None:
    """Leave a line in the activity log, if somebody acts."""
    if isinstance(stores, AuditedStores):
        given = {name: strip_secrets(url) for name, url in asdict(saved).items() if url is not None}
        stores.note("import", loop, after=given)


class _ParsedResources:
    """Everything but the logs, read before anything is written."""

    def __init__(self, saved: SavedResources) -> None:
        self.configuration = (
            None
            if saved.configuration is None
            else azure_exports.read_configuration(azure_exports.read_content(saved.configuration))
        )
        self.policy = (
            None
            if saved.policy is None
            else azure_exports.read_policy(azure_exports.read_content(saved.policy))
        )
        self.model = None if saved.model is None else azure_exports.read_content(saved.model)
        self.logs = None if saved.logs is None else find_logs(open_location(saved.logs))


def _configure(stores: Stores, name: str, archive: _ParsedResources) -> None:
    if archive.configuration is not None and archive.configuration.changes:
        loops.change_settings(stores, name, archive.configuration.changes)
    if archive.policy is not None:
        loops.set_policy(stores, name, archive.policy.arguments, policy_name=archive.policy.name)


def _tried(stores: Stores, loop: Loop, archive: _ParsedResources) -> Loop:
    """The loop as it would be; raises what would be refused."""
    if archive.configuration is not None:
        loop = replace(loop, settings=with_changes(loop.settings, archive.configuration.changes))
    if archive.policy is not None:
        loop = replace(loop, arguments=policy.check_policy(archive.policy.arguments))
    if archive.model is not None:
        models.check_import(stores, loop, archive.model)
    return loop


def _read_logs(loop: Loop, found: FoundLogs | None, tell: Tell) -> ImportSummary | None:
    if found is None:
        return None
    importer = Importer(None, several_slots=loop.has_several_slots, alone=True)
    importer.take(found, tell=lambda done: tell("Reading", done, found.size))
    return importer.tally


class _LogMigration:
    """Brings logs into one loop and sees that they are settled."""

    def __init__(self, stores: Stores, name: str, factory: EngineFactory, tell: Tell) -> None:
        self._stores = stores
        self._loop = loops.find_loop(stores, name)
        self._factory = factory
        self._tell = tell
        self._tidied_s = time.monotonic()

    def logs(self, found: FoundLogs, *, folder: Path, learn: bool) -> tuple[ImportSummary, int | None, bool]:
        """What became of the lines, how many outcomes were learned here, and whether all are settled."""
        with settle_and_learn.hold_instance(folder) as alone, loops.open_loop(self._stores, self._loop) as logs:
            importer = Importer(
                logs.history,
                several_slots=self._loop.has_several_slots,
                alone=alone,
                is_here=OwnDecisions(logs, since_us=self._loop.created_at_us).contains,
            )
            try:
                importer.take(found, tell=lambda done: self._read(done, found.size, alone=alone))
            finally:
                self._stores.maintain(self._loop)
            if not alone:
                settled = settle_and_learn.wait_until_settled(logs, tell=self._told("Settling"))
                return importer.tally, None, settled
            return importer.tally, self._learned(logs, learn=learn), True

    def _read(self, done: int, total: int, *, alone: bool) -> None:
        # Where a service runs, its work process does it.
        if alone and time.monotonic() - self._tidied_s > _TIDY_S:
            self._stores.maintain(self._loop)
            self._tidied_s = time.monotonic()
        self._tell("Reading", done, total)

    def _learned(self, logs: LoopStores, *, learn: bool) -> int:
        settle_and_learn.settle_imported(self._loop, logs, tell=self._told("Settling"))
        if not learn:
            return 0
        return settle_and_learn.learn_imported(self._loop, logs, self._factory, tell=self._told("Learning"))

    def _told(self, what: str) -> settle_and_learn.Tell:
        return lambda done, total: self._tell(what, done, total)
