"""Numbers that callers write: plain digits in a range, and nothing else."""

import pytest

from sartor.numbers import parse_whole


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), ("1000", 1000)])
def test_plain_digits_are_read(text: str, number: int) -> None:
    assert parse_whole(text, low=1, high=1000) == number


@pytest.mark.parametrize(
    "text",
    ["", " ", "0", "-1", "+1", "1001", "1.0", "1e2", "1_0", " 1", "1\n", "٣", "²", "0x1", "NaN", "9" * 5_000],
)
def test_a_refusal_says_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="must be a whole number from 1 to 1000, not") as refusal:
        parse_whole(text, low=1, high=1000)
    assert len(str(refusal.value)) < 200
