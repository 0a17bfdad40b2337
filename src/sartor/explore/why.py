"""Explains a decision: what each feature adds to the score of an action (contract, section 2.8).

Each feature is left out once and the engine queried again; the difference is the feature's score. This works
with every exploration; what two features do together is in the scores of both. The score of an action is the
reward that the engine expects of it, or its probability where the exploration has no single expectation.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from sartor.feature_names import (
    ACTION,
    ACTION_ID,
    CONTEXT,
    SLOT,
    FeatureName,
    list_feature_names,
    remove_feature,
)
from sartor.inference import EngineQuery, query_of, query_probabilities
from sartor.ports import Engine
from sartor.records import Decision

Measure = Literal["reward", "probability"]
"""What a score is: the expected reward, or a probability."""

_Ablation = tuple[FeatureName, EngineQuery]
_ScoresWithout = tuple[FeatureName, Sequence[float]]


class Contribution(Struct, frozen=True, kw_only=True):
    """How much higher the score is because of a feature; negative: how much lower."""

    name: str
    score: float


class ExplainedAction(Struct, frozen=True, kw_only=True):
    """The score of an action, and its features, those that matter most first."""

    id: str
    score: float
    features: tuple[Contribution, ...]


class DecisionExplanation(Struct, frozen=True, kw_only=True):
    """Explanations of actions, in the order of the answer.

    ``measure``: what the scores are. ``left_out``: how many features were not tried, for lack of budget.
    """

    measure: Measure
    actions: tuple[ExplainedAction, ...]
    left_out: int = 0


def explain_decision(
    engine: Engine, decision: Decision, /, *, slot: int = 0, only_chosen: bool = False, budget_bytes: int = 0
) -> DecisionExplanation:
    """Returns what each feature adds to the scores of the actions that the slot was offered.

    Args:
        engine: holds the model that made the decision.
        decision: of one slot or of several.
        slot: index of the slot that is explained, given the actions in the slots before it.
        only_chosen: explain the chosen action only.
        budget_bytes: roughly how many bytes of queries the engine may be sent; the features of the chosen
            action come first. 0: no limit. A small request takes about 10 µs for each 100 bytes.

    Raises:
        EngineRefused: the engine can't rank the request.
    """
    query = query_of(decision, slot=slot)
    order = _ranked_places(decision, slot)
    measure = _measure_of(engine, query)
    base = _scores(engine, query, measure)
    budget = _QueryBudget(
        engine, measure, queries=budget_bytes // len(query.encode()) if budget_bytes else None
    )
    chosen, others = order[0], [] if only_chosen else order[1:]
    own = {chosen: budget.score_each(_without_action_features(query, chosen))}
    shared = budget.score_each(_without_shared_features(query))
    own |= {place: budget.score_each(_without_action_features(query, place)) for place in others}
    actions = [
        ExplainedAction(
            id=query.actions[place].id,
            score=base[place],
            features=_sort_contributions(base[place], place, own[place] + shared),
        )
        for place in (chosen, *others)
    ]
    return DecisionExplanation(measure=measure, actions=tuple(actions), left_out=budget.left_out)


def _ranked_places(decision: Decision, slot: int) -> list[int]:
    """The positions of the offered actions in the query, in the order of the answer."""
    offered = decision.offered(slot)
    ranking = decision.slots[slot].ranking if decision.slots else decision.ranking
    places = {index: index if decision.slots else place for place, index in enumerate(offered)}
    return [places[index] for index in ranking if index in places]


def _measure_of(engine: Engine, query: EngineQuery) -> Measure:
    estimates = engine.estimates(query.encode(), len(query.actions), slots=query.slots)
    return "probability" if estimates is None else "reward"


def _scores(engine: Engine, query: EngineQuery, measure: Measure) -> Sequence[float]:
    """A score for each action in the query; meaningless for those that are not offered."""
    count = len(query.actions)
    if measure == "reward":
        return engine.estimates(query.encode(), count, slots=query.slots) or ()
    probabilities = dict(zip(query.offered, query_probabilities(engine, query), strict=True))
    return [probabilities.get(index, 0.0) for index in range(count)]


class _QueryBudget:
    """Asks an engine repeatedly, as often as the budget allows."""

    def __init__(self, engine: Engine, measure: Measure, *, queries: int | None) -> None:
        self._engine = engine
        self._measure = measure
        self._queries = queries
        self.left_out = 0

    def score_each(self, ablations: Iterator[_Ablation]) -> list[_ScoresWithout]:
        """The name of each missing feature, with the scores of all actions without it."""
        found: list[_ScoresWithout] = []
        for name, query in ablations:
            if self._queries is not None and self._queries <= 0:
                self.left_out += 1
                continue
            if self._queries is not None:
                self._queries -= 1
            found.append((name, _scores(self._engine, query, self._measure)))
        return found


def _without_action_features(query: EngineQuery, place: int) -> Iterator[_Ablation]:
    """The query without each feature of an action; its id is one."""
    action = query.actions[place]
    if action.id:
        yield ACTION_ID, replace(query, nameless=place)
    for name in list_feature_names(action.features, namespace=ACTION):
        less = replace(action, features=remove_feature(action.features, name, namespace=ACTION))
        actions = (*query.actions[:place], less, *query.actions[place + 1 :])
        yield name, replace(query, actions=actions)


def _without_shared_features(query: EngineQuery) -> Iterator[_Ablation]:
    """The query without each feature of the context, and of the slot."""
    for name in list_feature_names(query.context, namespace=CONTEXT):
        yield name, replace(query, context=remove_feature(query.context, name, namespace=CONTEXT))
    if query.slot is not None:
        for name in list_feature_names(query.slot, namespace=SLOT):
            yield name, replace(query, slot=remove_feature(query.slot, name, namespace=SLOT))


def _sort_contributions(score: float, place: int, without: list[_ScoresWithout]) -> tuple[Contribution, ...]:
    """The contributions to the score of one action, the largest first."""
    found = [Contribution(name=str(name), score=score - scores[place]) for name, scores in without]
    return tuple(sorted(found, key=lambda one: -abs(one.score)))
