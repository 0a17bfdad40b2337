"""Text for terminals and logs: what would steer a terminal, break a line or reorder it is escaped.

Names and ids come from callers. Left as it is, one could clear the screen of whoever reads them, forge a line,
or show itself as another. The escapes are those of JSON, so that text that is JSON means the same afterwards.
"""

import re

_STEERING = (
    "\\x7f-\\x9f"  # delete, and the controls of Latin-1
    "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"  # the direction of writing
    "\\u2028\\u2029"  # ends of lines and paragraphs
    "\\xad\\u180e\\u200b\\u2060-\\u2064\\ufeff\\ufff9-\\ufffb\\U000e0000-\\U000e007f"  # invisible
    "\\ud800-\\udfff"  # halves of characters, which no terminal can be sent
)
_IN_LINE = re.compile(f"[\\x00-\\x1f{_STEERING}]")
_IN_LINES = re.compile(f"[\\x00-\\x09\\x0b\\x0c\\x0e-\\x1f{_STEERING}]|\\r(?!\\n)")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape_line(text: str, /) -> str:
    """Escape a text that is to be one line, or a part of one."""
    return _IN_LINE.sub(_escape, text)


def escape_lines(text: str, /) -> str:
    """Escape a text of several lines, whose ends stay; what callers sent is escaped as a line first."""
    return _IN_LINES.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _SHORT:
        return _SHORT[char]
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
