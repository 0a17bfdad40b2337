"""One line a record, whatever is in it."""

import logging
import re
from collections.abc import Iterator

import pytest

from sartor.service.processes import journal


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_record_is_a_sentence_and_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    journal.start("learn")
    logging.getLogger("x").info("A model went %s.", "live", extra={"action": "published", "loop": "default"})
    line = capsys.readouterr().err
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{stamp} INFO learn\[\d+\] A model went live\. action=published loop=default\n", line)


def test_an_error_with_its_trace_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    journal.start("learn")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("x").exception("It\nfailed.")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "It failed." in told
    assert "ValueError: two" in told
