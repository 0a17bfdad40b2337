"""Evaluations in 2022-09-01-preview: created by name, listed in pages, read in windows (contract, 1.7)."""

import re

from msgspec import UNSET

from sartor.api.admin import evaluation_requests, evaluations
from sartor.api.admin.evaluation_requests import CREATION_CODES, PAGING, to_micros
from sartor.api.admin.evaluations import INVALID, NOT_FOUND, TAG
from sartor.api.admin.evaluations_2022_wire import (
    EvaluationItem,
    EvaluationPage,
    Frame,
    NamedEvaluationContract,
    to_wire,
)
from sartor.api.http import json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Parameter, Route
from sartor.api.routing.versions import PATHS, V2022_09
from sartor.evaluation.spec import EVALUATION, EvaluationResult, EvaluationSpec, PolicySpec, decode_job
from sartor.records import Job

_EXISTS = "EvaluationAlreadyExists"
_OLD = "IncompatibleEvaluationVersion"
_INVALID_QUERY = "InvalidRequest"
_MINUTES = (5, 60, 360, 720, 1440)
_FILTER = re.compile(r"\s*evaluationType\s+eq\s+'(Manual|Auto)'\s*", re.IGNORECASE)
_OLDER = frozenset(version.name for version in PATHS)


def put_evaluation(call: Call) -> Response:
    """Create an evaluation under the name in the path."""
    contract = json_body.decode_json(NamedEvaluationContract, call.body, invalid=INVALID)
    spec = EvaluationSpec(
        name=contract.name,
        start_us=to_micros(contract.start_time, "startTime", invalid=INVALID),
        end_us=to_micros(contract.end_time, "endTime", invalid=INVALID),
        policies=tuple(PolicySpec(name=one.name, arguments=one.arguments) for one in contract.policies),
        find_optimal=contract.enable_policy_optimization,
        made_with=call.version.name,
    )
    evaluation_requests.add_evaluation(call, call.path_id, spec, invalid=INVALID, exists=_EXISTS)
    return Response(200)


def list_page(call: Call) -> Response:
    """List one page of the evaluations, the newest first."""
    wanted = evaluation_requests.parse_paging(call.query, invalid=_INVALID_QUERY)
    kind = _parse_filter(call.query.get("filter"))
    with call.context.open_loop(call.loop) as logs:
        found = evaluation_requests.sort_newest_first(logs.jobs.jobs(kind=EVALUATION))
    items = [to_wire(job, decode_job(job.spec, EvaluationSpec), _decode_result(job)) for job in found]
    chosen = [one for one in items if kind is None or one.evaluation_type.lower() == kind]
    page, next_link = evaluation_requests.slice_page(call, "/evaluations", chosen, wanted)
    return json_body.json_response(200, EvaluationPage(list(page), UNSET if next_link is None else next_link))


def get_evaluation(call: Call) -> Response:
    """Read one evaluation, with its scores in the windows of the query."""
    frame = _parse_frame(call)
    job = evaluations.find_evaluation(call)
    spec = decode_job(job.spec, EvaluationSpec)
    if spec.made_with in _OLDER:
        raise RequestRefused(
            _OLD, f"This evaluation was made with {spec.made_with}, which shows it; this version does not."
        )
    return json_body.json_response(200, to_wire(job, spec, _decode_result(job), frame))


def _decode_result(job: Job) -> EvaluationResult | None:
    return decode_job(job.result, EvaluationResult) if job.state == "succeeded" else None


def _parse_filter(text: str | None) -> str | None:
    """Parse a filter to the type of evaluation that it selects, in small letters."""
    if text is None:
        return None
    matched = _FILTER.fullmatch(text)
    if matched is None:
        raise RequestRefused(
            _INVALID_QUERY, f"filter must be like evaluationType eq 'Manual', not {text[:64]!r}."
        )
    return matched[1].lower()


def _parse_frame(call: Call) -> Frame:
    start_us, end_us = (_parse_time(call, name) for name in ("startTime", "endTime"))
    if start_us >= end_us:
        raise RequestRefused(_INVALID_QUERY, "startTime must be before endTime.")
    minutes = _parse_minutes(call.query.get("intervalInMinutes", "5"))
    return Frame(start_us=start_us, end_us=end_us, minutes=minutes, expands=_parse_window(call, minutes))


def _parse_time(call: Call, name: str) -> int:
    text = call.query.get(name)
    if not text:
        raise RequestRefused(_INVALID_QUERY, f"The query parameter {name} is required.")
    return to_micros(text, name, invalid=_INVALID_QUERY)


def _parse_minutes(text: str) -> int:
    if text not in map(str, _MINUTES):
        raise RequestRefused(
            _INVALID_QUERY, f"intervalInMinutes must be one of {', '.join(map(str, _MINUTES))}."
        )
    return int(text)


def _parse_window(call: Call, minutes: int) -> bool:
    contract = call.query.get("window", "Expanding" if minutes == 5 else "Rolling").lower()
    if contract != ("expanding" if minutes == 5 else "rolling"):
        raise RequestRefused(_INVALID_QUERY, "window is Expanding with an interval of 5 minutes, else Rolling.")
    return minutes == 5


_TIME = {"type": "string", "format": "date-time"}

ROUTES = (
    Route(
        name="PutEvaluation",
        method="PUT",
        path="/evaluations/{evaluationId}",
        versions=(V2022_09,),
        handler=put_evaluation,
        permission="change",
        is_audited=True,
        tag=TAG,
        summary="Ask what other policies would have earned.",
        description="It is computed later; ask for it again until it has succeeded.",
        status=200,
        success="It is asked for; no body.",
        invalid=INVALID,
        request=NamedEvaluationContract,
        codes=(*CREATION_CODES, _EXISTS),
    ),
    Route(
        name="ListEvaluations",
        method="GET",
        path="/evaluations",
        versions=(V2022_09,),
        handler=list_page,
        permission="read",
        tag=TAG,
        summary="The evaluations, the newest first.",
        status=200,
        success="A page of evaluations, without their scores.",
        invalid=_INVALID_QUERY,
        response=EvaluationPage,
        query=(
            Parameter(
                name="filter",
                description="Which evaluations: evaluationType eq 'Manual', or 'Auto'.",
                schema={"type": "string", "enum": ["evaluationType eq 'Manual'", "evaluationType eq 'Auto'"]},
            ),
            *PAGING,
        ),
    ),
    Route(
        name="GetEvaluation",
        method="GET",
        path="/evaluations/{evaluationId}",
        versions=(V2022_09,),
        handler=get_evaluation,
        permission="read",
        tag=TAG,
        summary="One evaluation with its scores.",
        description="intervalInMinutes 5 goes with expanding windows, the others with rolling ones.",
        status=200,
        success="The evaluation as it is now.",
        invalid=_INVALID_QUERY,
        response=EvaluationItem,
        codes=(NOT_FOUND, _OLD),
        query=(
            Parameter(name="startTime", description="Scores from here on.", schema=_TIME, required=True),
            Parameter(name="endTime", description="Scores before this.", schema=_TIME, required=True),
            Parameter(
                name="intervalInMinutes",
                description="How long a window is.",
                schema={"type": "integer", "enum": list(_MINUTES), "default": 5},
            ),
            Parameter(
                name="window",
                description="Whether windows grow from the start, or follow one another.",
                schema={"type": "string", "enum": ["Expanding", "Rolling"]},
            ),
        ),
    ),
)
