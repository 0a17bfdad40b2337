"""Reading, replacing and resetting the learning settings, the wire's policy (contract, section 1.6)."""

from typing import Annotated

from msgspec import Meta, Struct

from sartor.api.http import json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Handler, Route
from sartor.api.routing.versions import ALL_VERSIONS
from sartor.errors import InvalidPolicy
from sartor.learn.engines import fills_several_slots
from sartor.management import loops
from sartor.ports import Loop
from sartor.settings import DEFAULT_ARGUMENTS

_TAG = "Configuration"
_INVALID = "InvalidPolicyContract"
_REFUSED = "InvalidPolicyConfiguration"


class PolicyContract(Struct, frozen=True):
    """The learning settings and what they are called."""

    name: Annotated[str, Meta(max_length=256, description="What people call these settings.")]
    arguments: Annotated[
        str, Meta(max_length=1024, description="Options of the learner, for example --cb_explore_adf -q ::.")
    ]


def get_policy(call: Call) -> Response:
    """Read the learning settings as they are now."""
    return _respond(call.context.find_loop(call.loop))


def put_policy(call: Call) -> Response:
    """Replace the learning settings."""
    contract = json_body.decode_json(PolicyContract, call.body, invalid=_INVALID)
    try:
        _check_optimization(call, contract.arguments)
        return _replace(call, contract.arguments, name=contract.name)
    except InvalidPolicy as error:
        raise RequestRefused(_REFUSED, error.message) from error


def _check_optimization(call: Call, arguments: str) -> None:
    if (
        fills_several_slots(arguments)
        and call.context.find_loop(call.loop).settings.is_auto_optimization_enabled
    ):
        raise RequestRefused(
            "ProblemTypeIncompatibleWithAutoOptimization",
            "Turn isAutoOptimizationEnabled off before the loop gets several slots.",
        )


def reset_policy(call: Call) -> Response:
    """Reset the learning settings to the default ones."""
    return _replace(call, None, name=call.loop.loop_id)


def _replace(call: Call, arguments: str | None, *, name: str) -> Response:
    with call.context.acquire_loop(call.loop) as loop:
        changed = loops.set_policy(call.context.stores, loop.name, arguments, policy_name=name)
    return _respond(changed)


def _respond(loop: Loop) -> Response:
    return json_body.json_response(200, PolicyContract(loop.policy_name, loop.effective_arguments))


_EXAMPLE: dict[str, object] = {
    "name": "Pairs of everything",
    "arguments": DEFAULT_ARGUMENTS,
}


def _build_route(
    method: str, handler: Handler, name: str, summary: str, *, description: str = "", takes: bool = False
) -> Route:
    return Route(
        name=name,
        method=method,
        path="/configurations/policy",
        versions=ALL_VERSIONS,
        handler=handler,
        permission="read" if method == "GET" else "change",
        tag=_TAG,
        summary=summary,
        description=description,
        status=200,
        success="The learning settings as they are then.",
        invalid=_INVALID,
        request=PolicyContract if takes else None,
        response=PolicyContract,
        codes=(_REFUSED, "ProblemTypeIncompatibleWithAutoOptimization") if takes else (),
        request_example=_EXAMPLE if takes else None,
        response_example=_EXAMPLE,
    )


_CHANGE_DESCRIPTION = (
    "The model starts anew and learns the outcomes of the last modelRetrainDays again; until then the old one "
    "serves. The number after --epsilon becomes explorationPercentage of the service configuration; whichever "
    "of the two is set last counts, and both routes show it. Settings without --epsilon leave it as it is. "
    "Settings with --ccb_explore_adf make it a loop of several slots, which it then stays."
)

ROUTES = (
    _build_route("GET", get_policy, "GetPolicy", "The learning settings of the loop."),
    _build_route(
        "PUT",
        put_policy,
        "UpdatePolicy",
        "Replace the learning settings.",
        description=_CHANGE_DESCRIPTION,
        takes=True,
    ),
    _build_route(
        "DELETE",
        reset_policy,
        "ResetPolicy",
        "Put the default learning settings back.",
        description=_CHANGE_DESCRIPTION,
    ),
)
