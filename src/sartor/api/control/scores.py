"""How a loop does, and how others would have done."""

from sartor.api.http import json_body
from sartor.api.http.response import Response
from sartor.api.routing.control_routes import ControlCall, ControlRoute
from sartor.estimators.scorecard_view import ScorecardView


def score(call: ControlCall) -> Response:
    """The scorecard of a loop."""
    return json_body.json_response(200, call.door.score(call.path["name"]))


ROUTES = (
    ControlRoute(
        name="GetLoopScore",
        method="GET",
        path="/loops/{name}/score",
        does=score,
        need="read",
        tag="Score",
        summary="What was earned per decision beside the baseline, chance and the best fixed action.",
        description="In total and in the last 5 minutes, hour, 6 hours and day. The intervals hold at 95 %, "
        "however often one looks. Where the log can't say there is no value, but reasons.",
        status=200,
        said="The standings.",
        answer=ScorecardView,
        codes=("LoopNotFound",),
    ),
)
