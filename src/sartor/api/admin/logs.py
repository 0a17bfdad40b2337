"""How far the log of a loop reaches, and its removal (contract, section 1.8)."""

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from sartor.api.http import durations, json_body
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Route
from sartor.api.routing.versions import ALL_VERSIONS
from sartor.log.joined_log import find_settled_time_range
from sartor.management import log_deletion

_TAG = "Logs"
_INVALID = "InvalidRequest"


class DateRange(Struct, frozen=True, rename={"from_": "from"}):
    """From the first to the last decision in the log."""

    from_: Annotated[str, durations.TIME]
    to: Annotated[str, durations.TIME]


class LogsProperties(Struct, frozen=True, rename="camel"):
    """How far the log reaches; nothing when it is empty."""

    date_range: DateRange | UnsetType = UNSET


def get_properties(call: Call) -> Response:
    """Read how far the log of settled decisions reaches."""
    with call.context.open_loop(call.loop) as logs:
        span = find_settled_time_range(logs.events, logs.outcomes)
    if span is None:
        return json_body.json_response(200, LogsProperties())
    first, last = span
    return json_body.json_response(
        200, LogsProperties(DateRange(durations.format_zoned_us(first), durations.format_zoned_us(last)))
    )


def delete_logs(call: Call) -> Response:
    """Remove the log."""
    with call.context.acquire_loop(call.loop) as loop:
        kept = log_deletion.keep_model(call.context.stores, loop.name)
    log_deletion.clear_log(call.context.stores, kept)
    return Response(204)


ROUTES = (
    Route(
        name="GetLogsProperties",
        method="GET",
        path="/logs/properties",
        versions=ALL_VERSIONS,
        handler=get_properties,
        permission="read",
        tag=_TAG,
        summary="How far the log reaches.",
        description="Decisions are in it once they are settled: rewarded, or without a reward for too long.",
        status=200,
        success="The times of the first and the last decision; an empty object when there is none.",
        invalid=_INVALID,
        response=LogsProperties,
        response_example={
            "dateRange": {"from": "2024-05-01T00:00:07+00:00", "to": "2024-05-18T14:05:12+00:00"}
        },
    ),
    Route(
        name="DeleteLogs",
        method="DELETE",
        path="/logs",
        versions=ALL_VERSIONS,
        handler=delete_logs,
        permission="change",
        is_audited=True,
        tag=_TAG,
        summary="Remove the log.",
        description="Every settled decision, its rewards and its outcome. The model stays, and training goes "
        "on from the one that was exported last. Decisions that still wait for a reward stay.",
        status=204,
        invalid=_INVALID,
    ),
)
