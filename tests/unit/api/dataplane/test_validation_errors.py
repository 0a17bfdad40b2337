"""What is wrong, in words that name the field."""

import pytest

from sartor.api.dataplane import validation_errors
from sartor.errors import InvalidRequest


def test_what_fits_is_not_complained_about() -> None:
    validation_errors.check_rank(
        {
            "actions": [{"id": "a", "features": [{"x": {"y": [1, 2.5], "z": None}}]}],
            "contextFeatures": None,
            "excludedActions": ["b"],
            "eventId": "e",
            "deferActivation": True,
        }
    )
    validation_errors.check_reward({"value": 17})


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("plain", "contextFeatures[0].plain[0]"),
        ("été", "contextFeatures[0].été[0]"),
        ("two words", 'contextFeatures[0]["two words"][0]'),
        ('"]', r'contextFeatures[0]["\"]"][0]'),
        ("\ud800", r'contextFeatures[0]["\ud800"][0]'),
        ("n" * 65, f'contextFeatures[0]["{"n" * 64}..."][0]'),
    ],
)
def test_names_are_shown_so_that_they_can_be_found(name: str, named: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        validation_errors.check_rank(
            {"actions": [{"id": "a", "features": [{"x": 1}]}], "contextFeatures": [{name: ["x"]}]}
        )
    assert caught.value.message.startswith(named + " must be a number")
    caught.value.message.encode()


def test_integers_of_any_length_are_read() -> None:
    assert validation_errors.parse_json(b"[1,-%b,%b]" % (b"9" * 5000, b"9" * 401)) == [
        1,
        float("-inf"),
        float("inf"),
    ]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"\xff"])
def test_what_can_t_be_read_again_is_refused_too(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        validation_errors.parse_json(body)
