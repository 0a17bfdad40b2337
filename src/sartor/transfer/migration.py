"""Migrates what was saved of a loop into one of ours: configuration, policy, logs, model, in this order.

Settings come first, since they decide how the history is learned; the model last: it has learned the history
already, and training goes on from it with what comes after.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict, replace

from sartor.learn import policy
from sartor.loops import with_arguments
from sartor.management import loops, models
from sartor.ports import EngineFactory, Loop, LoopStores, Stores
from sartor.settings import WITHOUT_MIXTURE, with_changes
from sartor.stores.audited import AuditedStores, refuse_locked
from sartor.transfer import azure_exports, settle_and_learn
from sartor.transfer.importer import FoundLogs, Importer, ImportSummary, OwnDecisions, find_logs
from sartor.transfer.locations import strip_secrets
from sartor.transfer.open_location import open_location

_MAINTAIN_S = 1.0

OnProgress = Callable[[str, int, int], None]
"""Called with the name of the step, how much of it is done, and how much there is."""


class SavedResources(Struct, frozen=True, kw_only=True):
    """Where the saved resources are: files, folders or URLs. None: there is no such resource."""

    logs: str | None = None
    configuration: str | None = None
    policy: str | None = None
    model: str | None = None


class MigrationSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """What was imported.

    Attributes:
        loop: the name of the loop.
        dry_run: whether nothing was written.
        configuration: the settings that were imported and those that were not, with the reasons.
        policy: the learning settings.
        logs: what became of each line.
        learned: how many outcomes were learned here; None: a service does it.
        pending: whether decisions were imported that a service has not settled yet.
        model: the id that the model has here; ``accepted`` in a dry run.
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
    on_progress: OnProgress = lambda step, done, total: None,
) -> MigrationSummary:
    """Imports everything that was saved. Repeated, it imports what was not imported before.

    Args:
        stores: the instance's stores.
        name: the loop.
        saved: where the resources are.
        factory: makes the engines that learn the history.
        folder: the data folder, to know whether a service runs on it.
        dry_run: check and count everything, and write nothing.
        on_progress: called as work is done.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: its owner locked it against every change.
        LocationUnavailable: a file or folder can't be read, or is empty.
        InvalidRequest, InvalidSetting, InvalidPolicy, InvalidModel, InvalidSignature: what is not accepted.
    """
    loops.find_loop(stores, name)
    archive = _ParsedResources(saved)
    configuration, learning_settings = archive.configuration, archive.policy
    loop = _preview(stores, loops.find_loop(stores, name), archive)  # before anything is written
    if dry_run:
        return MigrationSummary(
            loop=name,
            dry_run=True,
            configuration=configuration,
            policy=learning_settings,
            logs=_read_logs(loop, archive.logs, on_progress),
            model=None if archive.model is None else "accepted",
        )
    refuse_locked(loop)
    _note_import(stores, loop, saved)
    _configure(stores, name, archive)
    summary, learned, settled = None, None, True
    if archive.logs is not None:
        summary, learned, settled = _LogMigration(stores, name, factory, on_progress).run(
            archive.logs, folder=folder, learn=archive.model is None
        )
    model = None if archive.model is None else models.import_model(stores, name, archive.model).model_id
    return MigrationSummary(
        loop=name,
        dry_run=False,
        configuration=configuration,
        policy=learning_settings,
        logs=summary,
        learned=learned,
        pending=not settled,
        model=model,
    )


def _note_import(stores: Stores, loop: Loop, saved: SavedResources) -> None:
    """Adds an entry to the audit log, if the stores act on behalf of somebody."""
    if isinstance(stores, AuditedStores):
        sources = {name: strip_secrets(url) for name, url in asdict(saved).items() if url is not None}
        stores.note("import", loop, after=sources)


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

    @property
    def changes(self) -> Mapping[str, object]:
        """The settings to change. Learning settings and settings of elsewhere explore by themselves alone."""
        if self.configuration is None:
            return {} if self.policy is None else WITHOUT_MIXTURE
        return {**WITHOUT_MIXTURE, **self.configuration.changes}


def _configure(stores: Stores, name: str, archive: _ParsedResources) -> None:
    if archive.changes:
        loops.change_settings(stores, name, archive.changes)
    if archive.policy is not None:
        loops.set_policy(stores, name, archive.policy.arguments, policy_name=archive.policy.name)


def _preview(stores: Stores, loop: Loop, archive: _ParsedResources) -> Loop:
    """Returns the loop as it would become; raises what would be refused."""
    if archive.changes:
        loop = replace(loop, settings=with_changes(loop.settings, archive.changes))
    if archive.policy is not None:
        loop = with_arguments(loop, policy.check_policy(archive.policy.arguments))
    if archive.model is not None:
        models.check_import(stores, loop, archive.model)
    return loop


def _read_logs(loop: Loop, found: FoundLogs | None, on_progress: OnProgress) -> ImportSummary | None:
    if found is None:
        return None
    importer = Importer(None, several_slots=loop.has_several_slots, alone=True)
    importer.import_logs(found, on_progress=lambda done: on_progress("Reading", done, found.size))
    return importer.summary


class _LogMigration:
    """Imports logs into one loop and sees that they are settled."""

    def __init__(self, stores: Stores, name: str, factory: EngineFactory, on_progress: OnProgress) -> None:
        self._stores = stores
        self._loop = loops.find_loop(stores, name)
        self._factory = factory
        self._on_progress = on_progress
        self._maintained_s = time.monotonic()

    def run(self, found: FoundLogs, *, folder: Path, learn: bool) -> tuple[ImportSummary, int | None, bool]:
        """Returns what became of the lines, how many outcomes were learned here, and if all are settled."""
        with settle_and_learn.hold_instance(folder) as alone, loops.open_loop(self._stores, self._loop) as logs:
            importer = Importer(
                logs.history,
                several_slots=self._loop.has_several_slots,
                alone=alone,
                is_own=OwnDecisions(logs, since_us=self._loop.created_at_us).contains,
            )
            try:
                importer.import_logs(
                    found, on_progress=lambda done: self._after_read(done, found.size, alone=alone)
                )
            finally:
                self._stores.maintain(self._loop)
            if not alone:
                settled = settle_and_learn.wait_until_settled(logs, on_progress=self._progress_of("Settling"))
                return importer.summary, None, settled
            return importer.summary, self._settle_and_learn(logs, learn=learn), True

    def _after_read(self, done: int, total: int, *, alone: bool) -> None:
        # Where a service runs, its work process does the maintenance.
        if alone and time.monotonic() - self._maintained_s > _MAINTAIN_S:
            self._stores.maintain(self._loop)
            self._maintained_s = time.monotonic()
        self._on_progress("Reading", done, total)

    def _settle_and_learn(self, logs: LoopStores, *, learn: bool) -> int:
        settle_and_learn.settle_imported(self._loop, logs, on_progress=self._progress_of("Settling"))
        if not learn:
            return 0
        return settle_and_learn.learn_imported(
            self._loop, logs, self._factory, on_progress=self._progress_of("Learning")
        )

    def _progress_of(self, step: str) -> settle_and_learn.OnProgress:
        return lambda done, total: self._on_progress(step, done, total)
