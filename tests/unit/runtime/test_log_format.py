"""One line a record, whatever is in it."""

import json
import logging
import re
from collections.abc import Iterator

import pytest

from sartor.runtime import log_format


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_record_is_a_sentence_and_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.start("learn")
    logging.getLogger("x").info("A model went %s.", "live", extra={"action": "published", "loop": "default"})
    line = capsys.readouterr().err
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{stamp} INFO learn\[\d+\] A model went live\. action=published loop=default\n", line)


def test_an_error_with_its_trace_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.start("learn")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("x").exception("It\nfailed.")
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "It failed." in line
    assert "ValueError: two" in line


def test_a_record_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.start("learn", as_json=True)
    logging.getLogger("x").info("A model went %s.", "live", extra={"action": "published", "loop": "default"})
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("x").exception("It failed.")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["process"].startswith("learn[")
    assert (
        first.items()
        >= {
            "level": "INFO",
            "message": "A model went live.",
            "action": "published",
            "loop": "default",
        }.items()
    )
    assert "ValueError: two" in second["trace"]


def test_whole_lines_stand_beside_the_records(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.start("api")
    log_format.line_writer()('{"category":"RequestResponse"}')
    assert capsys.readouterr().err == '{"category":"RequestResponse"}\n'


STEERING = "a\x1b[2Jb\rc\x9bd\x7fe\u2028f\u202eg\x85h"


@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_in_a_record_steers_a_terminal(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    log_format.start(f"learn{STEERING}", as_json=as_json)
    logger = logging.getLogger("x")
    logger.info("The loop %s was opened.", STEERING, extra={"loop": STEERING, STEERING: 1})
    try:
        raise ValueError(STEERING)
    except ValueError:
        logger.exception("It failed: %s", STEERING)
    _check_lines(capsys.readouterr().err, 2)


def test_nothing_in_a_whole_line_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.line_writer()(json.dumps({"eventId": STEERING}, ensure_ascii=False))
    line = capsys.readouterr().err
    _check_lines(line, 1)
    assert json.loads(line) == {"eventId": STEERING}


def _check_lines(written: str, count: int) -> None:
    assert written.count("\n") == count
    assert len(written.splitlines()) == count
    assert all(char.isprintable() for char in written.replace("\n", ""))
