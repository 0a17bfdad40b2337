"""The model of a loop: exported, imported, reset (contract, sections 1.8, 2.7 and 3.5)."""

from email.utils import formatdate
from typing import Annotated

from msgspec import Struct

from sartor.api.http import durations, json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Parameter, Route
from sartor.api.routing.versions import ALL_VERSIONS, FROM_PREVIEW_3, PREVIEW_1, PREVIEW_2, V1_0
from sartor.errors import InvalidModel, InvalidSignature
from sartor.learn.dumps import ModelFile, export_file
from sartor.management import models
from sartor.ports import LoopStores
from sartor.records import Model

BODY_BYTES = 134_217_728
"""How large a model may be that is imported."""

BINARY = b"application/octet-stream"

_TAG = "Models"
_INVALID = "InvalidRequest"
_BAD_FORMAT = "invalidModelImportFormat"
"""In this case only it is written so, as the retired service did."""
_BAD_SIGNATURE = "InvalidModelImportSignature"
_MISSING = "ResourceNotFound"


class ModelProperties(Struct, frozen=True, rename="camel"):
    """When the model was made, and when it was last renewed; year 1 before there is one."""

    creation_time: Annotated[str, durations.TIME]
    last_modified_time: Annotated[str, durations.TIME]


def export_model(call: Call) -> Response:
    """Export the live model: the file of its engine, or the zip of it with a signature."""
    with call.context.open_loop(call.loop) as logs:
        live = logs.models.live()
        if live is None:
            raise RequestRefused(
                _MISSING, "There is no model yet: decisions are uniform until the first is exported."
            )
        model = export_file(logs.models.blob(live.model_id))
    if is_signed(call):
        model = ModelFile(f"{model.name}.zip", models.export_signed(call.context.stores, model.content))
    return send_model(model, live)


def import_model(call: Call) -> Response:
    """Import a model in the place of the live one."""
    try:
        # Checking a model runs a child process; others change the catalog meanwhile.
        blob = models.check_import(call.context.stores, call.context.find_loop(call.loop), call.body)
        with call.context.acquire_loop(call.loop) as loop:
            models.begin_generation(call.context.stores, loop.name, blob)
    except InvalidModel as error:
        raise RequestRefused(_BAD_FORMAT, error.message) from error
    except InvalidSignature as error:
        raise RequestRefused(_BAD_SIGNATURE, error.message) from error
    return Response(204)


def reset_model(call: Call) -> Response:
    """Forget the model."""
    with call.context.acquire_loop(call.loop) as loop:
        models.reset_model(call.context.stores, loop.name)
    return Response(204)


def get_properties(call: Call) -> Response:
    """Read when the model was made and renewed."""
    with call.context.open_loop(call.loop) as logs:
        live = logs.models.live()
        made_us = 0 if live is None else _find_generation_start_us(logs, live)
    renewed_us = 0 if live is None else live.created_at_us
    return json_body.json_response(
        200, ModelProperties(durations.format_zoned_us(made_us), durations.format_zoned_us(renewed_us))
    )


def is_signed(call: Call, /) -> bool:
    """Whether the request wants the signed zip, in the versions that have it.

    Raises:
        RequestRefused: ``signed`` is neither true nor false.
    """
    signed_parameter = call.query.get("signed", "false").lower()
    if call.version not in FROM_PREVIEW_3:
        return False
    if signed_parameter not in ("true", "false"):
        raise RequestRefused(_INVALID, f"signed must be true or false, not {signed_parameter[:64]!r}.")
    return signed_parameter == "true"


def send_model(file: ModelFile, model: Model, /) -> Response:
    """Build the response with a model as a file, and the time at which it was made."""
    return Response(
        200,
        file.content,
        (
            (b"content-disposition", f"attachment; filename={file.name}".encode()),
            (b"last-modified", formatdate(model.created_at_us // 1_000_000, usegmt=True).encode()),
        ),
        BINARY,
    )


def _find_generation_start_us(logs: LoopStores, live: Model) -> int:
    """Find when the first model of the live one's generation was made."""
    history = logs.models.history()
    return min(model.created_at_us for model in history if model.generation == live.generation)


_SIGNED = Parameter(
    name="signed",
    description="True: a zip of the model with a signature and the certificate of the signer.",
    schema={"type": "boolean", "default": False},
)
FILE_HEADERS = {"Content-Disposition": "The name of the file.", "Last-Modified": "When the model was made."}


def _build_get_route(name: str, *, signed: bool) -> Route:
    return Route(
        name=name,
        method="GET",
        path="/model",
        versions=FROM_PREVIEW_3 if signed else (V1_0, PREVIEW_1, PREVIEW_2),
        handler=export_model,
        permission="change",  # it takes the contents of the loop away
        tag=_TAG,
        summary="Take the model out.",
        description="model.vw, as Vowpal Wabbit reads it; or model.sartor, where the learning settings that it "
        "was made with begin with --sartor.",
        status=200,
        success="The model.",
        invalid=_INVALID,
        response=bytes,
        codes=(_MISSING,),
        query=(_SIGNED,) if signed else (),
        headers=FILE_HEADERS,
    )


ROUTES = (
    _build_get_route("GetModel", signed=False),
    _build_get_route("ExportModel", signed=True),
    Route(
        name="ImportModel",
        method="PUT",
        path="/model",
        versions=FROM_PREVIEW_3,
        handler=import_model,
        permission="change",
        is_audited=True,
        tag=_TAG,
        summary="Put a model in the place of the one that serves.",
        description="A signed zip. The model serves at once, and training goes on from it. It must have been "
        "made with learning settings that fit those of the loop.",
        status=204,
        invalid=_INVALID,
        request=bytes,
        codes=(_BAD_FORMAT, _BAD_SIGNATURE),
        body_bytes=BODY_BYTES,
    ),
    Route(
        name="ResetModel",
        method="DELETE",
        path="/model",
        versions=ALL_VERSIONS,
        handler=reset_model,
        permission="change",
        is_audited=True,
        tag=_TAG,
        summary="Forget the model.",
        description="Decisions are uniform until the next export, which knows only what was settled since.",
        status=204,
        invalid=_INVALID,
    ),
    Route(
        name="GetModelProperties",
        method="GET",
        path="/model/properties",
        versions=ALL_VERSIONS,
        handler=get_properties,
        permission="read",
        tag=_TAG,
        summary="When the model was made and renewed.",
        status=200,
        success="Two times; year 1 before there is a model.",
        invalid=_INVALID,
        response=ModelProperties,
        response_example={
            "creationTime": "2024-05-17T09:30:00+00:00",
            "lastModifiedTime": "2024-05-18T14:05:12+00:00",
        },
    ),
)
