"""A data folder written before modules and classes were renamed is read as before, and goes on as before.

``old_folder/make.py`` says how the folder was made, and what lies beside it in the archive.
"""

import csv
import io
import json
import platform
import shutil
import sqlite3
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sartor.cli.app import main
from sartor.estimators.scorecard import Scorecard
from sartor.loops import Loop
from sartor.metrics.apprentice import ApprenticeMatchFold
from sartor.ports import LoopStores
from sartor.records import AuditEntry, Decision, Job, Model, Outcome
from sartor.stores.stores import open_stores
from sartor.testing.fakes import Clock
from sartor.transfer.mirror import MirrorProgress, read_progress
from tests.acceptance.service import Service, eventually
from tests.contract.old_folder.make import OWNER_KEY, Instance

ARCHIVE = Path(__file__).with_name("old_folder") / "folder.tar.gz"
MIRROR = "memory://mirror"

# They run the engine, whose last bits differ between kinds of processors.
COMPUTED = ("replay", "why", "doctor --replay")
MADE_ON = "x86_64"

BISECTION = 1e-8
"""By how much limits of intervals may differ: they are found by bisection."""

Answer = dict[str, Any]
Run = Callable[..., tuple[int, str]]


def recorded(kind: str) -> list[Answer]:
    """What the old version answered to commands (``command``) or requests (``path``)."""
    with tarfile.open(ARCHIVE) as tar:
        member = tar.extractfile("answers.json")
        assert member is not None
        return [one for one in json.load(member) if kind in one]


def find_answer(*words: str) -> str:
    """What the old version printed after a command."""
    (found,) = [one["out"] for one in recorded("command") if one["command"] == list(words)]
    assert isinstance(found, str)
    return found


def parse(text: str) -> object:
    """Returns an answer as a value, without the scores of the last hours, which depend on the clock.

    The rows of a table are values by column, which may be followed by new ones.
    """
    if text.startswith("outcome,decision,"):
        return list(csv.DictReader(io.StringIO(text)))
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, dict):
        value.pop("windows", None)
    return value


def is_same(value: object, old: object, *, tolerance: float = 0.0) -> bool:
    """Whether two values are equal, but for members that were added; ``tolerance``: for floats."""
    if isinstance(value, dict) and isinstance(old, dict):
        return value.keys() >= old.keys() and all(
            is_same(value[key], old[key], tolerance=tolerance) for key in old
        )
    if isinstance(value, list) and isinstance(old, list):
        return len(value) == len(old) and all(
            is_same(one, other, tolerance=tolerance) for one, other in zip(value, old, strict=True)
        )
    if isinstance(value, float) and isinstance(old, float):
        return value == old or abs(value - old) <= tolerance
    return type(value) is type(old) and value == old


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive; not to be changed."""
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(ARCHIVE) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def read_only(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy for what asks and changes nothing."""
    return Path(shutil.copytree(unpacked, tmp_path_factory.mktemp("asked") / "old"))


@pytest.fixture
def copy(unpacked: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return Path(shutil.copytree(unpacked, tmp_path / "old"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in a folder; gives its exit code and what it printed."""

    def command(folder: Path, *words: str) -> tuple[int, str]:
        options = ["--data", str(folder / "data"), *([] if words[0] == "export" else ["--json"])]
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["sartor", *words, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        out, _ = capfd.readouterr()
        return int(ended.value.code or 0), out

    return command


@pytest.fixture(scope="module")
def api(read_only: Path) -> Iterator[Instance]:
    """A process that answers requests, and settles and learns nothing."""
    made = Instance(read_only / "data")
    try:
        made.start("api")
        yield made
    finally:
        made.kill()


def is_timeless(one: Answer) -> bool:
    """Whether an answer is the same on every day; the time to recover a deleted loop runs out."""
    return one.get("command") != ["loop", "deleted"] and "deleted-loops" not in one.get("path", "")


@pytest.mark.parametrize(
    "one", [one for one in recorded("command") if is_timeless(one)], ids=lambda one: " ".join(one["command"])
)
def test_a_command_answers_as_the_old_version_did(one: Answer, read_only: Path, run: Run) -> None:
    if " ".join(one["command"]).startswith(COMPUTED) and platform.machine() != MADE_ON:
        pytest.skip(f"the archive was made on {MADE_ON}")
    code, out = run(read_only, *one["command"])
    assert code == one["code"] == 0
    value, old = parse(out), parse(one["out"])
    assert is_same(value, old, tolerance=BISECTION if one["command"][0] == "score" else 0.0), (value, old)


def test_requests_are_answered_as_the_old_version_did(api: Instance, run: Run, read_only: Path) -> None:
    keys = {
        loop["name"]: json.loads(run(read_only, "loop", "keys", loop["name"])[1])["key1"] for loop in loops()
    }
    for one in filter(is_timeless, recorded("path")):
        status, body = api.call("GET", one["path"], key=keys.get(one["who"], OWNER_KEY))
        assert (status, one["status"]) == (200, 200), one["path"]
        value, old = parse(body.decode()), parse(one["body"])
        assert is_same(value, old, tolerance=BISECTION if "/score" in one["path"] else 0.0), (value, old)


def loops() -> list[Answer]:
    found: list[Answer] = json.loads(find_answer("loop", "list"))
    return found


def open_loop(folder: Path, name: str) -> LoopStores:
    """The stores of a loop; the connection to the catalog is closed again."""
    with closing(open_stores(folder / "data")) as stores:
        (loop,) = [one for one in stores.catalog.loops() if one.name == name]
        return stores.open(loop)


def still_holds(new: object, old: object) -> bool:
    """Whether a value holds everything that an old one did: members by name, items at the same places."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(
            name in new and still_holds(new[name], value) for name, value in old.items()
        )
    if isinstance(old, list):
        return isinstance(new, list) and len(new) >= len(old) and all(map(still_holds, new, old))
    return type(new) is type(old) and new == old


@pytest.mark.parametrize(
    ("file", "query", "codec", "kind"),
    [
        ("loops/*/events.sqlite", "SELECT body FROM decisions", msgspec.msgpack, Decision),
        ("loops/*/events.sqlite", "SELECT outcome FROM decisions", msgspec.msgpack, Outcome),
        ("loops/*/outcomes.sqlite", "SELECT body FROM outcomes", msgspec.msgpack, Outcome),
        ("loops/*/outcomes.sqlite", "SELECT lineage FROM models", msgspec.msgpack, Model),
        ("loops/*/jobs.sqlite", "SELECT body FROM jobs", msgspec.msgpack, Job),
        ("catalog.sqlite", "SELECT body FROM loops", msgspec.json, Loop),
        ("catalog.sqlite", "SELECT body FROM audit", msgspec.json, AuditEntry),
    ],
)
def test_what_is_stored_is_written_as_it_was_read_with_what_is_new_at_its_end(
    read_only: Path, file: str, query: str, codec: Any, kind: type
) -> None:
    found = 0
    for path in (read_only / "data").glob(file):
        with closing(sqlite3.connect(path)) as database:
            for (body,) in database.execute(query):
                if body is not None:
                    stored = body.encode() if isinstance(body, str) else body
                    written = codec.encode(codec.decode(stored, type=kind))
                    assert still_holds(codec.decode(written), codec.decode(stored))
                    found += 1
    assert found


@pytest.mark.parametrize(
    ("loop", "name", "read"),
    [
        ("default", "scorecard", Scorecard.from_state),
        ("slots", "scorecard", Scorecard.from_state),
        ("pupil", "apprentice", ApprenticeMatchFold.from_state),
    ],
)
def test_a_checkpoint_is_written_as_it_was_read(
    read_only: Path, loop: str, name: str, read: Callable[[bytes], Any]
) -> None:
    with closing(open_loop(read_only, loop)) as logs:
        state = logs.blobs.get(name)
    assert state is not None
    read_state = read(state)
    assert read_state.last > 0
    assert read_state.state() == state


def test_the_mirror_knows_how_far_it_was(read_only: Path) -> None:
    with closing(open_loop(read_only, "default")) as logs:
        progress = read_progress(logs.blobs, MIRROR)
        stored = [logs.blobs.get(name) for name in logs.blobs.names() if name.startswith("mirror-")]
    assert progress.last > 60
    assert stored == [msgspec.json.encode(progress)]
    assert msgspec.json.decode(stored[0] or b"", type=MirrorProgress) == progress


def test_a_deleted_loop_comes_back(copy: Path) -> None:
    (gone,) = json.loads(find_answer("loop", "deleted"))
    clock = Clock(0)
    with closing(open_stores(copy / "data", clock_us=clock)) as stores:
        (deleted,) = stores.catalog.deleted()
        clock.now_us = deleted.recoverable_until_us - 1
        assert list(stores.purge()) == []
        back = stores.catalog.recover(gone["loopId"])
        with closing(stores.open(back)) as logs:
            ids = [one.event_id for one in logs.events.heads(after=0, limit=100)]
    assert (back.name, deleted.name) == ("gone", gone["deleted"])
    assert ids == [f"e-{number}" for number in range(60)]


def lineage(answer: str) -> list[Answer]:
    """The models of an answer, newest first, without which of them serves."""
    return [{name: value for name, value in one.items() if name != "live"} for one in json.loads(answer)]


@pytest.mark.parametrize("same_secret", [True, False])
def test_a_backup_is_put_back(unpacked: Path, tmp_path: Path, run: Run, same_secret: bool) -> None:
    if same_secret:
        (tmp_path / "data").mkdir(mode=0o700)
        shutil.copy(unpacked / "data" / "secret.key", tmp_path / "data")
    restore = ("loop", "restore", str(unpacked / "default.backup"), "--as", "restored")
    assert run(tmp_path, *restore)[0] == 1, "nothing authenticates it"
    assert run(tmp_path, *restore, "--from-another-instance")[0] == 0
    exported = run(tmp_path, "export", "restored")[1].splitlines()
    settled = [
        line for line in find_answer("export", "default", "--pending").splitlines() if "_pending" not in line
    ]
    assert exported == settled[: len(exported)]
    assert len(exported) >= 60
    models = lineage(run(tmp_path, "loop", "models", "restored")[1])
    assert models == lineage(find_answer("loop", "models", "default"))[-len(models) :]
    keys = json.loads(run(tmp_path, "loop", "keys", "restored")[1])
    old = json.loads(find_answer("loop", "keys", "default"))
    assert (keys["key1"] == old["key1"], keys["key2"] == old["key2"]) == (same_secret, same_secret)


@pytest.fixture
def service(copy: Path) -> Iterator[Service]:
    made = Service(copy / "data")
    try:
        yield made.start()
    finally:
        made.end()


def is_settled(service: Service, name: str) -> bool:
    shown, models = service.json("loop", "show", name), service.json("loop", "models", name)
    counts = shown["counts"]
    return bool(counts["outcomes"] == counts["decisions"] and models[0]["learned"] == counts["learnable"])


@pytest.mark.timeout(180)
def test_it_goes_on(service: Service) -> None:
    old_counts = json.loads(find_answer("loop", "show", "default"))["counts"]
    old_models = json.loads(find_answer("loop", "models", "default"))
    old_score = json.loads(find_answer("score", "default"))
    client = service.client()
    for number in range(20):
        assert client.rank(f"new-{number}", device="mobile")[0] == 201
        assert client.reward(f"new-{number}", 1.0) == 204
    client.close()
    eventually(lambda: is_settled(service, "default"), "all is settled and learned", within_s=60)
    counts = service.json("loop", "show", "default")["counts"]
    models = service.json("loop", "models", "default")
    assert old_counts["decisions"] == old_counts["outcomes"] + 2, "one is open, one is deferred and open"
    assert counts["outcomes"] == old_counts["decisions"] + 20
    assert service.json("score", "default")["events"] == counts["learnable"] == old_score["events"] + 21
    known = {one["modelId"] for one in old_models}
    new = [one for one in reversed(models) if one["modelId"] not in known]
    parents = [old_models[0]["modelId"], *(one["modelId"] for one in new[:-1])]
    assert [one["parentId"] for one in new] == parents
    assert {one["firstOutcome"] for one in new} == {old_models[0]["firstOutcome"]}
    eventually(lambda: evaluation(service) == "succeeded", "the evaluation that was pending", within_s=120)
    eventually(lambda: mirrored(service) == counts["outcomes"], "the mirror has all", within_s=60)
    service.stop()
    assert service.json("doctor")["healthy"] is True
    assert "WARNING" not in service.log.read_text()


def mirrored(service: Service) -> int:
    """The last outcome that the mirror has."""
    last: int = service.json("loop", "show", "default")["mirror"]["last"]
    return last


def evaluation(service: Service) -> str:
    (found,) = [one for one in service.json("evaluate", "default", "--list") if one["id"] == "later"]
    return str(found["status"])
