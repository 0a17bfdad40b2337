"""Deletes the log of a loop and keeps the model that learned it."""

from msgspec.structs import replace

from sartor.management import loops, models
from sartor.ports import Loop, LoopStores, Stores
from sartor.times import now_us

_BATCH = 5_000


def delete_log(stores: Stores, name: str, /) -> None:
    """Remove the log: every decision that is settled, with its rewards and its outcome.

    Decisions that still wait for their rewards stay until they are settled. The model stays, and training goes
    on from it: the newest one becomes the first of a generation, as if it had been imported. What was learned
    since it was exported is lost with the log.

    Ranks go on meanwhile. After an interruption nothing is learned twice or in part; repeat it to finish.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        StoreUnavailable: not all is removed; repeat it.
    """
    clear_log(stores, keep_model(stores, name))


def keep_model(stores: Stores, name: str, /) -> Loop:
    """Make the newest model the first of a generation, so that training needs nothing of the log until now.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
    """
    with loops.open_to_change(stores, name) as (loop, logs):
        return _rebase(stores, loop, logs)


def clear_log(stores: Stores, loop: Loop, /) -> None:
    """Remove what is settled from the log.

    Raises:
        StoreUnavailable: not all is removed; repeat it.
    """
    stores.apply_retention(loop, before_us=now_us())
    with loops.open_loop(stores, loop) as logs:
        _blank_rest(stores, loop, logs)


def _rebase(stores: Stores, loop: Loop, logs: LoopStores) -> Loop:
    newest = next((model for model in logs.models.history() if model.generation == loop.generation), None)
    if newest is None:
        return loop
    live = logs.models.live()
    blob = logs.models.blob(newest.model_id)
    after = logs.outcomes.counts().last_outcome
    model = models.first_of_generation(loop, logs, arguments=newest.arguments, after=after)
    serves = live is not None and live.model_id == newest.model_id
    logs.models.publish(model, blob, live=serves)
    return stores.catalog.update(replace(loop, generation=model.generation, first_outcome=model.first_outcome))


def _blank_rest(stores: Stores, loop: Loop, logs: LoopStores) -> None:
    """Blank what retention leaves: the last entry of each kind, and what was settled out of order."""
    horizon = logs.events.horizon()
    for first in range(horizon.first_decision, horizon.decisions + 1, _BATCH):
        stores.erase(loop, decisions=range(first, min(first + _BATCH, horizon.decisions + 1)))
