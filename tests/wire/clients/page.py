"""The page of official clients: what each operation of each client is answered."""

import re
from pathlib import Path

from msgspec import Struct

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "clients.md"

_HEADING = re.compile(r"## `(?P<client>[^`]+)` (?P<version>\S+)")
_ROW = re.compile(
    r"\| `(?P<operation>[^`]+)` \| (?P<request>[^|]+) \| (?P<status>\d{3}) \| (?P<result>[^|]+) \|"
)


def test_of(operation: str) -> str:
    """The name of the test of an operation: ``events.reward`` is tested by ``test_events_reward``."""
    return "test_" + re.sub(r"\W+", "_", operation.lower()).strip("_")


def methods(kind: type) -> set[str]:
    """The public methods that a class itself defines."""
    return {name for name, member in vars(kind).items() if callable(member) and not name.startswith("_")}


class Row(Struct, frozen=True):
    """One operation of a client: what it asks, the status of the answer, and what comes of it."""

    operation: str
    request: str
    status: int
    result: str


class Client(Struct, frozen=True):
    """One client library."""

    name: str
    version: str
    rows: dict[str, Row]


def client(name: str) -> Client:
    """One client of the page."""
    return clients()[name]


def clients() -> dict[str, Client]:
    """The clients on the page, by name."""
    found: dict[str, Client] = {}
    rows: dict[str, Row] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := _HEADING.fullmatch(line):
            rows = {}
            found[heading["client"]] = Client(heading["client"], heading["version"], rows)
        elif line.startswith("## "):
            rows = {}
        elif row := _ROW.fullmatch(line):
            assert row["operation"] not in rows, f"{row['operation']} is there twice"
            rows[row["operation"]] = Row(
                row["operation"], row["request"].strip(), int(row["status"]), row["result"].strip()
            )
    return found
