"""Decides a single-slot request, given an engine's probabilities (contract, sections 2.2 and 2.3)."""

from collections.abc import Sequence

from sartor.explore.draw import draw_point, pick_action
from sartor.ranking import keep_positions, normalise, one_hot, order_actions, scatter
from sartor.records import Decision, Mode, RankInput


def decide(
    request: RankInput,
    /,
    *,
    probabilities: Sequence[float],
    loop_id: str,
    model_id: str,
    settings_version: int,
    mode: Mode = "Online",
) -> Decision:
    """Draw an action and rank the others: returns the record of the decision.

    The ranked actions are in order of probability, ties in the order of the request; then the drawn one is
    swapped with the first. Excluded actions keep their positions in the request.

    In LoggingOnly nothing is drawn: the record says that the baseline was chosen for certain. In every mode
    but Online the response differs from the record: see ``response_view.py``.

    Args:
        request: the request.
        probabilities: for each rankable action, in the order of the request. They need not sum to 1 to the
            last digit: their shares of the sum are used in the draw and logged.
        loop_id: seeds the draw, together with the event id.
        model_id: the model that the probabilities are from, or ``NO_MODEL``.
        settings_version: the version of the loop's settings.
        mode: the learning mode of the loop (contract, section 2.6).

    Raises:
        ValueError: there is not one probability for each rankable action, or they are not a distribution.
    """
    count = len(request.actions)
    excluded = request.excluded
    if len(probabilities) != count - len(excluded):
        raise ValueError(f"{len(probabilities)} probabilities for {count - len(excluded)} actions")
    used = normalise(probabilities)
    if mode == "LoggingOnly":
        order, used = list(range(len(used))), one_hot(0, len(used))
    else:
        order = order_actions(used, pick_action(used, draw_point(loop_id, request.event_id)))
    chosen = order[0]
    if excluded:
        rankable = request.rankable
        chosen = rankable[chosen]
        order = keep_positions(excluded, [rankable[i] for i in order], count)
        used = scatter(used, rankable, count)
    return Decision(
        event_id=request.event_id,
        context=request.context,
        actions=request.actions,
        excluded=excluded,
        probabilities=tuple(used),
        ranking=tuple(order),
        chosen=chosen,
        model_id=model_id,
        settings_version=settings_version,
        mode=mode,
        deferred=request.deferred,
    )
