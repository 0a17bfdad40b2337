"""Links lead somewhere, generated pages are up to date, the glossary uses the words of the source."""

import re
from pathlib import Path

import pytest

from tests.docs import control_page, pages, settings_page
from tests.docs.pages import DOCS, ROOT

PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages.pages()]
DOCUMENTS = [param for param in PAGES if "docs/" in str(param.id)]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: Path) -> None:
    for link in pages.links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in pages.anchors(target), link


@pytest.mark.parametrize("page", DOCUMENTS)
def test_a_page_begins_with_its_purpose(page: Path) -> None:
    title, blank, first = page.read_text().splitlines()[:3]
    assert title.startswith("# ")
    assert blank == ""
    assert first.startswith(("After th", "This page "))


@pytest.mark.parametrize("page", DOCUMENTS)
def test_every_page_is_reached_from_the_index(page: Path) -> None:
    assert page.resolve() in _reached(DOCS / "index.md")


def _reached(start: Path) -> set[Path]:
    found, waiting = {start}, [start]
    while waiting:
        page = waiting.pop()
        targets = [(page.parent / link.partition("#")[0]).resolve() for link in pages.links(page)]
        new = {target for target in targets if target.suffix == ".md" and target.exists()} - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("page", PAGES)
def test_mentioned_make_targets_exist(page: Path) -> None:
    assert set(pages.mentioned_targets(page)) <= pages.make_targets()


def test_the_page_of_the_control_plane_is_up_to_date() -> None:
    assert control_page.PAGE.read_text() == control_page.page(), "python -m tests.docs.control_page"


def test_the_page_of_settings_is_up_to_date() -> None:
    assert settings_page.PAGE.read_text() == settings_page.page(), "python -m tests.docs.settings_page"


def test_the_first_screen_is_what_it_is_a_picture_two_commands_and_the_change() -> None:
    text = (ROOT / "README.md").read_text()
    places = [
        text.index(mark) for mark in ("# Sartor\n", "<picture>", "\nmake demo", "\nmake test", "\n-client =")
    ]
    assert places == sorted(places)
    assert "\n## " not in text[: places[-1]]
    assert text[: places[-1]].count("\n") <= 25


def test_concepts_hold_no_commands() -> None:
    concepts = sorted((DOCS / "concepts").glob("*.md"))
    assert [page for page in concepts if any(block.language == "sh" for block in pages.blocks(page))] == []


GLOSSARY = re.findall(r"^\| ([a-z ]+) \|", (DOCS / "glossary.md").read_text(), re.MULTILINE)[1:]


def test_the_glossary_is_in_order() -> None:
    assert sorted(GLOSSARY) == GLOSSARY
    assert len(set(GLOSSARY)) == len(GLOSSARY)


@pytest.mark.parametrize("word", GLOSSARY)
def test_a_word_of_the_glossary_is_a_word_of_the_source(word: str) -> None:
    spelled = re.compile(rf"\b{word.replace(' ', '[ _]?')}", re.IGNORECASE)
    source = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    assert any(spelled.search(text) for text in source)
