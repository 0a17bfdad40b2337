"""The page shows the whole description, runs nothing, and asks no other host."""

import re
from html.parser import HTMLParser

from sartor.api.description import docs_page, openapi
from sartor.api.routing import versions
from sartor.api.routing.versions import V1_0, V2022_09


class Outline(HTMLParser):
    """Tags, links and ids of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")


PAGES = {"/openapi/v1.0.json", *(f"/docs/{version.name}" for version in versions.ALL_VERSIONS)}


def outline() -> Outline:
    parser = Outline()
    parser.feed(docs_page.render_docs(V1_0))
    return parser


def test_nothing_runs_and_nothing_is_fetched() -> None:
    seen = outline()
    assert not {"script", "iframe", "object", "img", "link", "form"} & set(seen.tags)
    assert all(link.startswith("#") or link in PAGES for link in seen.links)
    assert "url(" not in docs_page.render_docs(V1_0)
    assert "@import" not in docs_page.render_docs(V1_0)
    policy = dict(docs_page.docs_response(V1_0).headers)[b"content-security-policy"].decode()
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


def test_links_lead_somewhere_and_ids_are_unique() -> None:
    seen = outline()
    assert len(set(seen.ids)) == len(seen.ids)
    assert {link[1:] for link in seen.links if link.startswith("#")} <= set(seen.ids)


def test_every_operation_and_every_body_is_shown() -> None:
    document = openapi.describe_version(V2022_09)
    html = re.sub(r"</?i>", "", docs_page.render_docs(V2022_09))
    assert isinstance(document["paths"], dict)
    assert all(f"<code>{path}</code>" in html for path in document["paths"])
    for name in (
        "RankRequest",
        "ExplainedRankResponse",
        "ServiceConfiguration",
        "ErrorResponse",
        "FeatureObject",
    ):
        assert f'<article id="{name}">' in html


def test_arrays_of_numbers_stay_on_one_line() -> None:
    assert '"embedding": [0.1, -0.4, 0.7]' in docs_page.render_docs(V1_0)


def test_each_version_is_a_link_and_the_one_that_is_shown_is_marked() -> None:
    assert {link for link in outline().links if link.startswith("/docs/")} < PAGES
    marked = re.findall(r'href="/docs/([^"]+)" aria-current', docs_page.render_docs(V2022_09))
    assert marked == ["2022-09-01-preview"]
