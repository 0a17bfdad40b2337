"""What was used, who changed what; rewards put right, and decisions erased."""

from sartor.api.control.wire import (
    ActivityLine,
    Correction,
    CorrectionResult,
    ErasureReceipt,
    ErasureRequest,
    UsageDay,
)
from sartor.api.http import json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.control_routes import ControlCall, ControlRoute
from sartor.api.routing.routes import Parameter

_INVALID = "InvalidRequest"
_MOST_LINES = 1_000
_CSV = b"text/csv; charset=utf-8"
_FIELDS = ("loop", "day", "ranks", "rewards")


def get_loop_usage(call: ControlCall) -> Response:
    """What was used of a loop."""
    return _usage(call, [call.door.loop(call.path["name"]).name])


def get_usage(call: ControlCall) -> Response:
    """What was used of the loops that the caller may look at."""
    return _usage(call, [loop.name for loop in call.door.loops() if call.caller.may("read", loop.name)])


def _usage(call: ControlCall, names: list[str]) -> Response:
    shape = call.query.get("format", "json")
    if shape not in ("json", "csv"):
        raise RequestRefused(_INVALID, "format must be json or csv.")
    days = call.door.usage(names, first=call.query.get("from"), last=call.query.get("to"))
    if shape == "json":
        return json_body.json_response(200, days)
    rows = [_FIELDS, *((day.loop, day.day.isoformat(), str(day.ranks), str(day.rewards)) for day in days)]
    return Response(200, "".join(",".join(row) + "\r\n" for row in rows).encode(), (), _CSV)


def get_loop_activities(call: ControlCall) -> Response:
    """Who changed a loop."""
    return json_body.json_response(200, call.door.activities(_last(call), loop=call.path["name"]))


def get_activities(call: ControlCall) -> Response:
    """Who changed what."""
    return json_body.json_response(200, call.door.activities(_last(call), loop=None))


def _last(call: ControlCall) -> int:
    text = call.query.get("last", "100")
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= _MOST_LINES):
        raise RequestRefused(_INVALID, f"last must be a number from 1 to {_MOST_LINES}.")
    return int(text)


def correct(call: ControlCall) -> Response:
    """Replace the reward of a settled event."""
    asked = json_body.decode_json(Correction, call.body, invalid=_INVALID)
    name, event_id = call.path["name"], call.path["eventId"]
    return json_body.json_response(200, call.door.correct(name, event_id, asked.value, slot=asked.slot_id))


def erase(call: ControlCall) -> Response:
    """Erase what was decided for somebody."""
    asked = json_body.decode_json(ErasureRequest, call.body, invalid=_INVALID)
    return json_body.json_response(200, call.door.erase(call.path["name"], asked))


_DAYS = (
    Parameter(name="from", description="The first day; by default of this month.", schema={"type": "string"}),
    Parameter(name="to", description="The last day; by default today.", schema={"type": "string"}),
    Parameter(
        name="format", description="How it is written.", schema={"type": "string", "enum": ["json", "csv"]}
    ),
)
_LAST = (
    Parameter(
        name="last",
        description="How many of the newest.",
        schema={"type": "integer", "minimum": 1, "maximum": _MOST_LINES},
    ),
)

ROUTES = (
    ControlRoute(
        name="GetUsage",
        method="GET",
        path="/usage",
        does=get_usage,
        need="read",
        tag="Usage",
        summary="Ranks and rewards by loop and day, as JSON or CSV.",
        status=200,
        said="The days that saw something.",
        answer=list[UsageDay],
        query=_DAYS,
    ),
    ControlRoute(
        name="GetLoopUsage",
        method="GET",
        path="/loops/{name}/usage",
        does=get_loop_usage,
        need="read",
        tag="Usage",
        summary="Ranks and rewards of a loop by day, as JSON or CSV.",
        status=200,
        said="The days that saw something.",
        answer=list[UsageDay],
        codes=("LoopNotFound",),
        query=_DAYS,
    ),
    ControlRoute(
        name="GetActivities",
        method="GET",
        path="/activities",
        does=get_activities,
        need="own",
        tag="Activity log",
        summary="Who changed what, in all loops that ever were.",
        status=200,
        said="The newest lines, oldest of them first.",
        answer=list[ActivityLine],
        query=_LAST,
    ),
    ControlRoute(
        name="GetLoopActivities",
        method="GET",
        path="/loops/{name}/activities",
        does=get_loop_activities,
        need="read",
        tag="Activity log",
        summary="Who changed what of a loop.",
        status=200,
        said="The newest lines, oldest of them first.",
        answer=list[ActivityLine],
        query=_LAST,
    ),
    ControlRoute(
        name="CorrectReward",
        method="PUT",
        path="/loops/{name}/events/{eventId}/reward",
        does=correct,
        need="decide",
        tag="Corrections",
        summary="Put the reward of a settled event right, or take it back.",
        description="The log has it at once, the live model when the log has been learned again.",
        status=200,
        said="What it changed.",
        request=Correction,
        answer=CorrectionResult,
        codes=("LoopNotFound", "EventNotFound", "EventOpen", "ScopeLocked"),
        example={"value": 0.5},
    ),
    ControlRoute(
        name="Erase",
        method="POST",
        path="/loops/{name}/erasures",
        does=erase,
        need="change",
        tag="Corrections",
        summary="Erase what was decided for somebody.",
        description="Gone from the log at the answer. The model is learned again without it at once; models "
        "that had learned it are removed when the new one serves.",
        status=200,
        said="The receipt.",
        request=ErasureRequest,
        answer=ErasureReceipt,
        codes=("LoopNotFound", "ScopeLocked"),
        example={"where": {"user.id": "42"}},
    ),
)
