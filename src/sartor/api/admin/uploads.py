"""Uploads of decisions that a client made itself: authenticated, and refused with the reason for now.

The .NET client's local inference posts batches in a binary format to ``/logs/interactions`` and
``/logs/observations`` (contract, section 1.8).
"""

from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Route
from sartor.api.routing.versions import FROM_PREVIEW_2


def refuse_upload(call: Call) -> Response:
    """Refuse the upload: it is not supported yet."""
    raise RequestRefused(
        "InvalidRequest",
        "Uploads of local inference are not supported yet; nothing was stored. Turn local inference off in the "
        "client, so that it calls rank, reward and activate.",
    )


def _build_route(name: str, path: str) -> Route:
    return Route(
        name=name,
        method="POST",
        path=path,
        versions=FROM_PREVIEW_2,
        handler=refuse_upload,
        permission="change",
        is_audited=True,
        tag="Logs",
        summary="Upload what a client decided or observed by itself; refused for now.",
        description="For the local inference of a client library, which is not supported yet: always 400.",
        status=None,
        invalid="InvalidRequest",
        codes=("InvalidRequest",),
        request=bytes,
    )


ROUTES = (
    _build_route("UploadInteractions", "/logs/interactions"),
    _build_route("UploadObservations", "/logs/observations"),
)
