"""Which features matter: computations created, listed, read, removed (contract, section 1.7)."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from sartor.api.admin import evaluation_requests
from sartor.api.admin.evaluation_requests import PAGING, Name, Time, to_micros
from sartor.api.admin.evaluations_2022_wire import STATUS, Status
from sartor.api.http import durations, json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Route
from sartor.api.routing.versions import V2022_09
from sartor.errors import JobNotFound
from sartor.evaluation import jobs
from sartor.evaluation.spec import (
    FEATURE_IMPORTANCE,
    ImportanceResult,
    ImportanceScore,
    ImportanceSpec,
    decode_job,
    public_id,
)
from sartor.records import Job

_TAG = "Evaluations"
_INVALID = "InvalidContract"
_INVALID_QUERY = "InvalidRequest"
_NO_LOGS = "NoLogsExistInDateRange"
_EXISTS = "FeatureImportanceAlreadyExists"
_NOT_FOUND = "FeatureImportanceNotFound"
_PATH = "/featureImportances"


class FeatureImportanceContract(Struct, frozen=True, rename="camel"):
    """Asks which features mattered in a stretch of time."""

    name: Annotated[Name, Meta(description="What people call it.")]
    start_time: Annotated[Time, Meta(description="Decisions from here on.")]
    end_time: Annotated[Time, Meta(description="Decisions before this.")]


class WireFeatureScore(Struct, frozen=True, rename="camel"):
    """How much a feature matters, 0 to 1: its share of what all features are worth, over the greatest share."""

    namespace: str
    feature_name: str
    score: float


class FeatureImportance(Struct, frozen=True, rename="camel"):
    """A feature importance and how far it is; ``featureScores``, the highest first, when it has succeeded."""

    id: str
    name: str
    start_time: Time
    end_time: Time
    creation_time: Time
    status: Status
    description: str | UnsetType = UNSET
    feature_scores: list[WireFeatureScore] | UnsetType = UNSET


class FeatureImportancePage(Struct, frozen=True, rename="camel"):
    """A part of the list, and where the next part is."""

    value: list[FeatureImportance]
    next_link: str | UnsetType = UNSET


def put_importance(call: Call) -> Response:
    """Create a feature importance under the name in the path."""
    contract = json_body.decode_json(FeatureImportanceContract, call.body, invalid=_INVALID)
    spec = ImportanceSpec(
        name=contract.name,
        start_us=to_micros(contract.start_time, "startTime", invalid=_INVALID),
        end_us=to_micros(contract.end_time, "endTime", invalid=_INVALID),
        made_with=call.version.name,
    )
    translating = evaluation_requests.translate_errors(invalid=_INVALID, exists=_EXISTS)
    loop = call.context.find_loop(call.loop)
    with translating, call.context.open_loop(loop) as logs:
        jobs.add_importance(logs, call.path_id, spec, most_waiting=call.context.waiting_jobs)
    return Response(200)


def list_page(call: Call) -> Response:
    """List one page, the newest first."""
    wanted = evaluation_requests.parse_paging(call.query, invalid=_INVALID_QUERY)
    with call.context.open_loop(call.loop) as logs:
        found = evaluation_requests.sort_newest_first(logs.jobs.jobs(kind=FEATURE_IMPORTANCE))
    listed, next_link = evaluation_requests.slice_page(call, _PATH, found, wanted)
    page = FeatureImportancePage(
        [_to_importance(job) for job in listed], UNSET if next_link is None else next_link
    )
    return json_body.json_response(200, page)


def get_importance(call: Call) -> Response:
    """Read one feature importance."""
    try:
        return json_body.json_response(
            200, _to_importance(evaluation_requests.find_job(call, FEATURE_IMPORTANCE))
        )
    except JobNotFound as error:
        raise RequestRefused(_NOT_FOUND, error.message) from error


def delete_importance(call: Call) -> Response:
    """Remove a feature importance; one that runs is stopped."""
    try:
        evaluation_requests.delete_job(call, FEATURE_IMPORTANCE)
    except JobNotFound as error:
        raise RequestRefused(_NOT_FOUND, error.message) from error
    return Response(204)


def _to_importance(job: Job) -> FeatureImportance:
    spec = decode_job(job.spec, ImportanceSpec)
    scores = decode_job(job.result, ImportanceResult).scores if job.state == "succeeded" else None
    return FeatureImportance(
        id=public_id(job.job_id),
        name=spec.name,
        start_time=durations.format_zoned_us(spec.start_us),
        end_time=durations.format_zoned_us(spec.end_us),
        creation_time=durations.format_zoned_us(job.created_at_us),
        status=STATUS[job.state],
        description=job.description or UNSET,
        feature_scores=UNSET if scores is None else _to_scores(scores),
    )


def _to_scores(scores: Sequence[ImportanceScore]) -> list[WireFeatureScore]:
    ordered = sorted(scores, key=lambda one: -one.score)
    return [WireFeatureScore(one.namespace, one.feature, one.score) for one in ordered]


ROUTES = (
    Route(
        name="PutFeatureImportance",
        method="PUT",
        path=f"{_PATH}/{{featureImportanceId}}",
        versions=(V2022_09,),
        handler=put_importance,
        permission="change",
        is_audited=True,
        tag=_TAG,
        summary="Ask which features matter.",
        description="It is computed later; ask for it again until it has succeeded. Features that say the same "
        "share what they are worth together.",
        status=200,
        success="It is asked for; no body.",
        invalid=_INVALID,
        request=FeatureImportanceContract,
        codes=(_NO_LOGS, _EXISTS),
    ),
    Route(
        name="ListFeatureImportances",
        method="GET",
        path=_PATH,
        versions=(V2022_09,),
        handler=list_page,
        permission="read",
        tag=_TAG,
        summary="The feature importances, the newest first.",
        status=200,
        success="A page of feature importances.",
        invalid=_INVALID_QUERY,
        response=FeatureImportancePage,
        query=PAGING,
    ),
    Route(
        name="GetFeatureImportance",
        method="GET",
        path=f"{_PATH}/{{featureImportanceId}}",
        versions=(V2022_09,),
        handler=get_importance,
        permission="read",
        tag=_TAG,
        summary="One feature importance.",
        status=200,
        success="The feature importance as it is now.",
        invalid=_INVALID_QUERY,
        response=FeatureImportance,
        codes=(_NOT_FOUND,),
    ),
    Route(
        name="DeleteFeatureImportance",
        method="DELETE",
        path=f"{_PATH}/{{featureImportanceId}}",
        versions=(V2022_09,),
        handler=delete_importance,
        permission="change",
        is_audited=True,
        tag=_TAG,
        summary="Remove a feature importance.",
        description="One that is being computed is stopped.",
        status=204,
        invalid=_INVALID_QUERY,
        codes=(_NOT_FOUND,),
    ),
)
