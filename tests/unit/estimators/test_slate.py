"""Multi-slot estimators, against numbers worked out by hand."""

import numpy as np
import pytest

from sartor.errors import InvalidColumns
from sartor.estimators.slate import BySlot, ProductSlate, PseudoInverse, SlateBatch, SlateSums
from tests.unit.estimators.batches import FOUR, UNIT

TWO = SlateBatch(
    reward=np.array([1.0, 2.0]),
    propensity=np.array([[0.5, 0.5], [0.25, 0.5]]),
    target=np.array([[1.0, 0.25], [0.5, 0.0]]),
)
"""Weights of slots 2 and 0.5; 2 and 0."""


def test_product_and_pseudo_inverse_by_hand() -> None:
    product, pseudo = ProductSlate(), PseudoInverse()
    product.add(TWO)
    pseudo.add(TWO)
    assert product.value() == (1 * 1.0 + 2 * 0.0) / 2
    assert pseudo.value() == (1 * (2.5 - 1) + 2 * (2 - 1)) / 2


@pytest.mark.parametrize("kind", [ProductSlate, PseudoInverse])
def test_slates_merge_and_are_stored(kind: type[ProductSlate | PseudoInverse]) -> None:
    once: SlateSums = kind()
    twice: SlateSums = kind()
    assert once.value() is None
    once.add(TWO)
    twice.add(TWO)
    twice.add(TWO)
    assert once + once == twice
    assert kind.from_state(once.state()) == once
    interval = twice.interval()
    assert interval is not None
    assert interval.holds(twice.value() or 0)


@pytest.mark.parametrize(
    ("propensity", "target", "message"),
    [
        ([[0.5, 0.5]], [[0.5, 0.5]], "the shape"),
        ([0.5, 0.5], [0.5, 0.5], "the shape"),
        ([[0.5, 0.5], [0.5, 0.5]], [[0.5], [0.5]], "the shape"),
        ([[0.5, 0.5], [0.0, 0.5]], [[0.5, 0.5], [0.5, 0.5]], "propensity must be in"),
    ],
)
def test_bad_slates_are_refused(propensity: list[object], target: list[object], message: str) -> None:
    with pytest.raises(InvalidColumns, match=message):
        ProductSlate().add(
            SlateBatch(reward=np.ones(2), propensity=np.array(propensity), target=np.array(target))
        )


def test_each_slot_is_a_log_of_its_own() -> None:
    slots = BySlot(bounds=UNIT)
    assert slots.total() is None
    slots.add("top", FOUR)
    slots.add("side", FOUR)
    slots.add("side", FOUR)
    assert slots.slots["top"].ips.value() == slots.slots["side"].ips.value() == 1.5 / 4
    assert slots.total("ips") == 2 * 1.5 / 4


def test_slots_merge_by_id_and_are_stored() -> None:
    first, second = BySlot(bounds=UNIT), BySlot(bounds=UNIT)
    first.add("top", FOUR)
    second.add("top", FOUR)
    second.add("side", FOUR)
    both = first + second
    assert {slot: panel.ips.rows for slot, panel in both.slots.items()} == {"top": 8, "side": 4}
    assert BySlot.from_state(both.state()) == both
    assert first.slots["top"].ips.rows == 4
