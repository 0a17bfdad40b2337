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
from sartor.settings import changed
from sartor.stores.audited import ActingStores, refuse_locked
from sartor.transfer import azure_exports, settle_and_learn
from sartor.transfer.import_summary import Tally
from sartor.transfer.importer import Found, Importer, Natives, find
from sartor.transfer.locations import label
from sartor.transfer.open_location import place

_TIDY_S = 1.0

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class Saved(Struct, frozen=True, kw_only=True):
    """Where the things are: files, folders or URLs. None: there is no such thing."""

    logs: str | None = None
    configuration: str | None = None
    policy: str | None = None
    model: str | None = None


class MovedIn(Struct, frozen=True, kw_only=True, rename="camel"):
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
    configuration: azure_exports.Configuration | None = None
    policy: azure_exports.Policy | None = None
    logs: Tally | None = None
    learned: int | None = None
    pending: bool = False
    model: str | None = None


def move_in(
    stores: Stores,
    name: str,
    saved: Saved,
    factory: EngineFactory,
    /,
    *,
    folder: Path,
    dry_run: bool = False,
    tell: Tell = lambda what, done, total: None,
) -> MovedIn:
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
        PlaceUnavailable: a file or folder can't be read, or is empty.
        InvalidRequest, InvalidSetting, InvalidPolicy, InvalidModel, InvalidSignature: what is not accepted.
    """
    loops.find(stores, name)
    parcel = _Parcel(saved)
    configuration, learning_settings = parcel.configuration, parcel.policy
    loop = _tried(stores, loops.find(stores, name), parcel)  # before anything is written
    if dry_run:
        return MovedIn(
            loop=name,
            dry_run=True,
            configuration=configuration,
            policy=learning_settings,
            logs=_read_logs(loop, parcel.logs, tell),
            model=None if parcel.model is None else "accepted",
        )
    refuse_locked(loop)
    _note(stores, loop, saved)
    _configure(stores, name, parcel)
    tally, learned, settled = None, None, True
    if parcel.logs is not None:
        tally, learned, settled = _Move(stores, name, factory, tell).logs(
            parcel.logs, folder=folder, learn=parcel.model is None
        )
    model = None if parcel.model is None else models.import_model(stores, name, parcel.model).model_id
    return MovedIn(
        loop=name,
        dry_run=False,
        configuration=configuration,
        policy=learning_settings,
        logs=tally,
        learned=learned,
        pending=not settled,
        model=model,
    )


def _note(stores: Stores, loop: Loop, saved: Saved) -> None:
    """Leave a line in the activity log, if somebody acts."""
    if isinstance(stores, ActingStores):
        given = {name: label(url) for name, url in asdict(saved).items() if url is not None}
        stores.note("import", loop, after=given)


class _Parcel:
    """Everything but the logs, read before anything is written."""

    def __init__(self, saved: Saved) -> None:
        self.configuration = (
            None
            if saved.configuration is None
            else azure_exports.configuration(azure_exports.content(saved.configuration))
        )
        self.policy = (
            None if saved.policy is None else azure_exports.policy(azure_exports.content(saved.policy))
        )
        self.model = None if saved.model is None else azure_exports.content(saved.model)
        self.logs = None if saved.logs is None else find(place(saved.logs))


def _configure(stores: Stores, name: str, parcel: _Parcel) -> None:
    if parcel.configuration is not None and parcel.configuration.changes:
        loops.change(stores, name, parcel.configuration.changes)
    if parcel.policy is not None:
        loops.set_policy(stores, name, parcel.policy.arguments, policy_name=parcel.policy.name)


def _tried(stores: Stores, loop: Loop, parcel: _Parcel) -> Loop:
    """The loop as it would be; raises what would be refused."""
    if parcel.configuration is not None:
        loop = replace(loop, settings=changed(loop.settings, parcel.configuration.changes))
    if parcel.policy is not None:
        loop = replace(loop, arguments=policy.checked(parcel.policy.arguments))
    if parcel.model is not None:
        models.checked(stores, loop, parcel.model)
    return loop


def _read_logs(loop: Loop, found: Found | None, tell: Tell) -> Tally | None:
    if found is None:
        return None
    importer = Importer(None, several_slots=policy.several_slots(loop.arguments), alone=True)
    importer.take(found, tell=lambda done: tell("Reading", done, found.size))
    return importer.tally


class _Move:
    """Brings logs into one loop and sees that they are settled."""

    def __init__(self, stores: Stores, name: str, factory: EngineFactory, tell: Tell) -> None:
        self._stores = stores
        self._loop = loops.find(stores, name)
        self._factory = factory
        self._tell = tell
        self._tidied_s = time.monotonic()

    def logs(self, found: Found, *, folder: Path, learn: bool) -> tuple[Tally, int | None, bool]:
        """What became of the lines, how many outcomes were learned here, and whether all are settled."""
        with settle_and_learn.alone(folder) as alone, loops.opened(self._stores, self._loop) as logs:
            importer = Importer(
                logs.history,
                several_slots=policy.several_slots(self._loop.arguments),
                alone=alone,
                is_here=Natives(logs, since_us=self._loop.created_at_us).has,
            )
            try:
                importer.take(found, tell=lambda done: self._read(done, found.size, alone=alone))
            finally:
                self._stores.tidy(self._loop)
            if not alone:
                settled = settle_and_learn.wait_until_settled(logs, tell=self._told("Settling"))
                return importer.tally, None, settled
            return importer.tally, self._learned(logs, learn=learn), True

    def _read(self, done: int, total: int, *, alone: bool) -> None:
        # Where a service runs, its work process does it.
        if alone and time.monotonic() - self._tidied_s > _TIDY_S:
            self._stores.tidy(self._loop)
            self._tidied_s = time.monotonic()
        self._tell("Reading", done, total)

    def _learned(self, logs: LoopStores, *, learn: bool) -> int:
        settle_and_learn.settle(self._loop, logs, tell=self._told("Settling"))
        if not learn:
            return 0
        return settle_and_learn.learn(self._loop, logs, self._factory, tell=self._told("Learning"))

    def _told(self, what: str) -> settle_and_learn.Tell:
        return lambda done, total: self._tell(what, done, total)
