"""The models of the history: listed, described, exported, published, removed.

From the unpublished draft of version 1.1 (contract, end of section 1.1); served in the latest two versions.
Listed are the live model, the newest so many (stagedModelHistoryLength), and those that are saved.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from sartor import errors
from sartor.access.roles import Permission
from sartor.api.admin.evaluation_requests import Time
from sartor.api.admin.models import FILE_HEADERS, send_model
from sartor.api.http import durations, json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Handler, Route
from sartor.api.routing.versions import FROM_PREVIEW_3
from sartor.learn.dumps import export_file
from sartor.management import loops, models
from sartor.ports import Loop, LoopStores, OutcomeLog
from sartor.records import Model, ModelNote

_TAG = "Models"
_INVALID = "InvalidModelMetadata"
_MISSING = "ResourceNotFound"
_PATH = "/staged-model"
_DESCRIPTION_CHARS = 1024


class ModelMetadata(Struct, frozen=True, rename="camel"):
    """What is known of a model. ``userDescription`` and ``savedInHistory`` may be changed, the rest not.

    ``lastConfigEditDate`` is absent where the configuration was edited after the model was made.
    """

    model_id: Annotated[str | UnsetType, Meta(description="Its id, as rank logs it.")] = UNSET
    user_description: Annotated[
        Annotated[str, Meta(max_length=_DESCRIPTION_CHARS)] | UnsetType,
        Meta(description="What people say of it."),
    ] = UNSET
    creation_date: Time | UnsetType = UNSET
    last_config_edit_date: Time | UnsetType = UNSET
    first_event_id: Annotated[
        str | UnsetType, Meta(description="The event that it learned first, while the log holds it.")
    ] = UNSET
    last_event_id: Annotated[
        str | UnsetType, Meta(description="The event that it learned last, while the log holds it.")
    ] = UNSET
    saved_in_history: Annotated[
        bool | UnsetType, Meta(description="Whether it is kept until it is removed by name.")
    ] = UNSET
    number_of_events_learned_since_last_export: int | UnsetType = UNSET


def list_all(call: Call) -> Response:
    """List the models of the history, the newest first."""
    loop = call.context.find_loop(call.loop)
    with call.context.open_loop(loop) as logs:
        history = _read_history(logs)
        return json_body.json_response(
            200, [_to_metadata(loop, logs, history, note) for note in _select_listed(loop, logs, history)]
        )


def get_staged_model(call: Call) -> Response:
    """Export one model as a file."""
    with call.context.open_loop(call.loop) as logs:
        model, _ = _find_model(logs, call.path_id)
        return send_model(export_file(logs.models.blob(model.model_id)), model)


def put_staged_model(call: Call) -> Response:
    """Describe a model, or save it."""
    changes = json_body.decode_json(ModelMetadata, call.body, invalid=_INVALID)
    loop = call.context.find_loop(call.loop)
    with call.context.open_loop(loop) as logs:
        history = _read_history(logs)
        _, note = _find_model(logs, call.path_id)
        _check_unchanged(changes, _to_metadata(loop, logs, history, note))
        changed = _apply_changes(note, changes)
        if changed == note:
            call.context.stores.mark_unchanged()
        with call.context.acquire_loop(loop) as current:
            models.note_model(call.context.stores, current.name, changed)
        return json_body.json_response(200, _to_metadata(loop, logs, history, changed))


def delete_staged_model(call: Call) -> Response:
    """Remove a model that does not serve."""
    try:
        with call.context.acquire_loop(call.loop) as loop:
            models.remove_model(call.context.stores, loop.name, call.path_id)
    except errors.ModelNotFound as error:
        raise RequestRefused(_MISSING, error.message) from error
    return Response(204)


def publish_staged_model(call: Call) -> Response:
    """Make a model the live one."""
    try:
        # Trying a model runs a child process; others change the catalog meanwhile.
        loops.check_model(call.context.stores, call.context.find_loop(call.loop), call.path_id)
        with call.context.acquire_loop(call.loop) as loop:
            pinned = loops.pin_model(call.context.stores, loop.name, call.path_id)
        loops.keep_pinned(call.context.stores, pinned)
    except errors.ModelNotFound as error:
        raise RequestRefused(_MISSING, error.message) from error
    return Response(204)


def _read_history(logs: LoopStores) -> dict[str, Model]:
    return {model.model_id: model for model in logs.models.history()}


def _select_listed(loop: Loop, logs: LoopStores, history: dict[str, Model]) -> Sequence[ModelNote]:
    live = logs.models.live()
    notes = logs.notes.all()
    newest = {note.model_id for note in notes[: loop.settings.staged_model_history_length]}
    if live is not None:
        newest.add(live.model_id)
    return [note for note in notes if note.model_id in history and (note.saved or note.model_id in newest)]


def _find_model(logs: LoopStores, model_id: str) -> tuple[Model, ModelNote]:
    note = next((note for note in logs.notes.all() if note.model_id == model_id), None)
    model = _read_history(logs).get(model_id)
    if note is None or model is None:
        raise RequestRefused(_MISSING, f"There is no model {model_id!r}, or it is too old to be kept.")
    return model, note


def _to_metadata(loop: Loop, logs: LoopStores, history: dict[str, Model], note: ModelNote) -> ModelMetadata:
    model = history[note.model_id]
    edited_us = loop.edited_at_us or loop.created_at_us
    parent = None if model.parent_id is None else history.get(model.parent_id)
    learns = model.last_outcome >= model.first_outcome
    return ModelMetadata(
        model_id=model.model_id,
        user_description=note.description,
        creation_date=durations.format_zoned_us(model.created_at_us),
        last_config_edit_date=(
            durations.format_time_us(edited_us) if edited_us <= model.created_at_us else UNSET
        ),
        first_event_id=_find_event_id(logs.outcomes, model.first_outcome) if learns else UNSET,
        last_event_id=_find_event_id(logs.outcomes, model.last_outcome) if learns else UNSET,
        saved_in_history=note.saved,
        number_of_events_learned_since_last_export=model.learned - (0 if parent is None else parent.learned),
    )


def _find_event_id(outcomes: OutcomeLog, number: int) -> str | UnsetType:
    found = outcomes.outcomes(after=number - 1, limit=1)
    return found[0].outcome.event_id or UNSET if found and found[0].seq == number else UNSET


def _check_unchanged(changes: ModelMetadata, stored: ModelMetadata) -> None:
    free = ("user_description", "saved_in_history")
    for field, name in zip(changes.__struct_fields__, changes.__struct_encode_fields__, strict=True):
        value = getattr(changes, field)
        if field not in free and value is not UNSET and value != getattr(stored, field):
            raise RequestRefused(_INVALID, f"{name} can't be changed; userDescription and savedInHistory can.")


def _apply_changes(note: ModelNote, changes: ModelMetadata) -> ModelNote:
    description = note.description if changes.user_description is UNSET else changes.user_description
    saved = note.saved if changes.saved_in_history is UNSET else changes.saved_in_history
    return replace(note, description=description, saved=saved)


def _build_route(
    name: str,
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    *,
    permission: Permission = "change",
    is_audited: bool = False,
    status: int = 200,
) -> Route:
    responses: dict[Handler, object] = {
        list_all: list[ModelMetadata],
        get_staged_model: bytes,
        put_staged_model: ModelMetadata,
    }
    return Route(
        name=name,
        method=method,
        path=f"{_PATH}{path}",
        versions=FROM_PREVIEW_3,
        handler=handler,
        permission=permission,
        is_audited=is_audited,
        tag=_TAG,
        summary=summary,
        description=_DESCRIPTIONS.get(handler, ""),
        status=status,
        invalid=_INVALID,
        request=ModelMetadata if handler is put_staged_model else None,
        response=responses.get(handler),
        codes=(_MISSING,) if "{" in path else (),
        headers=FILE_HEADERS if handler is get_staged_model else {},
    )


_DESCRIPTIONS: dict[Handler, str] = {
    publish_staged_model: "It serves until another one is published: modelAutoPublish is off then.",
    delete_staged_model: "Not the one that serves, nor an imported one with which training began.",
}
_ONE = "/{modelId}"

ROUTES = (
    _build_route(
        "ListStagedModels",
        "GET",
        "",
        list_all,
        "The models of the history, the newest first.",
        permission="read",
    ),
    _build_route("GetStagedModel", "GET", _ONE, get_staged_model, "Take a model of the history out."),
    _build_route(
        "UpdateStagedModel", "PUT", _ONE, put_staged_model, "Describe a model, or save it.", is_audited=True
    ),
    _build_route(
        "DeleteStagedModel", "DELETE", _ONE, delete_staged_model, "Remove a model.", is_audited=True, status=204
    ),
    _build_route(
        "PublishStagedModel", "PUT", f"{_ONE}/publish", publish_staged_model, "Let a model serve.", status=204
    ),
)
