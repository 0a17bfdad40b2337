"""Taking over a policy of an evaluation (contract, section 1.6)."""

from typing import Annotated

from msgspec import Meta, Struct

from sartor import errors
from sartor.api.admin.evaluation_requests import Name
from sartor.api.admin.evaluations import INVALID, NOT_FOUND
from sartor.api.http import json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Route
from sartor.api.routing.versions import PREVIEWS
from sartor.evaluation import jobs

_INVALID_BODY = "InvalidPolicyContract"
_REFUSED = "InvalidPolicyConfiguration"
_NO_POLICY = "LearningSettingsNotFound"
_NO_MODEL = "EvaluationModelNotFound"

_CODES: tuple[tuple[type[errors.CallerError], str], ...] = (
    (errors.JobNotFound, NOT_FOUND),
    (errors.JobNotFinished, INVALID),
    (errors.PolicyNotFound, _NO_POLICY),
    (errors.ModelNotFound, _NO_MODEL),
    (errors.InvalidPolicy, _REFUSED),
)


class PolicyReferenceContract(Struct, frozen=True, rename="camel"):
    """Names a policy of an evaluation."""

    evaluation_id: Annotated[Name, Meta(description="The id of a completed evaluation.")]
    policy_name: Annotated[Name, Meta(description="The name of one of its policies.")]


def apply_policy(call: Call) -> Response:
    """Take the learning settings and the model of a policy in a finished evaluation."""
    reference = json_body.decode_json(PolicyReferenceContract, call.body, invalid=_INVALID_BODY)
    try:
        # Trying a model runs a child process; others change the catalog meanwhile.
        prepared = jobs.prepare_policy(
            call.context.stores,
            call.context.find_loop(call.loop),
            reference.evaluation_id,
            reference.policy_name,
        )
        with call.context.acquire_loop(call.loop) as loop:
            jobs.apply_prepared(call.context.stores, loop.name, prepared)
    except errors.CallerError as error:
        code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
        if code is None:
            raise
        raise RequestRefused(code, error.message) from error
    return Response(204)


ROUTES = (
    Route(
        name="ApplyFromEvaluation",
        method="POST",
        path="/configurations/applyFromEvaluation",
        versions=PREVIEWS,
        handler=apply_policy,
        permission="change",
        tag="Configuration",
        summary="Take over a policy of an evaluation.",
        description="Its learning settings and its model replace those of the loop; training goes on from it. "
        "The number after --epsilon becomes explorationPercentage, so that it explores as it was evaluated.",
        status=204,
        invalid=_INVALID_BODY,
        request=PolicyReferenceContract,
        codes=tuple(code for _, code in _CODES),
    ),
)
