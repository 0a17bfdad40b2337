"""Decides a single-slot request, given an engine's probabilities (contract, sections 2.2 and 2.3)."""

from collections.abc import Sequence

from sartor.explore.control import ControlDraw, draw_control
from sartor.explore.draw import pick_action
from sartor.mixture import NO_MIXTURE, MixtureRules, mix_control, raise_to_floor
from sartor.ranking import keep_positions, normalise, one_hot, order_actions, scatter
from sartor.records import Decision, Mode, RankInput

_NOT_DRAWN = ControlDraw(0.0)


def decide(
    request: RankInput,
    /,
    *,
    probabilities: Sequence[float],
    loop_id: str,
    model_id: str,
    settings_version: int,
    mode: Mode = "Online",
    rules: MixtureRules = NO_MIXTURE,
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
        rules: what is mixed into the probabilities, in Online only: elsewhere nothing that is drawn is shown.

    Raises:
        ValueError: there is not one probability for each rankable action, or they are not a distribution.
    """
    count = len(request.actions)
    excluded = request.excluded
    if len(probabilities) != count - len(excluded):
        raise ValueError(f"{len(probabilities)} probabilities for {count - len(excluded)} actions")
    rules = rules if mode == "Online" else NO_MIXTURE
    drawn, order, used = _draw_order(request, normalise(probabilities), loop_id, mode, rules)
    chosen = order[0]
    if rankable := request.rankable if excluded else ():
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
        control_share=drawn.share,
        control_feature=drawn.feature,
        in_control=drawn.in_control,
        floor=rules.floor,
    )


def _draw_order(
    request: RankInput, used: list[float], loop_id: str, mode: Mode, rules: MixtureRules
) -> tuple[ControlDraw, list[int], list[float]]:
    """The draw, the order of the rankable actions, and the probabilities that they were drawn with."""
    if mode == "LoggingOnly":
        return _NOT_DRAWN, list(range(len(used))), one_hot(0, len(used))
    drawn = draw_control(rules, context=request.context, loop_id=loop_id, event_id=request.event_id)
    if rules.floor:
        used = raise_to_floor(used, rules.floor)
    place = 0 if drawn.in_control else pick_action(used, drawn.point)  # the first one is the baseline
    if drawn.share:
        used = mix_control(used, 0, share=drawn.share)
    return drawn, order_actions(used, place), used
