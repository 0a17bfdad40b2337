"""What callers sent is shown as it is, but can't steer what shows it."""

import json
import unicodedata

import pytest

from sartor.runtime.visible_text import escape_line, escape_lines

STEERING = {
    "\x1b[2J": "\\u001b[2J",
    "a\rb": "a\\rb",
    "a\nb": "a\\nb",
    "a\tb": "a\\tb",
    "\0": "\\u0000",
    "\x07\x08": "\\u0007\\u0008",
    "\x7f": "\\u007f",
    "\x9b2J": "\\u009b2J",
    "\x85": "\\u0085",
    "a\u2028b\u2029c": "a\\u2028b\\u2029c",
    "\u202egnp.exe": "\\u202egnp.exe",
    "\u2066a\u2069": "\\u2066a\\u2069",
    "\u200e\u200f\u061c": "\\u200e\\u200f\\u061c",
    "\ufeffa\u200b": "\\ufeffa\\u200b",
    "\ud800": "\\ud800",
    "\U000e0041": "\\udb40\\udc41",
}


@pytest.mark.parametrize(("sent", "shown"), STEERING.items(), ids=map(ascii, STEERING))
def test_what_steers_is_escaped(sent: str, shown: str) -> None:
    assert escape_line(f"before {sent} after") == f"before {shown} after"


@pytest.mark.parametrize(
    "text", ["", "plain", "Übergröße", "日本語", "مرحبا", "שלום", "👩\u200d🚀", "a\\nb", '"quoted"', "[bold]"]
)
def test_what_people_write_stays(text: str) -> None:
    assert escape_line(text) == text
    assert escape_lines(text) == text


def test_every_control_and_line_end_of_unicode_is_escaped() -> None:
    kinds = {"Cc", "Zl", "Zp", "Cs"}
    shown = "".join(
        escape_line(chr(code)) for code in range(0x110000) if unicodedata.category(chr(code)) in kinds
    )
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown.splitlines()) == 1
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not any(
        unicodedata.bidirectional(chr(code)) in turning and escape_line(chr(code)) == chr(code)
        for code in range(0x110000)
    )


def test_lines_keep_their_ends() -> None:
    assert escape_lines("a\nb\r\nc\rd\x1b\x0be\u2028") == "a\nb\r\nc\\rd\\u001b\\u000be\\u2028"


@pytest.mark.parametrize("text", STEERING)
def test_json_means_the_same_afterwards(text: str) -> None:
    for line in (json.dumps({"a": text}), json.dumps({"a": text}, ensure_ascii=False)):
        assert json.loads(escape_line(line)) == {"a": text}
        assert json.loads(escape_lines(line)) == {"a": text}
