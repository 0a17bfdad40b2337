"""Ranks, for one slot and several: from a request to the decision of the live model, and to the response.

The explanation that a rank of the previews carries where the loop wants it (contract, section 2.8) is computed
while the caller waits, and other callers with it: each feature is left out once, and the engine asked again.
``sartor why`` gives the same afterwards, without delaying any response.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from sartor.access.served_loops import ServedLoop
from sartor.api.dataplane.multislot_wire import MultiSlotRankResponse, SlotResponse
from sartor.api.dataplane.wire import ActionExplanation, ExplainedRankResponse, FeatureScore, RankedAction
from sartor.api.routing.versions import V1_0, Version
from sartor.errors import EngineRefused
from sartor.explore.decide import decide
from sartor.explore.response_view import view_decision, view_slots
from sartor.explore.slots import decide_slots
from sartor.explore.why import explain_decision
from sartor.inference import slot_predictor
from sartor.records import NO_MODEL, Decision, MultiSlotInput, RankInput

BUDGET_BYTES = 100_000
"""How much text the engine is given for one explanation at most, in bytes: 10 ms. The least important features
beyond it are left out."""

Explanation: TypeAlias = list[ActionExplanation] | UnsetType

_encode = msgspec.json.Encoder().encode


def decide_request(served_loop: ServedLoop, request: RankInput, given: Sequence[float], /) -> Decision:
    """Decide a request with the probabilities that the model that serves gave just now.

    Raises:
        EngineRefused: they are not probabilities.
    """
    live = served_loop.live
    try:
        return decide(
            request,
            probabilities=given,
            loop_id=served_loop.loop.loop_id,
            model_id=NO_MODEL if live.engine is None else live.model_id,
            settings_version=served_loop.loop.version,
            mode=served_loop.loop.settings.learning_mode,
            rules=served_loop.loop.settings.mixture_rules,
        )
    except ValueError as error:
        raise EngineRefused from error


def encode_rank(decision: Decision, given: Sequence[float], why: Explanation = UNSET, /) -> bytes:
    """Encode the response to a rank (contract, sections 1.2, 2.2, 2.3, 2.6 and 2.8)."""
    view = decision if decision.mode == "Online" else view_decision(decision, model=given)
    actions = decision.actions
    probabilities = view.probabilities
    return _encode(
        ExplainedRankResponse(
            ranking=[RankedAction(actions[place].id, probabilities[place]) for place in view.ranking],
            event_id=decision.event_id,
            reward_action_id=actions[view.chosen].id,
            inference_explanation=why,
        )
    )


def explain_ranking(served_loop: ServedLoop, version: Version, decision: Decision, /) -> Explanation:
    """Find which features mattered for each ranked action; none before there is a model.

    Unset where the loop does not want it, or the version does not have it.

    Raises:
        EngineRefused: the engine can't rank the request without one of its features.
    """
    if not served_loop.loop.settings.is_inference_explainability_enabled or version is V1_0:
        return UNSET
    engine = served_loop.live.engine
    if engine is None:
        return []
    return [
        ActionExplanation(one.id, [FeatureScore(feature.name, feature.score) for feature in one.features])
        for one in explain_decision(engine, decision, budget_bytes=BUDGET_BYTES).actions
    ]


def decide_multislot(served_loop: ServedLoop, request: MultiSlotInput, /) -> Decision:
    """Decide a request for several slots with the model that serves; uniformly before there is one.

    Raises:
        EngineRefused: the engine can't rank this request.
    """
    engine = served_loop.slots_engine
    try:
        return decide_slots(
            request,
            predict=slot_predictor(engine, request),
            loop_id=served_loop.loop.loop_id,
            model_id=NO_MODEL if engine is None else served_loop.live.model_id,
            settings_version=served_loop.loop.version,
            mode=served_loop.loop.settings.learning_mode,
            rules=served_loop.loop.settings.mixture_rules,
        )
    except ValueError as error:
        raise EngineRefused from error


def encode_multislot(decision: Decision, /) -> bytes:
    """Encode the response to a rank of several slots (contract, sections 1.4 and 2.10)."""
    slots = [
        SlotResponse(slot.id, decision.actions[slot.chosen].id, slot.probability)
        for slot in view_slots(decision)
    ]
    return _encode(MultiSlotRankResponse(slots=slots, event_id=decision.event_id))
