"""The joined log as lines and as tables."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from pyarrow import parquet

from sartor.dsjson.single_slot import encode_outcome_line, encode_pending_line
from sartor.errors import InvalidSetting
from sartor.ports import LoopStores
from sartor.records import Action, Cursor, Decision, JoinedObservation, Outcome, Settlement, Slot
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from sartor.transfer import tables
from sartor.transfer.export import ExportSelection, Format, export_log
from sartor.transfer.tables import COLUMNS

S = 1_000_000
START_US = 1_700_000_000_123_456


def decision(event_id: str, slots: tuple[Slot, ...] = ()) -> Decision:
    return Decision(
        event_id=event_id,
        context=b'[{"_note":"kept","device":"mobile"}]',
        actions=(Action("a", b'[{"x":1}]'), Action("b", b"[]"), Action('c,"d"', b"[]")),
        excluded=(1,),
        probabilities=(0.25, 0.0, 0.75),
        ranking=(2, 1, 0),
        chosen=2,
        model_id="model",
        settings_version=7,
        deferred=True,
        slots=slots,
    )


def slot(name: str, chosen: int, excluded: tuple[int, ...] = ()) -> Slot:
    odds = tuple(float(index == chosen) for index in range(3))
    return Slot(
        id=name,
        features=b'[{"size":1}]',
        excluded=excluded,
        baseline=0,
        probabilities=odds,
        ranking=(chosen, *(index for index in range(3) if index != chosen)),
        chosen=chosen,
    )


@pytest.fixture
def logs() -> LoopStores:
    """Three decisions, a second apart: of one slot, of two, and an open one."""
    clock = Clock(START_US)
    stores = MemoryStores(clock_us=clock).open(make_loop())
    for made in (decision("one"), decision("two", (slot("top", 2), slot("side", 0, (1,)))), decision("open")):
        stores.events.append([made])
        clock.advance(1)
    joined = (
        JoinedObservation(1, START_US, None),
        JoinedObservation(2, START_US, 0.5),
        JoinedObservation(3, START_US, -1.0),
    )
    of_slots = (JoinedObservation(4, START_US, 1.0, "top"), JoinedObservation(5, START_US, 0.25, "side"))
    outcomes = (
        Outcome(
            decision_seq=2,
            event_id="two",
            reward=1.0,
            learnable=True,
            joined=of_slots,
            settled_at_us=clock.now_us,
            settings_version=7,
            slot_rewards=(1.0, 0.25),
        ),
        Outcome(
            decision_seq=1,
            event_id="one",
            reward=0.5,
            learnable=False,
            joined=joined,
            settled_at_us=clock.now_us,
            settings_version=7,
        ),
    )
    stores.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor(2, 0)))
    return stores


def exported(logs: LoopStores, format_: Format, **selection: object) -> bytes:
    stream = io.BytesIO()
    export_log(logs, stream, format_=format_, selection=ExportSelection(**selection))  # type: ignore[arg-type]
    return stream.getvalue()


def test_lines_come_in_the_order_of_learning(logs: LoopStores) -> None:
    one, two, open_ = logs.events.decisions(after=0, limit=3)
    second, first = [logged.outcome for logged in logs.outcomes.outcomes(after=0, limit=2)]
    lines = [encode_outcome_line(two, second), encode_outcome_line(one, first), encode_pending_line(open_)]
    assert exported(logs, "dsjson").splitlines() == lines[:2]
    assert exported(logs, "dsjson", pending=True).splitlines() == lines


@pytest.mark.parametrize(
    ("from_us", "to_us", "ids"),
    [
        (None, None, ["two", "one", "open"]),
        (START_US + S, None, ["two", "open"]),
        (None, START_US + S, ["one"]),
        (START_US + 1, START_US + S + 1, ["two"]),
        (START_US + 3 * S, None, []),
    ],
)
def test_a_time_is_chosen_by_when_a_decision_was_made(
    logs: LoopStores, from_us: int | None, to_us: int | None, ids: list[str]
) -> None:
    lines = exported(logs, "dsjson", from_us=from_us, to_us=to_us, pending=True).splitlines()
    assert [json.loads(line)["EventId"] for line in lines] == ids


def test_a_table_has_a_row_for_each_slot(logs: LoopStores) -> None:
    top, side, one, open_ = csv.DictReader(io.StringIO(exported(logs, "csv", pending=True).decode()))
    assert list(one) == list(COLUMNS)
    assert one == {
        "outcome": "2",
        "decision": "1",
        "event_id": "one",
        "slot_id": "",
        "time": "2023-11-14T22:13:20.123456Z",
        "settled": "2023-11-14T22:13:23.123456Z",
        "actions": '["a","b","c,\\"d\\""]',
        "excluded": '["b"]',
        "ranking": '["c,\\"d\\"","b","a"]',
        "chosen": 'c,"d"',
        "chosen_index": "2",
        "baseline": "a",
        "propensity": "0.75",
        "probabilities": "[0.25,0.0,0.75]",
        "reward": "0.5",
        "rewards": "[0.5,-1.0]",
        "learnable": "false",
        "deferred": "true",
        "mode": "Online",
        "model_id": "model",
        "settings_version": "7",
        "imported": "false",
        "dropped": "0.0",
        "control": "false",
        "control_share": "0.0",
        "floor": "0.0",
        "context": '[{"_note":"kept","device":"mobile"}]',
        "features": '[[{"x":1}],[],[]]',
        "slot_features": "",
    }
    assert [(row["slot_id"], row["chosen"], row["reward"], row["rewards"]) for row in (top, side)] == [
        ("top", 'c,"d"', "1.0", "[1.0]"),
        ("side", "a", "0.25", "[0.25]"),
    ]
    assert (side["excluded"], side["slot_features"]) == ('["b"]', '[{"size":1}]')
    assert (open_["event_id"], open_["outcome"], open_["reward"], open_["learnable"]) == ("open", "", "", "")


def test_parquet_holds_the_same(logs: LoopStores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_ROW_GROUP", 2)
    stream = io.BytesIO(exported(logs, "parquet", pending=True))
    assert parquet.ParquetFile(stream).num_row_groups == 2
    table = parquet.read_table(stream)
    assert table.column_names == list(COLUMNS)
    top, side, one, open_ = table.to_pylist()
    assert one["time"] == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    assert (one["actions"], one["probabilities"]) == (["a", "b", 'c,"d"'], [0.25, 0.0, 0.75])
    assert (one["outcome"], one["reward"], one["rewards"], one["learnable"]) == (2, 0.5, [0.5, -1.0], False)
    assert (top["slot_id"], side["slot_id"], one["slot_id"]) == ("top", "side", None)
    assert (open_["outcome"], open_["reward"], open_["settled"]) == (None, None, None)


def test_an_empty_log_gives_a_table_without_rows() -> None:
    logs = MemoryStores().open(make_loop())
    assert exported(logs, "dsjson") == b""
    assert exported(logs, "csv").decode().splitlines() == [",".join(COLUMNS)]
    assert parquet.read_table(io.BytesIO(exported(logs, "parquet"))).num_rows == 0


def test_without_its_package_parquet_is_refused(logs: LoopStores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InvalidSetting, match=r"sartor\[parquet\]"):
        exported(logs, "parquet")
