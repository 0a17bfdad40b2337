"""The state of the engine as bytes, and back."""

import zlib

import msgspec
import numpy as np
from msgspec import Struct

from sartor.errors import Corrupt, InvalidModel
from sartor.learn.compression import decompress
from sartor.learn.second_order.aggregate import Aggregate
from sartor.learn.second_order.arguments import SecondOrderSettings, find_structure_mismatch
from sartor.learn.second_order.columns import Matrix
from sartor.learn.second_order.dump_header import frame_dump, open_dump, read_structure
from sartor.learn.second_order.fit import ShownOutcome
from sartor.learn.second_order.inverses import count_packed_bytes, read_packed
from sartor.learn.second_order.regressors import Regressors
from sartor.learn.second_order.ridge import RidgePerAction
from sartor.learn.second_order.stored_state import (
    StoredRegression,
    StoredRegressors,
    StoredState,
    check_state,
    check_weights,
)
from sartor.learn.second_order.views import Crossings

_LARGEST = 64_000_000


class EngineState(Struct, kw_only=True):
    """All that an engine has learned.

    Attributes:
        aggregate: the weights of the regressors, and the sums of the rewards.
        regressors: None before the first outcomes.
        first_outcomes: those so far, until the columns are planned for good; None from then on.
        offered: features of actions that were offered meanwhile, each once.
    """

    aggregate: Aggregate
    regressors: Regressors | None = None
    first_outcomes: list[ShownOutcome] | None = []
    offered: dict[bytes, None] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(StoredState).decode


def count_bytes(outcome: ShownOutcome, /) -> int:
    """Returns how many bytes an outcome takes in a state, before it is compressed."""
    return len(_encode(outcome))


def write_state(state: EngineState, settings: SecondOrderSettings, /) -> bytes:
    """Returns the state as bytes: compressed MessagePack in the frame of ``dump_header``."""
    stored = StoredState(
        aggregate=state.aggregate,
        first_outcomes=state.first_outcomes,
        offered=list(state.offered),
        regressors=None if state.regressors is None else _write_regressors(state.regressors),
    )
    return frame_dump(zlib.compress(_encode(stored), 1), settings)


def read_state(blob: bytes, settings: SecondOrderSettings, /) -> EngineState:
    """Returns the state that bytes hold, from an engine with these settings.

    Whoever made them: the engine of the state answers or refuses, and never breaks down.

    Raises:
        Corrupt: they are not a whole, unchanged state; or one of other settings; or can't be used.
    """
    content = open_dump(blob)
    try:
        mismatch = find_structure_mismatch(read_structure(blob), settings)
        if mismatch is not None:
            raise ValueError(mismatch)
        stored = _decode(decompress(content, most=_LARGEST))
        check_state(stored, settings)
        regressors = None if stored.regressors is None else _read_regressors(stored.regressors, settings)
    except (msgspec.DecodeError, zlib.error, ValueError, InvalidModel) as error:
        raise Corrupt(f"The model can't be loaded: {error}.") from error
    return EngineState(
        aggregate=stored.aggregate,
        regressors=regressors,
        first_outcomes=stored.first_outcomes,
        offered=dict.fromkeys(stored.offered),
    )


def _write_regressors(regressors: Regressors) -> StoredRegressors:
    count = len(regressors.details)
    return StoredRegressors(
        contexts=regressors.contexts,
        actions=regressors.actions,
        crossed=[
            column for column in regressors.views[-1].columns.tolist() if column < regressors.contexts.size
        ],
        first=regressors.crossings.first.tolist(),
        second=regressors.crossings.second.tolist(),
        shared_weights=regressors.shared.weights.tobytes(),
        shared_inverse=regressors.shared.inverses.pack(1),
        per_action=[_write_regression(one, count) for one in regressors.per_action],
        rows=regressors.rows,
        details=regressors.details,
        priors=regressors.priors[:count].tobytes(),
        clock=regressors.clock,
        recentred=regressors.recentred,
    )


def _write_regression(one: RidgePerAction, count: int) -> StoredRegression:
    return StoredRegression(
        one.weights[:count].tobytes(),
        one.inverses.pack(count),
        one.clock[:count].tobytes(),
    )


def _read_regressors(body: StoredRegressors, settings: SecondOrderSettings) -> Regressors:
    regressors = Regressors(body.contexts, body.actions, half_life=settings.half_life)
    regressors.add_crossed(body.crossed, Crossings(body.first, body.second))
    count = len(body.details)
    shared = regressors.shared
    shared.weights[:] = _read_weights(body.shared_weights, shared.shape)
    if len(body.shared_inverse) != count_packed_bytes(shared.weights.size):
        raise ValueError("the shared regression has another shape than its columns")
    shared.inverses.load(_check_inverses(body.shared_inverse))
    for one, stored in zip(regressors.per_action, body.per_action, strict=True):
        one.weights = _read_weights(stored.weights, (count, one.weights.shape[1])).copy()
        one.clock = np.frombuffer(stored.clock, dtype=np.int64).copy()
        one.inverses.load(_check_inverses(stored.inverse))
    regressors.priors = _read_weights(body.priors, (count, regressors.contexts.linear)).copy()
    regressors.rows, regressors.details = body.rows, body.details
    regressors.clock, regressors.recentred = body.clock, body.recentred
    return regressors


def _read_weights(packed: bytes, shape: tuple[int, int]) -> Matrix:
    weights = np.frombuffer(packed).reshape(shape)
    if weights.size:
        check_weights(float(weights.min()), float(weights.max()))
    return weights


def _check_inverses(packed: bytes) -> bytes:
    values = read_packed(packed)
    if values.size:
        check_weights(float(values.min()), float(values.max()))
    return packed
