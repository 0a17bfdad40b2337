"""Imports, resets and describes models; each import or reset begins a new generation.

A generation is what training goes on with (``records.Model``). Its first model is published before the loop
says that the generation is there: a crash in between leaves the old one in charge, with all that it learned.
"""

from msgspec.structs import replace

from sartor.errors import InvalidModel, ModelInUse
from sartor.management import loops
from sartor.management.model_archive import open_archive, pack_archive
from sartor.management.model_sandbox import convert_parts
from sartor.management.model_signing import TrustedSigners, open_signer
from sartor.ports import Loop, LoopStores, ModelRegistry, Stores
from sartor.records import Model, ModelNote
from sartor.stores.audited import refuse_locked
from sartor.times import now_us


def export_signed(stores: Stores, model: bytes, /) -> bytes:
    """Returns the zip of the engine's own file of a model, signed by this instance."""
    return pack_archive(open_signer(stores).sign(model))


def import_model(stores: Stores, name: str, body: bytes, /) -> Model:
    """Replace the live model by an imported one; training goes on from it.

    Args:
        stores: the instance's stores.
        name: the loop.
        body: the signed zip, or the bare model where ``allowUnsignedModels`` is set.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        InvalidModel: it is not a model, or does not fit the learning settings of the loop.
        InvalidSignature: its signer is not accepted by the loop's settings, or it was changed since.
    """
    return begin_generation(stores, name, check_import(stores, loops.find_loop(stores, name), body))


def check_import(stores: Stores, loop: Loop, body: bytes, /) -> bytes:
    """The dump with which a loop can go on, made of what is to be imported; see ``import_model``.

    It runs a child process and changes nothing. The signature is checked before the model is unpacked whole,
    and it is unpacked to a file.
    """
    archive = open_archive(body)
    settings = loop.settings
    if archive.is_bare and not settings.allow_unsigned_models:
        raise InvalidModel(
            "This is no zip with a signature; the setting allowUnsignedModels accepts a bare model."
        )
    trust = TrustedSigners(
        own=open_signer(stores).certificate,
        others=settings.trusted_model_signers,
        unsigned=settings.allow_unsigned_models,
    )
    trust.check(archive)
    return convert_parts(archive.parts, loop.effective_arguments)


def begin_generation(stores: Stores, name: str, blob: bytes, /, **changes: object) -> Model:
    """Begin a generation with a dump that serves at once, and change the loop in the same step.

    Args:
        stores: the instance's stores.
        name: the loop.
        blob: a dump made under the arguments that the loop has after the changes.
        changes: fields of the loop.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
    """
    loop = replace(loops.find_loop(stores, name), **changes)
    refuse_locked(loop)
    with loops.open_loop(stores, loop) as logs:
        after = logs.outcomes.counts().last_outcome
        model = first_of_generation(loop, logs, arguments=loop.effective_arguments, after=after)
        logs.models.publish(model, blob, live=True)
        _follow(stores, loop, model)
        _keep_live(logs.models, model)
    return model


def first_of_generation(loop: Loop, logs: LoopStores, /, *, arguments: str, after: int) -> Model:
    """The first model of the loop's next generation, which learns what is settled after an outcome."""
    newest = next(iter(logs.models.history(limit=1)), None)
    created_at_us = max(now_us(), 0 if newest is None else newest.created_at_us + 1)
    model_id = f"{created_at_us:016x}b"
    return Model(
        model_id=model_id,
        parent_id=None,
        arguments=arguments,
        settings_version=loop.version,
        first_outcome=after + 1,
        last_outcome=after,
        learned=0,
        created_at_us=created_at_us,
        generation=loop.generation + 1,
        base_id=model_id,
        revision=logs.outcomes.counts().revision,
    )


def reset_model(stores: Stores, name: str, /) -> Loop:
    """Reset the model: decisions are uniform until the next export, which learned only what comes from now on.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
    """
    with loops.open_to_change(stores, name) as (loop, logs):
        following = logs.outcomes.counts().last_outcome + 1
        logs.models.promote(None)
        new = stores.catalog.update(
            replace(loop, generation=loop.generation + 1, first_outcome=following, edited_at_us=now_us())
        )
        live = logs.models.live()  # one that was on its way from the trainer
        if live is not None and live.generation < new.generation:
            logs.models.promote(None)
    return new


def note_model(stores: Stores, name: str, note: ModelNote, /) -> None:
    """Replace the note of a model of the history.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        ModelNotFound: no such model, or its bytes are gone.
    """
    with loops.open_to_change(stores, name) as (_, logs):
        logs.notes.note(note)


def remove_model(stores: Stores, name: str, model_id: str, /) -> None:
    """Remove the bytes of a model of the history.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        ModelNotFound: no such model, or its bytes are gone.
        ModelInUse: it serves, or the models of today began with it.
    """
    with loops.open_to_change(stores, name) as (loop, logs):
        history = logs.models.history()
        if any(model.base_id == model_id and model.generation == loop.generation for model in history):
            raise ModelInUse(f"The models of today began with {model_id}: it can't be removed.")
        logs.notes.remove(model_id)


def _follow(stores: Stores, loop: Loop, model: Model) -> None:
    stores.catalog.update(
        replace(
            loop,
            generation=model.generation,
            first_outcome=model.first_outcome,
            edited_at_us=now_us(),
        )
    )


def _keep_live(models: ModelRegistry, model: Model) -> None:
    """Against a model of the generation before, which the trainer may have published meanwhile."""
    live = models.live()
    if live is None or live.generation < model.generation:
        models.promote(model.model_id)
