"""The state of the engine as bytes, with a checksum, and back."""

import zlib
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import msgspec
import numpy as np
from msgspec import Struct

from sartor.errors import Corrupt
from sartor.learn.second_order.aggregate import Aggregate
from sartor.learn.second_order.arguments import SecondOrderSettings
from sartor.learn.second_order.columns import ColumnPlan
from sartor.learn.second_order.fit import ShownOutcome
from sartor.learn.second_order.regressors import PER_ACTION, ActionRow, Regressors
from sartor.learn.second_order.ridge import Inverse, RidgePerAction
from sartor.learn.second_order.views import Crossings, Indexes

MAGIC = b"sartor-second-order-1\n"
_DIGEST_BYTES = 16
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


class _Regression(Struct, array_like=True):
    """A regression per action: weights, the lower triangles of P, and clocks, row after row."""

    weights: bytes
    inverse: bytes
    clock: bytes


class _Body(Struct, kw_only=True):
    contexts: ColumnPlan
    actions: ColumnPlan
    crossed: list[int]
    first: list[int]
    second: list[int]
    shared_weights: bytes
    shared_inverse: bytes
    per_action: list[_Regression]
    rows: dict[str, int]
    details: list[ActionRow]
    priors: bytes
    clock: int
    recentred: int


class _Stored(Struct, kw_only=True):
    aggregate: Aggregate
    first_outcomes: list[ShownOutcome] | None
    offered: list[bytes]
    body: _Body | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode


def is_second_order_model(blob: bytes, /) -> bool:
    """Whether bytes begin as a model of this engine does."""
    return blob.startswith(MAGIC)


def write_state(state: EngineState, /) -> bytes:
    """Returns the state as bytes: a magic number, a digest, and compressed MessagePack."""
    stored = _Stored(
        aggregate=state.aggregate,
        first_outcomes=state.first_outcomes,
        offered=list(state.offered),
        body=None if state.regressors is None else _write_regressors(state.regressors),
    )
    content = zlib.compress(_encode(stored), 1)
    return MAGIC + blake2b(content, digest_size=_DIGEST_BYTES).digest() + content


def read_state(blob: bytes, settings: SecondOrderSettings, /) -> EngineState:
    """Returns the state that bytes hold, from an engine with these settings.

    Raises:
        Corrupt: they are not a whole, unchanged state.
    """
    begin = len(MAGIC) + _DIGEST_BYTES
    digest, content = blob[len(MAGIC) : begin], blob[begin:]
    if not is_second_order_model(blob) or blake2b(content, digest_size=_DIGEST_BYTES).digest() != digest:
        raise Corrupt("The bytes are not a model of this engine as it was written.")
    try:
        stored = _decode(_decompress(content))
        regressors = None if stored.body is None else _read_regressors(stored.body, settings)
    except (msgspec.DecodeError, zlib.error, ValueError, IndexError, KeyError) as error:
        raise Corrupt(f"The model can't be loaded: {error}.") from error
    return EngineState(
        aggregate=stored.aggregate,
        regressors=regressors,
        first_outcomes=stored.first_outcomes,
        offered=dict.fromkeys(stored.offered),
    )


def _decompress(content: bytes) -> bytes:
    reader = zlib.decompressobj()
    read = reader.decompress(content, _LARGEST)
    if reader.unconsumed_tail or not reader.eof:
        raise ValueError(f"it is cut, or has more than {_LARGEST} bytes")
    return read


def _write_regressors(regressors: Regressors) -> _Body:
    count = len(regressors.details)
    return _Body(
        contexts=regressors.contexts,
        actions=regressors.actions,
        crossed=[
            column for column in regressors.views[-1].columns.tolist() if column < regressors.contexts.size
        ],
        first=regressors.crossings.first.tolist(),
        second=regressors.crossings.second.tolist(),
        shared_weights=regressors.shared.weights.tobytes(),
        shared_inverse=_pack([regressors.shared.inverse]),
        per_action=[_write_regression(one, count) for one in regressors.per_action],
        rows=regressors.rows,
        details=regressors.details,
        priors=regressors.priors[:count].tobytes(),
        clock=regressors.clock,
        recentred=regressors.recentred,
    )


def _write_regression(one: RidgePerAction, count: int) -> _Regression:
    return _Regression(one.weights[:count].tobytes(), _pack(one.inverse[:count]), one.clock[:count].tobytes())


def _read_regressors(body: _Body, settings: SecondOrderSettings) -> Regressors:
    regressors = Regressors(body.contexts, body.actions, half_life=settings.half_life)
    regressors.add_crossed(body.crossed, Crossings(body.first, body.second))
    if len(body.per_action) != len(PER_ACTION):
        raise ValueError("it has other regressors")
    count = len(body.details)
    shared = regressors.shared
    shared.weights[:] = np.frombuffer(body.shared_weights).reshape(shared.shape)
    _unpack(body.shared_inverse, shared.inverse[np.newaxis])
    for one, stored in zip(regressors.per_action, body.per_action, strict=True):
        one.ensure_room(count)
        one.weights[:count] = np.frombuffer(stored.weights).reshape(count, one.weights.shape[1])
        one.clock[:count] = np.frombuffer(stored.clock, dtype=np.int64)
        _unpack(stored.inverse, one.inverse[:count])
    regressors.priors = np.frombuffer(body.priors).reshape(count, regressors.contexts.linear).copy()
    regressors.rows, regressors.details = body.rows, body.details
    regressors.clock, regressors.recentred = body.clock, body.recentred
    return regressors


@lru_cache(maxsize=64)
def _triangle(size: int) -> tuple[Indexes, Indexes]:
    rows, columns = np.tril_indices(size)
    return rows, columns


def _pack(inverses: Iterable[Inverse]) -> bytes:
    """The lower triangles of symmetric matrices."""
    return b"".join([inverse[_triangle(len(inverse))].tobytes() for inverse in inverses])


def _unpack(packed: bytes, inverses: Inverse) -> None:
    """Write lower triangles into symmetric matrices; shape (count, size, size)."""
    rows, columns = _triangle(inverses.shape[1])
    values = np.frombuffer(packed, dtype=np.float32).reshape(len(inverses), len(rows))
    inverses[:, rows, columns] = values
    inverses[:, columns, rows] = values
