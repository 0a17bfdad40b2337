"""Usage, audit log, corrections of rewards, erasure and scorecards of loops."""

from collections.abc import Sequence

from sartor.access.roles import EVERY_LOOP
from sartor.api.control.wire import (
    ActivityLine,
    Correction,
    CorrectionResult,
    ErasureReceipt,
    ErasureRequest,
    UsageDay,
    to_activity_line,
    to_correction_result,
    to_erasure_receipt,
    to_usage_day,
)
from sartor.api.http import json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Parameter, Route
from sartor.api.routing.versions import CONTROL_V1
from sartor.estimators.scorecard_view import ScorecardView
from sartor.management import audit_log, erasure, reward_corrections
from sartor.management import usage as usage_records
from sartor.management.erasure_criteria import ErasureCriteria
from sartor.numbers import parse_whole
from sartor.ports import Loop
from sartor.times import DAYS_READ, now_us

_INVALID = "InvalidRequest"
_MOST_LINES = 1_000
_CSV = b"text/csv; charset=utf-8"


def get_loop_usage(call: Call) -> Response:
    """Report the usage of a loop."""
    loop = call.context.find_named(call.path["name"])
    return _respond_usage(call, [loop])


def get_usage(call: Call) -> Response:
    """Report the usage of the loops that the caller may read."""
    found = call.context.list_readable()
    return _respond_usage(call, found)


def _respond_usage(call: Call, of: Sequence[Loop]) -> Response:
    shape = call.query.get("format", "json")
    if shape not in ("json", "csv"):
        raise RequestRefused(_INVALID, "format must be json or csv.")
    first, last = usage_records.parse_days(
        call.query.get("from"), call.query.get("to"), today=usage_records.today()
    )
    days = usage_records.read_usage(call.context.stores, of, first=first, last=last, skip_deleted=True)
    if shape == "json":
        return json_body.json_response(200, [to_usage_day(day) for day in days])
    return Response(200, usage_records.format_csv(days).encode(), (), _CSV)


def get_loop_activities(call: Call) -> Response:
    """List who changed a loop; those who may see all loops also see what became of others of that name."""
    if call.context.caller.may("read", EVERY_LOOP):
        return _respond_activities(call, loop=call.path["name"])
    loop = call.context.find_named(call.path["name"])
    return _respond_activities(call, loop_id=loop.loop_id)


def get_activities(call: Call) -> Response:
    """List who changed what."""
    return _respond_activities(call)


def _respond_activities(call: Call, *, loop: str | None = None, loop_id: str | None = None) -> Response:
    count = _parse_last(call)
    found = audit_log.read_newest(call.context.stores, count, loop=loop, loop_id=loop_id)
    return json_body.json_response(200, [to_activity_line(one) for one in found])


def _parse_last(call: Call) -> int:
    try:
        return parse_whole(call.query.get("last", "100"), low=1, high=_MOST_LINES)
    except ValueError as error:
        raise RequestRefused(_INVALID, f"last {error}.") from error


def correct_reward(call: Call) -> Response:
    """Replace the reward of a settled event."""
    contract = json_body.decode_json(Correction, call.body, invalid=_INVALID)
    name, event_id = call.path["name"], call.path["eventId"]
    with call.context.acquire_named(name):
        correction = reward_corrections.correct_reward(
            call.context.stores, name, event_id, contract.value, slot=contract.slot_id
        )
    return json_body.json_response(200, to_correction_result(correction))


def erase_decisions(call: Call) -> Response:
    """Erase what was decided for a person."""
    contract = json_body.decode_json(ErasureRequest, call.body, invalid=_INVALID)
    criteria = ErasureCriteria(where=contract.where, event_ids=contract.event_ids)
    loop = call.context.find_named(call.path["name"])
    # It reads the whole log; the loop is changed by others meanwhile.
    receipt = erasure.erase_decisions(call.context.stores, loop, criteria)
    erasure.note_erasure(call.context.stores, loop, receipt)
    return json_body.json_response(200, to_erasure_receipt(receipt))


def list_erasures(call: Call) -> Response:
    """List the erasures that had to wait for open decisions."""
    loop = call.context.find_named(call.path["name"])
    found = erasure.list_incomplete(call.context.stores, loop)
    return json_body.json_response(200, [to_erasure_receipt(receipt) for receipt in found])


def get_score(call: Call) -> Response:
    """Read the scorecard of a loop."""
    from sartor.metrics.scorecard import read_scorecard  # it needs NumPy, which the other calls don't

    loop = call.context.find_named(call.path["name"])
    with call.context.open_loop(loop) as logs:
        card = read_scorecard(logs).view(now_us=now_us())
    return json_body.json_response(200, card)


_DAY = {"type": "string", "format": "date"}
_DAYS = (
    Parameter(
        name="from", description=f"The first day, {DAYS_READ}; by default that of this month.", schema=_DAY
    ),
    Parameter(name="to", description="The last day, a year later at most; by default today.", schema=_DAY),
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
    Route(
        name="GetUsage",
        method="GET",
        path="/usage",
        versions=(CONTROL_V1,),
        handler=get_usage,
        permission="read",
        tag="Usage",
        summary="Ranks and rewards by loop and day, as JSON or CSV.",
        status=200,
        success="The days that saw something.",
        invalid=_INVALID,
        response=list[UsageDay],
        query=_DAYS,
    ),
    Route(
        name="GetLoopUsage",
        method="GET",
        path="/loops/{name}/usage",
        versions=(CONTROL_V1,),
        handler=get_loop_usage,
        permission="read",
        tag="Usage",
        summary="Ranks and rewards of a loop by day, as JSON or CSV.",
        status=200,
        success="The days that saw something.",
        invalid=_INVALID,
        response=list[UsageDay],
        codes=("LoopNotFound",),
        query=_DAYS,
    ),
    Route(
        name="GetActivities",
        method="GET",
        path="/activities",
        versions=(CONTROL_V1,),
        handler=get_activities,
        permission="own",
        tag="Activity log",
        summary="Who changed what, in all loops that ever were.",
        status=200,
        success="The newest lines, oldest of them first.",
        invalid=_INVALID,
        response=list[ActivityLine],
        query=_LAST,
    ),
    Route(
        name="GetLoopActivities",
        method="GET",
        path="/loops/{name}/activities",
        versions=(CONTROL_V1,),
        handler=get_loop_activities,
        permission="read",
        tag="Activity log",
        summary="Who changed what of a loop.",
        status=200,
        success="The newest lines, oldest of them first.",
        invalid=_INVALID,
        response=list[ActivityLine],
        codes=("LoopNotFound",),
        query=_LAST,
    ),
    Route(
        name="CorrectReward",
        method="PUT",
        path="/loops/{name}/events/{eventId}/reward",
        versions=(CONTROL_V1,),
        handler=correct_reward,
        permission="decide",
        tag="Corrections",
        summary="Put the reward of a settled event right, or take it back.",
        description="The log has it at once, the live model when the log has been learned again.",
        status=200,
        success="What it changed.",
        invalid=_INVALID,
        request=Correction,
        response=CorrectionResult,
        codes=("LoopNotFound", "EventNotFound", "EventOpen", "ScopeLocked"),
        request_example={"value": 0.5},
    ),
    Route(
        name="Erase",
        method="POST",
        path="/loops/{name}/erasures",
        versions=(CONTROL_V1,),
        handler=erase_decisions,
        permission="change",
        tag="Corrections",
        summary="Erase what was decided for somebody.",
        description="Gone from the log at the answer. The model is learned again without it at once; models "
        "that had learned it are removed when the new one serves.",
        status=200,
        success="The receipt.",
        invalid=_INVALID,
        request=ErasureRequest,
        response=ErasureReceipt,
        codes=("LoopNotFound", "ScopeLocked"),
        request_example={"where": {"user.id": "42"}},
    ),
    Route(
        name="ListErasures",
        method="GET",
        path="/loops/{name}/erasures",
        versions=(CONTROL_V1,),
        handler=list_erasures,
        permission="change",
        tag="Corrections",
        summary="The erasures that had to wait for open decisions.",
        description="Each by its receipt as it is now; one is complete when nothing is still open.",
        status=200,
        success="The receipts, oldest first.",
        invalid=_INVALID,
        response=list[ErasureReceipt],
        codes=("LoopNotFound",),
    ),
    Route(
        name="GetLoopScore",
        method="GET",
        path="/loops/{name}/score",
        versions=(CONTROL_V1,),
        handler=get_score,
        permission="read",
        tag="Score",
        summary="The lift over the baseline, and what was earned beside it, chance and the best fixed action.",
        description="`lift` says how much more than the baseline the learned policy earns, `exploration` what "
        "exploring costs. Then what was earned per decision, in total and in the last 5 minutes, hour, 6 hours "
        "and day. The intervals hold at 95 %, however often one looks. Where the log can't say there is no "
        "value, but reasons.",
        status=200,
        success="The standings.",
        invalid=_INVALID,
        response=ScorecardView,
        codes=("LoopNotFound",),
    ),
)
