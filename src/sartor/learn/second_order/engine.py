"""The engine: reads, scores, explores, learns (see the package's page for the order in which to read)."""

import math
from collections.abc import Sequence

import numpy as np

from sartor.errors import EngineRefused
from sartor.learn.second_order.aggregate import Aggregate
from sartor.learn.second_order.arguments import SecondOrderSettings, parse_settings
from sartor.learn.second_order.columns import Vector
from sartor.learn.second_order.fit import ShownOutcome, fit_regressors
from sartor.learn.second_order.inverse_gap import exploration_rate, weigh_inverse_gaps
from sartor.learn.second_order.plan_columns import PLANNED_AT
from sartor.learn.second_order.reading import (
    ContextJson,
    LineJson,
    RawFeatures,
    read_action,
    read_action_features,
    read_context,
    read_features,
    read_line,
    read_rank,
    read_slot_features,
)
from sartor.learn.second_order.regressors import COUNT
from sartor.learn.second_order.scorer import LinearScorer
from sartor.learn.second_order.state import EngineState, count_bytes, read_state, write_state

_OFFERED, _OFFERED_BYTES = 512, 4_000_000
_KEPT_BYTES = 16_000_000
"""The columns are planned for good before 512 outcomes too, where those so far take so many bytes as stored."""
_REWARD_LIMIT = 1e9


class SecondOrderEngine:
    """An engine that ranks and learns with second-order regressors; see ``engines.Engine``."""

    def __init__(self, settings: SecondOrderSettings, state: EngineState | None = None) -> None:
        self._settings = settings
        self._state = state or EngineState(aggregate=Aggregate.of(COUNT))
        self._kept_bytes: int | None = None
        self._scorer: LinearScorer | None = None
        self._gamma = 0.0
        """How fast exploration ended; that of the scorer, 0 before there is one."""

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        """See ``engines.Engine``."""
        if self._settings.several_slots:
            raise EngineRefused("The learning settings fill several slots, and this is a request without any.")
        read = read_rank(context, actions)
        texts = [bytes(action) for action in read.actions]
        if self._find_scorer() is None:
            for text in texts:
                read_action(text)  # what can't be read is refused before there is a model too
        return self._weigh(self._score(read_features(read.context), texts))

    def slot_probabilities(
        self, query: bytes, actions: int, /, *, slots: int, offered: Sequence[int]
    ) -> list[float]:
        """See ``engines.Engine``."""
        read = self._read_slots(query, actions, slots)
        shown = _list_actions(read)
        features = read_slot_features(read_features(read.context), read.slots[-1], slots - 1)
        return self._weigh(self._score(features, [shown[index] for index in offered]))

    def estimates(self, query: bytes, actions: int, /, *, slots: int = 0) -> list[float]:
        """See ``engines.Engine``."""
        read = self._read_slots(query, actions, slots) if slots else read_context(query, actions)
        features = read_features(read.context)
        if slots:
            features = read_slot_features(features, read.slots[-1], slots - 1)
        mean = self._state.aggregate.mean
        return [mean + one for one in self._score(features, _list_actions(read)).tolist()]

    def learn(self, line: bytes, /) -> None:
        """See ``engines.Engine``. Rewards are kept within ±1e9."""
        read = read_line(line)
        outcomes = self._list_outcomes(read)
        for outcome in outcomes:
            read_action_features(outcome.features)  # what can't be read is refused before anything changes
        self._notice_offered(read.c)
        for outcome in outcomes:
            self._learn_one(outcome)
        self._scorer = None

    def dump(self) -> bytes:
        """See ``engines.Engine``."""
        return write_state(self._state, self._settings)

    def close(self) -> None:
        """See ``engines.Engine``."""
        self._scorer = None

    def _find_scorer(self) -> LinearScorer | None:
        """What scores as long as nothing is learned; None before the first regressors."""
        regressors, aggregate = self._state.regressors, self._state.aggregate
        if self._scorer is None and regressors is not None:
            self._scorer = LinearScorer(regressors, aggregate.weights())
            self._gamma = exploration_rate(
                self._scorer.remembered, aggregate.noise(), scale=self._settings.gamma_scale
            )
        return self._scorer

    def _score(self, features: RawFeatures, actions: Sequence[tuple[str, bytes] | bytes]) -> Vector:
        """The expected reward of each action, less the mean."""
        scorer = self._find_scorer()
        return np.zeros(len(actions)) if scorer is None else scorer.score(features, actions)

    def _weigh(self, expected: Vector) -> list[float]:
        return weigh_inverse_gaps(expected, gamma=self._gamma, epsilon=self._settings.epsilon)

    def _read_slots(self, query: bytes, actions: int, slots: int) -> ContextJson:
        if not self._settings.several_slots:
            raise EngineRefused("The learning settings fill no slots, and this is a request with several.")
        read = read_context(query, actions)
        if len(read.slots) != slots:
            raise EngineRefused(f"The request holds {len(read.slots)} slots, not {slots}.")
        return read

    def _list_outcomes(self, read: LineJson) -> list[ShownOutcome]:
        """What a line says about the actions that were shown: one outcome for each slot."""
        actions, context = _list_actions(read.c), read_features(read.c.context)
        if not self._settings.several_slots:
            if read.cost is None or not 0 <= read.place < len(actions):
                raise EngineRefused("The line has no label.")
            return [ShownOutcome(context, *actions[read.place], _to_reward(read.cost))]
        if not read.outcomes or len(read.outcomes) != len(read.c.slots):
            raise EngineRefused("The line is not one of several slots, or has no labels.")
        found = []
        for number, (slot, outcome) in enumerate(zip(read.c.slots, read.outcomes, strict=True)):
            if outcome.cost is None or not outcome.order or not 0 <= outcome.order[0] < len(actions):
                raise EngineRefused(f"Slot {number} of the line has no label.")
            features = read_slot_features(context, slot, number)
            found.append(ShownOutcome(features, *actions[outcome.order[0]], _to_reward(outcome.cost)))
        return found

    def _notice_offered(self, read: ContextJson) -> None:
        offered = self._state.offered
        has_room = len(offered) < _OFFERED and sum(map(len, offered)) < _OFFERED_BYTES
        if self._state.first_outcomes is not None and has_room:
            new = [features for _, features in _list_actions(read) if features not in offered]
            for features in new:
                read_action_features(features)
            offered.update(dict.fromkeys(new))

    def _learn_one(self, outcome: ShownOutcome) -> None:
        state, aggregate = self._state, self._state.aggregate
        z = None
        if state.regressors is not None:
            z = state.regressors.encode_context(outcome.context)
            expected = state.regressors.predict_each(z, outcome.action, outcome.features)
            aggregate.score(expected, outcome.reward - aggregate.mean)
        aggregate.add(outcome.reward)
        if state.first_outcomes is not None:
            self._kept_bytes = self._count_kept() + count_bytes(outcome)
            state.first_outcomes.append(outcome)
            is_full = self._kept_bytes > _KEPT_BYTES
            if aggregate.count in PLANNED_AT or is_full:
                self._fit(for_good=is_full or aggregate.count == PLANNED_AT[-1])
                return
        if state.regressors is not None and z is not None:
            state.regressors.learn(z, outcome.action, outcome.features, outcome.reward - aggregate.mean)
            if state.first_outcomes is None:
                state.regressors.notice(outcome.context, outcome.features)

    def _count_kept(self) -> int:
        """How many bytes the first outcomes take; counted once after a load, so that it goes on from there."""
        if self._kept_bytes is None:
            self._kept_bytes = sum(map(count_bytes, self._state.first_outcomes or ()))
        return self._kept_bytes

    def _fit(self, *, for_good: bool) -> None:
        state = self._state
        state.regressors = fit_regressors(
            state.first_outcomes or (), list(state.offered), self._settings, mean=state.aggregate.mean
        )
        if for_good:
            state.first_outcomes = None
            state.offered.clear()


def create_second_order_engine(arguments: str, blob: bytes | None = None, /) -> SecondOrderEngine:
    """Create an engine, empty or with the state of a dump made under the same arguments (an ``EngineFactory``).

    Raises:
        InvalidPolicy: the arguments are not accepted.
        Corrupt: the blob is not a model of this engine.
    """
    settings = parse_settings(arguments)
    return SecondOrderEngine(settings, None if blob is None else read_state(blob, settings))


def _list_actions(read: ContextJson) -> list[tuple[str, bytes]]:
    return [(action.i.id, bytes(action.j)) for action in read.actions]


def _to_reward(cost: float) -> float:
    if not math.isfinite(cost):
        raise EngineRefused("The label is outside of what can be learned.")
    return max(-_REWARD_LIMIT, min(-cost + 0.0, _REWARD_LIMIT))
