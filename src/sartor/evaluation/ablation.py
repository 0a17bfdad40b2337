"""The same policy many times over, each time blind to one feature: the unit that goes to a core."""

import msgspec
import numpy as np
from msgspec import Struct

from sartor.errors import EngineRefused
from sartor.estimators.columns import Floats
from sartor.estimators.logged_choices import LoggedChoice, as_shown, logged_choices
from sartor.evaluation.progress import PartProgress
from sartor.evaluation.row_predictions import RowPredictions
from sartor.evaluation.time_range import OutcomeRange, SettledDecision, read_settled
from sartor.feature_names import FeatureName, remove_decision_feature
from sartor.management import loops
from sartor.ports import Engine, EngineFactory, Loop, LoopStores
from sartor.records import LoggedDecision, Outcome
from sartor.runtime import compose


class AblationTask(Struct, frozen=True, kw_only=True):
    """What one pass has to do: the policy that sees everything, and one for each thing that is left out."""

    where: str
    loop: Loop
    span: OutcomeRange
    arguments: str
    left_out: tuple[FeatureName, ...]
    progress: str = ""


class AblationWeights(Struct, kw_only=True):
    """The weights on the same decisions: of the whole policy first, then of each blind one; and the rewards."""

    weights: list[list[float]]
    rewards: list[float]

    def of(self, place: int, /) -> Floats:
        """Those of one policy: 0 is the one that sees everything."""
        return np.array(self.weights[place], dtype=float)

    def rewards_of(self) -> Floats:
        """The rewards, in the same order."""
        return np.array(self.rewards, dtype=float)


def run_ablation(order: AblationTask, /) -> bytes:
    """Do one pass, in whatever process this is; the weights as MessagePack."""
    progress = PartProgress(order.progress)
    with compose.open_instance(order.where) as stores, loops.open_loop(stores, order.loop) as logs:
        found = compute_weights(logs, compose.engine_factory(), order, progress)
    return msgspec.msgpack.encode(found)


def decode_weights(weights: bytes, /) -> AblationWeights:
    """What was sent."""
    return msgspec.msgpack.decode(weights, type=AblationWeights)


def compute_weights(
    logs: LoopStores, factory: EngineFactory, order: AblationTask, progress: PartProgress, /
) -> AblationWeights:
    """Learn and weigh all variants in one pass. Of several slots the first counts.

    Raises:
        InvalidPolicy: the arguments are not accepted.
    """
    engines: list[tuple[Engine, FeatureName | None]] = []
    try:
        for left_out in (None, *order.left_out):
            engines.append((factory(order.arguments), left_out))
        found = AblationWeights(weights=[[] for _ in engines], rewards=[])
        for one in read_settled(logs, order.span):
            if isinstance(one, SettledDecision):
                _take(found, engines, one.decision, one.outcome)
                progress.write((one.seq - order.span.first + 1) / order.span.outcomes)
        return found
    finally:
        for engine, _ in engines:
            engine.close()


def _take(
    found: AblationWeights,
    engines: list[tuple[Engine, FeatureName | None]],
    logged: LoggedDecision,
    outcome: Outcome,
) -> None:
    shown = as_shown(logged.decision)
    rows = logged_choices(shown, outcome)
    found.rewards.append(rows[0].reward)
    for place, (engine, left_out) in enumerate(engines):
        seen = shown if left_out is None else remove_decision_feature(shown, left_out)
        asked = RowPredictions(LoggedDecision(logged.seq, logged.at_us, seen), outcome, rows)
        found.weights[place].append(_weight(engine, asked, rows[0]))
        asked.learn(engine)


def _weight(engine: Engine, asked: RowPredictions, first: LoggedChoice) -> float:
    """What can't be ranked without a feature is chosen at random."""
    try:
        probabilities = asked.predict(engine, 0)
    except EngineRefused:
        return first.rows / (first.propensity * len(first.ids))
    return first.rows * probabilities[first.chosen] / first.propensity
