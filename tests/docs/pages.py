"""The pages as data: their blocks, their links, their tables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PICTURE = re.compile(r"\bsrc(?:set)?=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language ("" for none) and its text."""

    language: str
    text: str


def pages() -> list[Path]:
    """Every page that is kept."""
    beside = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")]
    return [*beside, *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(*found) for found in _FENCE.findall(page.read_text())]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> list[str]:
    """The targets of a page's links, and its pictures."""
    text = re.sub(r"`[^`]*`", "", prose(page))
    return _LINK.findall(text) + _PICTURE.findall(text)


def anchors(page: Path) -> set[str]:
    """What a link to a heading of this page may say after ``#``."""
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in _HEADING.findall(prose(page))}


def make_targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def mentioned_targets(page: Path) -> Iterator[str]:
    """The targets that a page tells to make, in blocks and in code within sentences."""
    for code in [block.text for block in blocks(page)] + re.findall(r"`([^`]+)`", prose(page)):
        yield from re.findall(r"^make ([a-z]+)", code, re.MULTILINE)
