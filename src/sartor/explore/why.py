"""Why a decision fell as it did: what each feature adds to the score of an action (contract, section 2.8).

Each feature is left out once, and the engine asked again; the difference is the feature's score. So it works
for every exploration; what features do in pairs is in the scores of both. The score of an action is the
reward that the engine expects of it, or its probability where the exploration has no single expectation.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from sartor.explore.features import list_features, without_feature
from sartor.inference import EngineQuery, query_of, query_probabilities
from sartor.ports import Engine
from sartor.records import Decision

Measure = Literal["reward", "probability"]
"""What a score is: the reward that the engine expects, or a probability."""

_CONTEXT, _ACTION, _SLOT = "Context", "Action", "Slot"

_Without = tuple[str, Sequence[float]]


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
    """Explanations of actions, in the order in which they were answered.

    ``measure``: what the scores are. ``left_out``: how many features were not looked at.
    """

    measure: Measure
    actions: tuple[ExplainedAction, ...]
    left_out: int = 0


def explain_decision(
    engine: Engine, decision: Decision, /, *, slot: int = 0, only_chosen: bool = False, budget_bytes: int = 0
) -> DecisionExplanation:
    """What each feature adds to the scores of the actions that were ranked.

    Args:
        engine: with the model that made the decision.
        decision: of one slot or of several.
        slot: which of several, from 0: given what was put into those before.
        only_chosen: leave out the actions that were not chosen.
        budget_bytes: how much text the engine may be asked at most, about; the features of the chosen action
            come first. 0: no limit. A small request takes about 10 µs for each 100 bytes.

    Raises:
        EngineRefused: the engine can't rank the request.
    """
    asked = query_of(decision, slot=slot)
    order = _ranked_places(decision, slot)
    measure = _measure_of(engine, asked)
    base = _scores(engine, asked, measure)
    questions = budget_bytes // len(asked.encode()) if budget_bytes else None
    trial = _QueryBudget(engine, measure, questions=questions)
    chosen, others = order[0], [] if only_chosen else order[1:]
    own = {chosen: trial.without_each(_own(asked, chosen))}
    shared = trial.without_each(_shared(asked))
    own |= {place: trial.without_each(_own(asked, place)) for place in others}
    actions = [
        ExplainedAction(
            id=asked.actions[place].id,
            score=base[place],
            features=_ranked(base[place], place, own[place] + shared),
        )
        for place in (chosen, *others)
    ]
    return DecisionExplanation(measure=measure, actions=tuple(actions), left_out=trial.left_out)


def _ranked_places(decision: Decision, slot: int) -> list[int]:
    """Where the actions stand in the query, in the order in which they were answered."""
    offered = decision.offered(slot)
    ranking = decision.slots[slot].ranking if decision.slots else decision.ranking
    places = {index: index if decision.slots else place for place, index in enumerate(offered)}
    return [places[index] for index in ranking if index in places]


def _measure_of(engine: Engine, asked: EngineQuery) -> Measure:
    known = engine.estimates(asked.encode(), len(asked.actions), slots=asked.slots)
    return "probability" if known is None else "reward"


def _scores(engine: Engine, asked: EngineQuery, measure: Measure) -> Sequence[float]:
    """A score for each action in the query; without meaning for those that are not offered."""
    count = len(asked.actions)
    if measure == "reward":
        return engine.estimates(asked.encode(), count, slots=asked.slots) or ()
    wide = dict(zip(asked.offered, query_probabilities(engine, asked), strict=True))
    return [wide.get(index, 0.0) for index in range(count)]


class _QueryBudget:
    """Asks an engine again and again, as often as it may."""

    def __init__(self, engine: Engine, measure: Measure, *, questions: int | None) -> None:
        self._engine = engine
        self._measure = measure
        self._questions = questions
        self.left_out = 0

    def without_each(self, variants: Iterator[tuple[str, EngineQuery]]) -> list[_Without]:
        """The scores of all actions when a feature is missing, with its name."""
        found: list[_Without] = []
        for name, asked in variants:
            if self._questions is not None and self._questions <= 0:
                self.left_out += 1
                continue
            if self._questions is not None:
                self._questions -= 1
            found.append((name, _scores(self._engine, asked, self._measure)))
        return found


def _own(asked: EngineQuery, place: int) -> Iterator[tuple[str, EngineQuery]]:
    """The question without each feature of an action; its id is one."""
    action = asked.actions[place]
    yield f"{_ACTION}.id", replace(asked, nameless=place)
    for name in list_features(action.features, outermost=_ACTION):
        less = replace(action, features=without_feature(action.features, name, outermost=_ACTION))
        actions = (*asked.actions[:place], less, *asked.actions[place + 1 :])
        yield name, replace(asked, actions=actions)


def _shared(asked: EngineQuery) -> Iterator[tuple[str, EngineQuery]]:
    """The question without each feature of the context, and of the slot."""
    for name in list_features(asked.context, outermost=_CONTEXT):
        yield name, replace(asked, context=without_feature(asked.context, name, outermost=_CONTEXT))
    if asked.slot is not None:
        for name in list_features(asked.slot, outermost=_SLOT):
            yield name, replace(asked, slot=without_feature(asked.slot, name, outermost=_SLOT))


def _ranked(score: float, place: int, without: list[_Without]) -> tuple[Contribution, ...]:
    found = [Contribution(name=name, score=score - scores[place]) for name, scores in without]
    return tuple(sorted(found, key=lambda one: -abs(one.score)))
