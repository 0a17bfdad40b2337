"""How a loop does, and how others would have done."""

from sartor.api import bodies
from sartor.api.answer import Answer
from sartor.api.control.routes import ControlCall, ControlRoute
from sartor.evaluate.readings import Reading


def score(call: ControlCall) -> Answer:
    """The scorecard of a loop."""
    return bodies.written(200, call.door.score(call.path["name"]))


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
        answer=Reading,
        codes=("LoopNotFound",),
    ),
)
