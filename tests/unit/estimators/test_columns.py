"""Columns are checked as they are made, and say which of them is wrong."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from sartor.errors import InvalidColumns
from sartor.estimators.columns import Columns
from tests.unit.estimators.batches import FOUR


def columns(**changed: ArrayLike) -> Columns:
    """Two good rows, with some columns replaced."""
    good: dict[str, ArrayLike] = {"reward": [1, 0], "propensity": [0.5, 0.5], "target": [1, 0]}
    return Columns(**{name: np.asarray(value) for name, value in (good | changed).items()})


def test_whole_numbers_and_lists_become_floats() -> None:
    assert columns().reward.dtype == np.float64
    assert Columns(reward=[1], propensity=[1], target=[0.5]).ratio.tolist() == [0.5]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reward": [1, np.nan]}, "reward must be finite; 1 rows are not, the first is row 1"),
        ({"reward": [np.inf, np.nan]}, "reward must be finite; 2 rows are not, the first is row 0"),
        ({"propensity": [0, 1]}, r"propensity must be in \(0, 1\]"),
        ({"propensity": [1.01, 1]}, r"propensity must be in \(0, 1\]"),
        ({"propensity": [1e-101, 1]}, r"propensity must be in \(0, 1\], 1e-100 at least"),
        ({"reward": [1e51, 0]}, "reward must be within"),
        ({"target": [1, -0.1]}, r"target must be in \[0, 1\]; 1 rows are not, the first is row 1"),
        ({"target": [1]}, "target has 1 rows, reward has 2"),
        ({"target": [[1, 0]]}, "target has 2 dimensions"),
        ({"reward": 1.0}, "reward has 0 dimensions"),
        ({"drop_probability": [0, 1]}, r"drop_probability must be in \[0, 1\)"),
        ({"dropped": [0, -1]}, "dropped must be 0 or more"),
        ({"actions": [2, 0]}, "actions must be 1 or more"),
        ({"uncovered": [2, 0]}, r"uncovered must be in \[0, 1\]"),
        ({"q_logged": [1, 1]}, "q_logged and q_policy are given together"),
        ({"q_logged": [1, np.nan], "q_policy": [1, 1]}, "q_logged must be finite"),
        ({"at_us": [1]}, "at_us has 1 rows"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, ArrayLike], message: str) -> None:
    with pytest.raises(InvalidColumns, match=message):
        columns(**changed)


def test_the_ends_of_ranges_are_good() -> None:
    assert columns(propensity=[1, 1e-100], target=[0, 1], drop_probability=[0, 0.999]).rows == 2


def test_dropped_rows_inflate_the_others() -> None:
    batch = columns(drop_probability=[0.5, 0.75])
    assert batch.weight.tolist() == [4.0, 0.0]
    assert batch.events == 6.0
    assert batch.inflate(np.array([1.0, 1.0])).tolist() == [2.0, 4.0]


def test_counted_drops_are_preferred_to_expected_ones() -> None:
    assert columns(drop_probability=[0.5, 0.5], dropped=[3, 0]).events == 5.0


def test_without_drops_rows_stand_for_themselves() -> None:
    assert FOUR.events == 4.0
    assert FOUR.inflation is None
    assert FOUR.weight.tolist() == [1.0, 2.0, 0.0, 1.0]


def test_predictions_that_are_missing_are_asked_for() -> None:
    with pytest.raises(InvalidColumns, match="q_logged and q_policy"):
        columns().predictions()


def test_blocks_hold_all_rows_in_order() -> None:
    batch = columns(at_us=[3, 4])
    pieces = list(batch.blocks(1))
    assert [piece.reward.tolist() for piece in pieces] == [[1.0], [0.0]]
    assert [piece.at_us.tolist() for piece in pieces if piece.at_us is not None] == [[3], [4]]
    assert list(batch.blocks(2)) == [batch]


def test_an_empty_batch_has_no_blocks() -> None:
    assert list(columns(reward=[], propensity=[], target=[]).blocks()) == []
