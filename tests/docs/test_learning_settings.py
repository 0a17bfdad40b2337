"""The page of learning settings says what the grammar accepts."""

import re

from sartor.learn.second_order.arguments import OPTIONS, SecondOrderSettings
from tests.docs.pages import DOCS

ROW = re.compile(r"\| `(--\w+)` \| (\S+) to (\S+) \| (\S+) \|")


def test_the_page_has_every_option_with_its_bounds_and_default() -> None:
    page = (DOCS / "reference" / "learning-settings.md").read_text()
    defaults = SecondOrderSettings()
    assert ROW.findall(page) == [
        (name, f"{one.low:g}", f"{one.high:g}", f"{getattr(defaults, one.field):g}")
        for name, one in OPTIONS.items()
    ]
