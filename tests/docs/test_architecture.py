"""The architecture page lists the rooms in the order of imports that the contracts hold."""

import re
import tomllib

from tests.docs.pages import DOCS, ROOT

PAGE = DOCS / "design" / "architecture.md"
ROW = re.compile(r"^\| (`[a-z_]+/?`(?: · `[a-z_]+/?`)*) \|", re.MULTILINE)


def layers() -> list[set[str]]:
    """The layers of the contract from the ground up, without those of other packages."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (order,) = [contract for contract in contracts if contract["id"] == "order"]
    names = [set(layer.split(" | ")) for layer in reversed(order["layers"])]
    return [layer for layer in names if layer != {"__main__"} and not min(layer).startswith("(")]


def rows() -> list[set[str]]:
    """The rooms and modules of each row of the page's table."""
    found = ROW.findall(PAGE.read_text())
    return [{name.strip("`/") for name in row.split(" · ")} for row in found]


def test_every_room_is_on_the_page_in_the_order_of_imports() -> None:
    on_the_page = rows()
    for layer in layers():
        listed: set[str] = set()
        while listed < layer:  # one layer may take several rows
            assert on_the_page, f"the page has no row for {layer - listed}"
            row = on_the_page.pop(0)
            assert row <= layer, f"{row - layer} is not in the layer {layer}"
            listed |= row
    assert on_the_page == []


def test_a_folder_is_written_as_a_folder() -> None:
    for name in re.findall(r"`([a-z_]+/?)`", "\n".join(ROW.findall(PAGE.read_text()))):
        assert (ROOT / "src" / "sartor" / name.rstrip("/")).is_dir() is name.endswith("/"), name
