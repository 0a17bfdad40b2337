"""The joined log as a table: one row for each outcome, or for each of its slots, written as CSV or Parquet.

Features are as they were sent; a dsjson line has them as the engine takes them. Only this file knows pyarrow,
which is loaded when it is needed.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from msgspec import Struct

from sartor.errors import InvalidSetting
from sartor.records import Decision, JoinedObservation, LoggedDecision, LoggedOutcome, Slot

if TYPE_CHECKING:
    import pyarrow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder().encode


class LogRow(Struct, frozen=True, kw_only=True):
    """The columns; lists of actions hold their ids, in the order of the request unless said otherwise.

    Attributes:
        outcome: number of the outcome, the order of learning; None: the decision is not settled yet.
        decision: number of the decision.
        event_id: the event id.
        slot_id: the slot; None: the decision has one only.
        time: when the decision was made.
        settled: when its outcome was settled.
        actions: all actions.
        excluded: those that could not be chosen, for which the probability is 0.
        ranking: all actions in the order of the answer.
        chosen: the action that was drawn.
        chosen_index: its index in ``actions``, from 0.
        baseline: the action that the application would have taken.
        propensity: the probability of the chosen action.
        probabilities: those of all actions.
        reward: what was aggregated of the rewards, or the default.
        rewards: those that were joined, as they arrived.
        learnable: whether it counts: False where it was deferred and never activated.
        deferred: whether it had to be activated.
        mode: Online, Apprentice or LoggingOnly.
        model_id: the model that decided; N/A: none.
        settings_version: the version of the loop's settings; 0: those of another service.
        imported: whether the decision was made elsewhere.
        dropped: the probability with which decisions like it were left out of the log.
        context: the context features, JSON.
        features: the features of the actions, a JSON array with one array for each.
        slot_features: the features of the slot, JSON.
        control: whether it was the control group's, which the baseline answers.
        control_share: the share of the control group, which ``probabilities`` hold; 0: there was none.
        floor: the floor under all probabilities together, before the control group.
    """

    outcome: int | None
    decision: int
    event_id: str
    slot_id: str | None
    time: datetime
    settled: datetime | None
    actions: Sequence[str]
    excluded: Sequence[str]
    ranking: Sequence[str]
    chosen: str
    chosen_index: int
    baseline: str
    propensity: float
    probabilities: Sequence[float]
    reward: float | None
    rewards: Sequence[float]
    learnable: bool | None
    deferred: bool
    mode: str
    model_id: str
    settings_version: int
    imported: bool
    dropped: float
    context: str
    features: str
    slot_features: str | None
    control: bool
    control_share: float
    floor: float


COLUMNS = LogRow.__struct_fields__


def to_rows(pairs: Iterable[tuple[LoggedDecision, LoggedOutcome | None]], /) -> Iterator[LogRow]:
    """Yields the rows of pairs, in their order; a decision without an outcome is not settled yet."""
    for logged, outcome in pairs:
        decision = logged.decision
        if not decision.slots:
            yield _to_row(logged, outcome, _to_slot(decision), 0, None)
        for index, slot in enumerate(decision.slots):
            yield _to_row(logged, outcome, slot, index, slot.id)


def _to_slot(decision: Decision) -> Slot:
    """Returns a single-slot decision as the slot that it fills."""
    return Slot(
        id="",
        features=b"",
        excluded=decision.excluded,
        baseline=decision.baseline,
        probabilities=decision.probabilities,
        ranking=decision.ranking,
        chosen=decision.chosen,
    )


def _to_row(
    logged: LoggedDecision, found: LoggedOutcome | None, slot: Slot, index: int, slot_id: str | None
) -> LogRow:
    decision, outcome = logged.decision, None if found is None else found.outcome
    ids = [action.id for action in decision.actions]
    reward = None
    if outcome is not None:
        reward = outcome.reward if slot_id is None else outcome.slot_rewards[index]
    return LogRow(
        outcome=None if found is None else found.seq,
        decision=logged.seq,
        event_id=decision.event_id,
        slot_id=slot_id,
        time=_to_time(logged.at_us),
        settled=None if outcome is None else _to_time(outcome.settled_at_us),
        actions=ids,
        excluded=[ids[action] for action in slot.excluded],
        ranking=[ids[action] for action in slot.ranking],
        chosen=ids[slot.chosen],
        chosen_index=slot.chosen,
        baseline=ids[slot.baseline],
        propensity=slot.probabilities[slot.chosen],
        probabilities=slot.probabilities,
        reward=reward,
        rewards=[] if outcome is None else _rewards(outcome.joined, slot_id),
        learnable=None if outcome is None else outcome.learnable,
        deferred=decision.deferred,
        mode=decision.mode,
        model_id=decision.model_id,
        settings_version=decision.settings_version,
        imported=logged.imported,
        dropped=decision.dropped,
        control=decision.in_control,
        control_share=decision.control_share,
        floor=decision.floor,
        context=decision.context.decode(),
        features=_encode([msgspec.Raw(action.features) for action in decision.actions]).decode(),
        slot_features=None if slot_id is None else slot.features.decode(),
    )


def _rewards(joined: Sequence[JoinedObservation], slot_id: str | None) -> list[float]:
    return [one.reward for one in joined if one.reward is not None and one.slot == slot_id]


def _to_time(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)


_ROW_GROUP = 5_000
"""Rows of a Parquet row group, which are held in memory at once."""


def write_csv(rows: Iterable[LogRow], stream: BinaryIO, /) -> None:
    """Writes a header and the rows: lists as JSON, times in ISO 8601, nothing for None."""
    text = io.TextIOWrapper(stream, "utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(_to_cell(getattr(row, name)) for name in COLUMNS)
    finally:
        text.detach()


def _to_cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, str | int | float) or value is None:
        return value
    return msgspec.json.encode(value).decode()


def write_parquet(rows: Iterable[LogRow], stream: BinaryIO, /) -> None:
    """Writes the rows, in groups of some thousands.

    Raises:
        InvalidSetting: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InvalidSetting("Parquet support is not installed: pip install 'sartor[parquet]'.") from error
    schema = _schema()
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(rows):
            columns = [[getattr(row, name) for row in group] for name in COLUMNS]
            writer.write_table(pyarrow.table(columns, schema=schema))


def _groups(rows: Iterable[LogRow]) -> Iterator[Sequence[LogRow]]:
    iterator = iter(rows)
    while group := list(islice(iterator, _ROW_GROUP)):
        yield group


def _schema() -> "pyarrow.Schema":
    import pyarrow

    text, ids, time = pyarrow.string(), pyarrow.list_(pyarrow.string()), pyarrow.timestamp("us", tz="UTC")
    kinds = {
        "outcome": pyarrow.int64(),
        "decision": pyarrow.int64(),
        "chosen_index": pyarrow.int32(),
        "settings_version": pyarrow.int64(),
        "propensity": pyarrow.float64(),
        "reward": pyarrow.float64(),
        **dict.fromkeys(("dropped", "control_share", "floor"), pyarrow.float64()),
        "rewards": pyarrow.list_(pyarrow.float64()),
        "probabilities": pyarrow.list_(pyarrow.float64()),
        **dict.fromkeys(("actions", "excluded", "ranking"), ids),
        **dict.fromkeys(("time", "settled"), time),
        **dict.fromkeys(("learnable", "deferred", "imported", "control"), pyarrow.bool_()),
    }
    return pyarrow.schema([(name, kinds.get(name, text)) for name in COLUMNS])
