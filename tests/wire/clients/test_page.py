"""The overview on the page of clients adds up."""

import re

from tests.wire.clients import page

_LINE = re.compile(r"\| \[`([^`]+)`\]\(\S+\) (\S+) \| [^|]+ \| [^|]+ \| (\d+) \|")


def test_the_overview_agrees_with_the_tables() -> None:
    overview = {
        name: (version, int(count))
        for name, version, count in _LINE.findall(page.PAGE.read_text(encoding="utf-8"))
    }
    tables = {client.name: (client.version, len(client.rows)) for client in page.clients().values()}
    assert overview == tables
    assert len(overview) == 4
