"""Evaluations in the versions with paths: created, listed, read, removed (contract, section 1.7)."""

import uuid

from sartor.api.admin import evaluation_requests
from sartor.api.admin.evaluation_requests import CREATION_CODES
from sartor.api.admin.evaluations_wire import Evaluation, EvaluationContract, to_wire
from sartor.api.http import json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Route
from sartor.api.routing.versions import ALL_VERSIONS, PATHS, V1_0
from sartor.errors import JobNotFound
from sartor.evaluation.spec import EVALUATION, EvaluationResult, EvaluationSpec, PolicySpec, decode_job
from sartor.records import Job

TAG = "Evaluations"
INVALID = "InvalidEvaluationContract"
NOT_FOUND = "EvaluationNotFound"
_PATH = "/evaluations"


def create_evaluation(call: Call) -> Response:
    """Create an evaluation; the service names it."""
    contract = json_body.decode_json(EvaluationContract, call.body, invalid=INVALID)
    spec = EvaluationSpec(
        name=contract.name,
        start_us=evaluation_requests.to_micros(contract.start_time, "startTime", invalid=INVALID),
        end_us=evaluation_requests.to_micros(contract.end_time, "endTime", invalid=INVALID),
        policies=tuple(PolicySpec(name=one.name, arguments=one.arguments) for one in contract.policies),
        find_optimal=contract.enable_offline_experimentation,
        made_with=call.version.name,
    )
    name = str(uuid.uuid4())
    job = evaluation_requests.add_evaluation(call, name, spec, invalid=INVALID)
    location = (b"location", f"{call.version.prefix}{_PATH}/{name}".encode())
    return json_body.json_response(201, _to_evaluation(call, job, whole=True), location)


def list_all(call: Call) -> Response:
    """List all evaluations, the newest first, without their windows."""
    with call.context.open_loop(call.loop) as logs:
        found = logs.jobs.jobs(kind=EVALUATION)
    return json_body.json_response(
        200, [_to_evaluation(call, job, whole=False) for job in evaluation_requests.sort_newest_first(found)]
    )


def get_evaluation(call: Call) -> Response:
    """Read one evaluation."""
    return json_body.json_response(200, _to_evaluation(call, find_evaluation(call), whole=True))


def delete_evaluation(call: Call) -> Response:
    """Remove an evaluation; one that runs is stopped."""
    try:
        evaluation_requests.delete_job(call, EVALUATION)
    except JobNotFound as error:
        raise RequestRefused(NOT_FOUND, error.message) from error
    return Response(204)


def find_evaluation(call: Call, /) -> Job:
    """Find the evaluation that the path names.

    Raises:
        RequestRefused: there is none.
    """
    try:
        return evaluation_requests.find_job(call, EVALUATION)
    except JobNotFound as error:
        raise RequestRefused(NOT_FOUND, error.message) from error


def _to_evaluation(call: Call, job: Job, *, whole: bool) -> Evaluation:
    result = decode_job(job.result, EvaluationResult) if job.state == "succeeded" else None
    previews = call.version != V1_0
    return to_wire(job, decode_job(job.spec, EvaluationSpec), result, previews=previews, whole=whole)


ROUTES = (
    Route(
        name="CreateEvaluation",
        method="POST",
        path=_PATH,
        versions=PATHS,
        handler=create_evaluation,
        permission="change",
        is_audited=True,
        tag=TAG,
        summary="Ask what other policies would have earned.",
        description="It is computed later; ask for it again until it is completed.",
        status=201,
        success="The evaluation, as it begins.",
        invalid=INVALID,
        request=EvaluationContract,
        response=Evaluation,
        codes=CREATION_CODES,
        headers={"Location": "Where the evaluation is."},
    ),
    Route(
        name="ListEvaluations",
        method="GET",
        path=_PATH,
        versions=PATHS,
        handler=list_all,
        permission="read",
        tag=TAG,
        summary="All evaluations, the newest first.",
        status=200,
        success="The evaluations, without their windows.",
        invalid=INVALID,
        response=list[Evaluation],
    ),
    Route(
        name="GetEvaluation",
        method="GET",
        path=f"{_PATH}/{{evaluationId}}",
        versions=PATHS,
        handler=get_evaluation,
        permission="read",
        tag=TAG,
        summary="One evaluation.",
        status=200,
        success="The evaluation as it is now.",
        invalid=INVALID,
        response=Evaluation,
        codes=(NOT_FOUND,),
    ),
    Route(
        name="DeleteEvaluation",
        method="DELETE",
        path=f"{_PATH}/{{evaluationId}}",
        versions=ALL_VERSIONS,
        handler=delete_evaluation,
        permission="change",
        is_audited=True,
        tag=TAG,
        summary="Remove an evaluation.",
        description="One that is being computed is stopped.",
        status=204,
        invalid=INVALID,
        codes=(NOT_FOUND,),
    ),
)
