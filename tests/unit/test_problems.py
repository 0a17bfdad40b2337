"""What callers read names no folder of the server."""

import pytest

from sartor.problems import strip_folders

MESSAGES = [
    ("/srv/data/loops/shop/events.sqlite can't be opened.", "events.sqlite can't be opened."),
    ("[Errno 20] Not a directory: '/srv/my data/loops/shop/models'", "[Errno 20] Not a directory: 'models'"),
    ('can\'t open "/srv/a b/c"; see /var/log/x', 'can\'t open "c"; see x'),
    ("loops/shop/events.sqlite is damaged.", "loops/shop/events.sqlite is damaged."),
    ("https://example.org/a/b can't be reached.", "https://example.org/a/b can't be reached."),
    ("1/2 and a / b", "1/2 and a / b"),
]


@pytest.mark.parametrize(("message", "shown"), MESSAGES)
def test_absolute_paths_lose_their_folders(message: str, shown: str) -> None:
    assert strip_folders(message) == shown
