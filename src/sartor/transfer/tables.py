"""Rows as CSV and as Parquet. Only this file knows pyarrow, which is loaded when it is needed."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from sartor.errors import InvalidSetting
from sartor.transfer.rows import COLUMNS, LogRow

if TYPE_CHECKING:
    import pyarrow

_ROW_GROUP = 5_000
"""Rows that are held at once."""


def write_csv(rows: Iterable[LogRow], stream: BinaryIO, /) -> None:
    """Write a header and the rows: lists as JSON, times in ISO 8601, nothing for None."""
    text = io.TextIOWrapper(stream, "utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(_cell(getattr(row, name)) for name in COLUMNS)
    finally:
        text.detach()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, str | int | float) or value is None:
        return value
    return msgspec.json.encode(value).decode()


def write_parquet(rows: Iterable[LogRow], stream: BinaryIO, /) -> None:
    """Write the rows, in groups of some thousands.

    Raises:
        InvalidSetting: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InvalidSetting("Parquet needs a package more: pip install 'sartor[parquet]'.") from error
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
        "dropped": pyarrow.float64(),
        "rewards": pyarrow.list_(pyarrow.float64()),
        "probabilities": pyarrow.list_(pyarrow.float64()),
        **dict.fromkeys(("actions", "excluded", "ranking"), ids),
        **dict.fromkeys(("time", "settled"), time),
        **dict.fromkeys(("learnable", "deferred", "imported"), pyarrow.bool_()),
    }
    return pyarrow.schema([(name, kinds.get(name, text)) for name in COLUMNS])
