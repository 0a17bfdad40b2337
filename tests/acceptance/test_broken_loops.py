"""A loop that can't be opened says so to its own callers, is named, and recovers; all others serve."""

import json
import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sartor.management import loops
from sartor.ports import Loop
from sartor.runtime import compose
from tests.acceptance.client import ACTIONS
from tests.acceptance.service import Service, eventually

NAMES = ("aa", "bb", "cc", "dd")
BROKEN = ("aa", "cc")
"""The first by name, one in the middle, and several at once."""

ROUTES = (
    ("POST", "/personalizer/v1.0/rank", {"actions": ACTIONS}),
    ("POST", "/personalizer/v1.0/events/e/reward", {"value": 1.0}),
    ("POST", "/personalizer/v1.0/events/e/activate", None),
    ("GET", "/personalizer/v1.0/configurations/service", None),
    ("GET", "/personalizer/v1.0/configurations/policy", None),
    ("GET", "/personalizer/v1.0/model/properties", None),
    ("GET", "/personalizer/v1.0/evaluations", None),
    ("GET", "/personalizer/v1.0/logs/properties", None),
)


class Answer:
    """What came back: a status and a body."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body

    @property
    def error(self) -> dict[str, str]:
        found = json.loads(self.body)["error"]
        assert isinstance(found, dict)
        return found


def call(service: Service, key: str, method: str, path: str, body: object = None) -> Answer:
    data = json.dumps(body).encode() if body is not None else (b"" if method == "POST" else None)
    headers = {"Content-Type": "application/json"} | ({"Ocp-Apim-Subscription-Key": key} if key else {})
    request = urllib.request.Request(service.endpoint + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read())


def rank(service: Service, loop: Loop) -> Answer:
    return call(service, loop.key1, "POST", "/personalizer/v1.0/rank", {"actions": ACTIONS})


def serves(service: Service, loop: Loop) -> bool:
    return rank(service, loop).status == 201


def create_loops(service: Service) -> dict[str, Loop]:
    with compose.open_instance(str(service.folder), must_exist=False) as stores:
        return {name: loops.create_loop(stores, name) for name in NAMES}


def folder_of(service: Service, name: str) -> Path:
    return service.folder / "loops" / name


def replace_folder(service: Service, name: str) -> Callable[[], object]:
    """A file where the folder should be."""
    folder = folder_of(service, name)
    aside = folder.with_name(f"{name}.aside")
    folder.rename(aside)
    folder.write_bytes(b"no folder")

    def mend() -> None:
        folder.unlink()
        aside.rename(folder)

    return mend


def damage(file: str) -> Callable[[Service, str], Callable[[], object]]:
    """Noise in place of a database."""

    def break_it(service: Service, name: str) -> Callable[[], object]:
        path = folder_of(service, name) / file
        content = path.read_bytes()
        path.write_bytes(b"noise" * 2000)
        return lambda: path.write_bytes(content)

    return break_it


def make_folder(service: Service, name: str) -> Callable[[], object]:
    """A folder where a database should be."""
    path = folder_of(service, name) / "events.sqlite"
    content = path.read_bytes()
    path.unlink()
    path.mkdir()

    def mend() -> None:
        path.rmdir()
        path.write_bytes(content)

    return mend


def damage_row(service: Service, name: str) -> Callable[[], object]:
    """Half an entry in the catalog."""
    with sqlite3.connect(service.folder / "catalog.sqlite") as catalog:
        (body,) = catalog.execute("SELECT body FROM loops WHERE name = ?", (name,)).fetchone()
    write_row(service, name, body[: len(body) // 2])
    return lambda: write_row(service, name, body)


def write_row(service: Service, name: str, body: str) -> None:
    catalog = sqlite3.connect(service.folder / "catalog.sqlite")
    with catalog:
        catalog.execute("UPDATE loops SET body = ? WHERE name = ?", (body, name))
    catalog.close()


@pytest.fixture
def created(service: Service) -> dict[str, Loop]:
    return create_loops(service)


BREAKS = [
    pytest.param(replace_folder, id="a file in place of the folder"),
    pytest.param(damage("events.sqlite"), id="damaged events"),
    pytest.param(damage("outcomes.sqlite"), id="damaged outcomes"),
    pytest.param(make_folder, id="a folder in place of the events"),
    pytest.param(damage_row, id="a damaged entry in the catalog"),
]


@pytest.mark.parametrize("break_it", BREAKS)
def test_a_broken_loop_answers_503_everywhere_and_recovers_while_the_others_serve(
    service: Service, created: dict[str, Loop], break_it: Callable[[Service, str], Callable[[], object]]
) -> None:
    mending = [break_it(service, name) for name in BROKEN]
    service.start()
    for name, loop in created.items():
        if name not in BROKEN:
            assert rank(service, loop).status == 201
            continue
        for method, path, body in ROUTES:
            answer = call(service, loop.key2, method, path, body)
            assert (answer.status, answer.error["code"]) == (503, "OperationNotAllowed"), path
            assert name in answer.error["message"]
            assert str(service.folder.parent) not in answer.error["message"]
            assert not any(other in answer.error["message"] for other in ("bb", "dd"))
    assert call(service, "f" * 32, "GET", "/personalizer/v1.0/configurations/service").status == 401
    for mend in mending:
        mend()
    for loop in created.values():
        eventually(partial(serves, service, loop), f"{loop.name} serves again")


def test_a_loop_that_breaks_while_it_serves_is_noticed_by_itself_and_by_nobody_else(
    service: Service, created: dict[str, Loop]
) -> None:
    service.start()
    assert all(rank(service, loop).status == 201 for loop in created.values())
    clock = folder_of(service, "aa") / "latest-time"
    clock.write_bytes(b"\xff" * 8)
    assert rank(service, created["aa"]).status == 503
    assert all(rank(service, loop).status == 201 for name, loop in created.items() if name != "aa")
    clock.unlink()
    shutil.copy(folder_of(service, "bb") / "latest-time", clock)
    eventually(partial(serves, service, created["aa"]), "aa serves again")


@pytest.mark.parametrize(
    ("file", "remedy"),
    [("events.sqlite", "sartor loop restore"), ("outcomes.sqlite", "sartor doctor --repair")],
)
def test_a_file_that_is_removed_in_use_is_missed_at_once_and_not_made_again(
    service: Service, created: dict[str, Loop], file: str, remedy: str
) -> None:
    service.start()
    assert all(rank(service, loop).status == 201 for loop in created.values())
    path = folder_of(service, "aa") / file
    aside = path.rename(path.with_suffix(".aside"))
    eventually(partial(is_unready, service, created["aa"]), "its health says so")
    reason = call(service, created["aa"].key1, "GET", "/health/ready").error["message"]
    assert f"aa/{file} is missing. " in reason
    assert remedy in reason
    assert not is_unready(service, created["bb"])
    assert call(service, "", "GET", "/health/ready").status == 200
    if file == "events.sqlite":
        answer = rank(service, created["aa"])
        assert (answer.status, answer.error["code"]) == (503, "OperationNotAllowed")
    assert rank(service, created["bb"]).status == 201
    assert not path.exists()
    assert service.log.read_text().count(f"aa/{file} is missing") <= 4, "each process says it once, and no more"
    aside.rename(path)
    eventually(partial(serves, service, created["aa"]), "aa serves again")
    eventually(lambda: not is_unready(service, created["aa"]), "and its health says so", within_s=20)


def is_unready(service: Service, loop: Loop) -> bool:
    return call(service, loop.key1, "GET", "/health/ready").status == 503


def test_a_damaged_queue_is_named_by_the_health_of_its_loop_which_goes_on_serving(
    service: Service, created: dict[str, Loop]
) -> None:
    (folder_of(service, "aa") / "jobs.sqlite").write_bytes(b"noise" * 2_000)
    service.start()

    def reasons(name: str) -> list[str]:
        (loop,) = json.loads(call(service, created[name].key1, "GET", "/health/ready").body)["loops"]
        return [str(reason) for reason in loop["reasons"]]

    eventually(lambda: reasons("aa"), "its health names the queue", within_s=20)
    answer = call(service, created["aa"].key1, "GET", "/health/ready")
    assert (answer.status, json.loads(answer.body)["status"]) == (200, "degraded")
    (reason,) = reasons("aa")
    assert reason.startswith("Evaluations and other jobs are not started: aa/jobs.sqlite is damaged")
    assert "run `sartor doctor --repair`, which begins an empty queue" in reason
    assert reasons("bb") == []
    assert serves(service, created["aa"])
