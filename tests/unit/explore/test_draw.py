"""The draw depends on the loop and the event id alone, and falls only on what has a probability."""

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.explore.draw import draw_point, pick_action


def test_a_draw_never_changes_from_one_release_to_the_next() -> None:
    assert draw_point("loop", "event") == 0.09792294043520067
    assert draw_point("loop", "") == 0.9032672647919198


def test_a_draw_is_the_first_53_bits_of_a_keyed_hash() -> None:
    key = hashlib.blake2b(b"loop", digest_size=32).digest()
    digest = hashlib.blake2b("é/1".encode(), digest_size=8, key=key).digest()
    assert draw_point("loop", "é/1") == (int.from_bytes(digest, "big") >> 11) / 2**53


def test_a_draw_is_the_same_in_another_process() -> None:
    code = "from sartor.explore.draw import draw_point; print(repr(draw_point('loop', 'event-7')))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(out.stdout) == draw_point("loop", "event-7")


def test_a_loop_id_may_be_longer_than_the_key_of_the_hash() -> None:
    assert draw_point("x" * 64, "event") != draw_point("x" * 65, "event")


@given(st.text(), st.text(max_size=256))
def test_a_draw_lies_in_the_half_open_unit_interval(loop_id: str, event_id: str) -> None:
    assert 0.0 <= draw_point(loop_id, event_id) < 1.0


@pytest.mark.parametrize(
    ("point", "index"),
    [(0.0, 0), (0.25 - 2**-53, 0), (0.25, 2), (0.5, 2), (0.75, 3), (1.0 - 2**-53, 3)],
)
def test_probabilities_are_laid_end_to_end(point: float, index: int) -> None:
    assert pick_action([0.25, 0.0, 0.5, 0.25, 0.0], point) == index


def test_the_last_possible_action_takes_what_rounding_leaves() -> None:
    assert pick_action([0.1, 0.1, 0.0], 0.999) == 1


def test_nothing_can_be_picked_where_nothing_is_possible() -> None:
    with pytest.raises(ValueError, match="above 0"):
        pick_action([0.0, 0.0], 0.0)


probability_lists = st.lists(st.floats(0, 1), min_size=1).filter(lambda values: max(values) > 0)


@given(probability_lists, st.floats(0, 1, exclude_max=True))
def test_an_impossible_action_is_never_picked(probabilities: list[float], point: float) -> None:
    assert probabilities[pick_action(probabilities, point)] > 0
