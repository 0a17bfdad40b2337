"""Creates and changes loops, and chooses the model that serves.

All functions take the instance's stores first; a running instance follows within a second.
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec
from msgspec import Struct

from sartor import times
from sartor.errors import (
    Corrupt,
    InvalidModel,
    InvalidPolicy,
    InvalidSetting,
    LoopExists,
    LoopNotFound,
    ModelNotFound,
)
from sartor.learn import policy
from sartor.management import model_sandbox
from sartor.management.policy_change import apply_policy_change, default_arguments, mark_edited
from sartor.masking import is_masked, mask_url
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Model
from sartor.settings import DEFAULT_ARGUMENTS, NEW_LOOP_SETTINGS, LoopTerms, with_changes
from sartor.stores.audited import may_name_loops, note, refuse_locked

_TERMS = LoopTerms()
_TARGET = "logMirrorSasUri"

_ON_ITS_WAY_S = 0.5
"""How long a running trainer may take to follow a change of settings."""


def create_loop(stores: Stores, name: str, /, *, terms: LoopTerms = _TERMS, loop_id: str | None = None) -> Loop:
    """Create a loop with two new keys, the default settings and the default policy.

    Args:
        stores: the instance's stores.
        name: its name.
        terms: the owner's terms.
        loop_id: seeds its draws: two loops with the same id draw the same actions. By default a new one.

    Raises:
        InvalidSetting: the name is not valid (small letters, digits, ``-`` and ``_``), or the id is not.
        LoopExists: the name or the id is in use.
    """
    if loop_id is not None:
        _check_free(stores, loop_id)
    loop_id = loop_id or secrets.token_hex(16)
    now_us = times.now_us()
    loop = Loop(
        name=name,
        loop_id=loop_id,
        key1=_create_key(),
        key2=_create_key(),
        policy_name=loop_id,
        arguments=DEFAULT_ARGUMENTS,
        settings=NEW_LOOP_SETTINGS,
        created_at_us=now_us,
        edited_at_us=now_us,
        terms=terms,
    )
    stores.catalog.create(loop)
    return loop


def _check_free(stores: Stores, loop_id: str) -> None:
    owner = stores.catalog.find_by_id(loop_id)
    if owner is not None:
        named = f"The loop {owner.name!r}" if may_name_loops(stores) else "Another loop"
        raise LoopExists(f"{named} has the id {loop_id!r}.")


def _create_key() -> str:
    return secrets.token_hex(16)


def find_loop(stores: Stores, name: str, /) -> Loop:
    """Returns the loop of that name.

    Raises:
        LoopNotFound: there is none.
    """
    try:
        return stores.catalog.find(name)
    except LoopNotFound as error:
        if not may_name_loops(stores):
            raise
        known = ", ".join(loop.name for loop in stores.catalog.loops()) or "none yet"
        raise LoopNotFound(f"There is no loop {name!r}. Loops: {known}.") from error


@contextmanager
def open_loop(stores: Stores, loop: Loop, /) -> Iterator[LoopStores]:
    """Open the stores of a loop, and close them at the end."""
    logs = stores.open(loop)
    try:
        yield logs
    finally:
        logs.close()


@contextmanager
def open_to_change(stores: Stores, name: str, /) -> Iterator[tuple[Loop, LoopStores]]:
    """Find a loop that may be changed and open its stores; they are closed at the end.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
    """
    loop = find_loop(stores, name)
    refuse_locked(loop)
    with open_loop(stores, loop) as logs:
        yield loop, logs


def change_settings(
    stores: Stores, name: str, changes: Mapping[str, object], /, *, by_operator: bool = True
) -> Loop:
    """Change settings, under their names on the wire.

    Args:
        stores: the instance's stores.
        name: the loop's name.
        changes: the new values. A target of the mirror that is masked, as it is shown, keeps the stored one.
        by_operator: whether it is for whoever runs the instance, whose choice of a target needs no permission.

    Raises:
        LoopNotFound: there is no such loop.
        InvalidSetting: an unknown name, or a value outside its range.
    """
    loop = find_loop(stores, name)
    new = msgspec.structs.replace(loop, settings=with_changes(loop.settings, _unmask_target(loop, changes)))
    if _TARGET in changes:
        new = msgspec.structs.replace(new, mirror_by_operator=by_operator)
    return stores.catalog.update(mark_edited(loop, new, now_us=times.now_us()))


def _unmask_target(loop: Loop, changes: Mapping[str, object]) -> Mapping[str, object]:
    stored, target = loop.settings.log_mirror_sas_uri, changes.get(_TARGET)
    if not isinstance(target, str) or not is_masked(target) or target == stored:
        return changes
    if stored is None or target != mask_url(stored):
        raise InvalidSetting(f"{_TARGET} is masked, and not the one that is set: give it with its signature.")
    return {**changes, _TARGET: stored}


def rotate_key(stores: Stores, name: str, /, *, second: bool) -> Loop:
    """Replace the first or the second key; the old one stops working within a second.

    Raises:
        LoopNotFound: there is no such loop.
    """
    loop = find_loop(stores, name)
    key = _create_key()
    new = msgspec.structs.replace(loop, key2=key) if second else msgspec.structs.replace(loop, key1=key)
    return stores.catalog.update(new)


def set_policy(stores: Stores, name: str, arguments: str | None, /, *, policy_name: str | None = None) -> Loop:
    """Replace the learning settings, and their name where one is given; None restores the default ones.

    The number after ``--epsilon`` also becomes the setting ``explorationPercentage``; whichever of the two is
    set last counts, and settings without that option leave it as it is.
    Settings with ``--ccb_explore_adf`` make it a loop of several slots, which it then stays.

    Raises:
        LoopNotFound: there is no such loop.
        InvalidPolicy: the arguments are not acceptable, or not for this loop.
    """
    loop = find_loop(stores, name)
    arguments = default_arguments(loop) if arguments is None else policy.check_policy(arguments)
    named = msgspec.structs.replace(loop, policy_name=policy_name or loop.policy_name)
    return apply_policy_change(stores, named, arguments, now_us=times.now_us())


class PinnedModel(Struct, frozen=True, kw_only=True):
    """A model that was made the live one, and what another one that goes live now would be.

    Attributes:
        loop: as it was then.
        model: the one that was made live.
        known: the ids of all models that there were then; a model that is not among them was on its way.
        was_published: whether new models went live by themselves until then.
    """

    loop: Loop
    model: Model
    known: frozenset[str]
    was_published: bool


def promote_model(stores: Stores, name: str, model_id: str, /) -> Model:
    """Make a model of the history the live one, and keep it: new models no longer go live by themselves.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        ModelNotFound: no such model, or its bytes were pruned.
        InvalidModel: see ``check_model``.
    """
    loop = find_loop(stores, name)
    refuse_locked(loop)
    check_model(stores, loop, model_id)
    pinned = pin_model(stores, name, model_id)
    keep_pinned(stores, pinned)
    return pinned.model


def check_model(stores: Stores, loop: Loop, model_id: str, /) -> Model:
    """Try a model of the history in a process of its own before it goes live; changes nothing.

    Its bytes stay as they are, because its decisions are recomputed from them. Takes a fraction of a second.

    Raises:
        ModelNotFound: no such model, or its bytes were pruned.
        InvalidModel: it holds options that are not accepted, or the engine can't load and save it.
    """
    with open_loop(stores, loop) as logs:
        model = _find_model(logs, loop.name, model_id)
        blob = logs.models.blob(model_id)
    try:
        model_sandbox.convert_dump(blob, model.arguments)
    except (Corrupt, InvalidModel, InvalidPolicy) as error:
        raise InvalidModel(f"The model {model_id} can't serve. {error.message}") from error
    return model


def _find_model(logs: LoopStores, name: str, model_id: str) -> Model:
    for model in logs.models.history():
        if model.model_id == model_id:
            return model
    raise ModelNotFound(f"There is no model {model_id!r} in the history of the loop {name!r}.")


def pin_model(stores: Stores, name: str, model_id: str, /) -> PinnedModel:
    """Do the part of ``promote_model`` that changes the catalog: between ``check_model`` and ``keep_pinned``.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        ModelNotFound: no such model, or its bytes were pruned.
    """
    loop = find_loop(stores, name)
    with open_loop(stores, loop) as logs:
        return _pin(stores, loop, logs, _find_model(logs, name, model_id))


def keep_pinned(stores: Stores, pinned: PinnedModel, /) -> None:
    """Promote a pinned model again should one go live that was on its way under the old settings.

    It waits as long as a running trainer may take to follow, and does without the catalog. Whatever else makes
    another model live meanwhile, or none, is newer than the pinning, and stays.
    """
    if not pinned.was_published:
        return
    until = time.monotonic() + _ON_ITS_WAY_S
    with open_loop(stores, pinned.loop) as logs:
        while time.monotonic() < until:
            time.sleep(_ON_ITS_WAY_S / 10)
            live = logs.models.live()
            if live is None or (live.model_id in pinned.known and live != pinned.model):
                return
            if live.generation != pinned.loop.generation and live != pinned.model:
                return
            if live != pinned.model:
                logs.models.promote(pinned.model.model_id)


def roll_back(stores: Stores, name: str, /) -> Model:
    """Make the model before the live one the live one, and keep it.

    Raises:
        LoopNotFound: there is no such loop.
        ModelNotFound: nothing is live, or nothing came before it, or its bytes were pruned.
        InvalidModel: see ``check_model``.
    """
    loop = find_loop(stores, name)
    refuse_locked(loop)
    with open_loop(stores, loop) as logs:
        before = _find_before_live(logs, name)
    check_model(stores, loop, before.model_id)
    with open_loop(stores, loop) as logs:
        pinned = _pin(stores, loop, logs, before)
    keep_pinned(stores, pinned)
    return pinned.model


def _find_before_live(logs: LoopStores, name: str) -> Model:
    live = logs.models.live()
    if live is None:
        raise ModelNotFound(f"The loop {name!r} serves no model yet.")
    history = logs.models.history()
    place = [model.model_id for model in history].index(live.model_id)
    if place + 1 == len(history):
        raise ModelNotFound(f"There is no model before {live.model_id}, the first of the loop {name!r}.")
    return history[place + 1]


def _pin(stores: Stores, loop: Loop, logs: LoopStores, model: Model) -> PinnedModel:
    refuse_locked(loop)
    logs.models.blob(model.model_id)
    live = logs.models.live()
    was_published = loop.settings.model_auto_publish
    if was_published:
        settings = msgspec.structs.replace(loop.settings, model_auto_publish=False)
        stores.catalog.update(msgspec.structs.replace(loop, settings=settings))
    known = frozenset(one.model_id for one in logs.models.history())
    logs.models.promote(model.model_id)
    before = None if live is None else live.model_id
    if before != model.model_id:
        note(stores, "promote", loop, before={"liveModel": before}, after={"liveModel": model.model_id})
    return PinnedModel(loop=loop, model=model, known=known, was_published=was_published)
