"""The explanation that a rank of the previews carries where the loop asks for it (contract, section 2.8).

It is made while the caller waits, and other callers with it: each feature is left out once, and the engine
asked again. ``sartor why`` gives the same afterwards, at no cost to anyone's answer.
"""

from typing import TypeAlias

from msgspec import UNSET, UnsetType

from sartor.access.served_loops import ServedLoop
from sartor.api.dataplane.wire import ActionExplanation, FeatureScore
from sartor.api.routing.versions import V1_0, Version
from sartor.explore.why import explain_decision
from sartor.records import Decision

BUDGET_BYTES = 100_000
"""How much text the engine is asked about at most: 10 ms. The least telling features beyond it are left out."""

Explanation: TypeAlias = list[ActionExplanation] | UnsetType


def explain_ranking(served_loop: ServedLoop, version: Version, decision: Decision, /) -> Explanation:
    """Which features mattered for each ranked action; nothing before there is a model.

    Unset where the loop does not ask for it, or the version does not have it.

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
