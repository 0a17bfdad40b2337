"""Every request to another service goes through one client, which follows no redirect."""

import re

from tests.docs.pages import ROOT

SRC = ROOT / "src" / "sartor"
CLIENTS = re.compile(
    r"requests\.(get|put|post|patch|delete|head|options|request)\(|(?<!Outgoing)Session\(|urlopen|http\.client"
    r"\.HTTP|httpx|HTTPConnection\("
)
OURS = {"access/outgoing.py": 1, "transfer/fsspec_location.py": 1}
"""Where clients are made, and how often: the one of ``requests``, and that of fsspec's http."""


def find_clients(text: str) -> int:
    return len(CLIENTS.findall(text))


def test_a_client_is_found() -> None:
    assert find_clients("requests.get(url)") == find_clients("session = requests.Session()") == 1
    assert find_clients("OutgoingSession().get(url)") == 0


def test_nobody_else_makes_requests() -> None:
    found = {
        str(path.relative_to(SRC)): count
        for path in sorted(SRC.rglob("*.py"))
        if (count := find_clients(path.read_text()))
    }
    assert {name: OURS.get(name) for name in found} == found
