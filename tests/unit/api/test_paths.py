"""Which operation a path names."""

import pytest

from sartor.api import paths
from sartor.api.paths import ACTIVATE, RANK, REWARD, Operation
from sartor.errors import InvalidRequest


@pytest.mark.parametrize(
    ("path", "operation", "event_id"),
    [
        (b"/personalizer/v1.0/rank", RANK, b""),
        (b"/PERSONALIZER/V1.0/RANK/", RANK, b""),
        (b"/personalizer/v1.0/events/e/reward", REWARD, b"e"),
        (b"/personalizer/v1.0/events/E%2f1/Reward/", REWARD, b"E%2f1"),
        (b"/personalizer/v1.0/Events/activate/activate", ACTIVATE, b"activate"),
        (b"/personalizer/v1.0/events//activate", ACTIVATE, b""),
        (b"/personalizer/v1.0/events/reward", REWARD, b""),
    ],
)
def test_operations(path: bytes, operation: Operation, event_id: bytes) -> None:
    assert paths.match(path) == (operation, event_id)


@pytest.mark.parametrize(
    "path", [b"", b"/", b"/rank", b"/personalizer/v1.0/rank//", b"/personalizer/v1.0/events/a/b/reward"]
)
def test_what_names_none(path: bytes) -> None:
    assert paths.match(path) is None


def test_event_ids_are_decoded_once() -> None:
    assert paths.event_id(b"a%2Fb%252F%C3%A9+") == "a/b%2Fé+"
    assert paths.event_id(b"100%") == "100%"
    with pytest.raises(InvalidRequest, match="eventId"):
        paths.event_id(b"%C3")
