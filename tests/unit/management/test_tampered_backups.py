"""A backup that somebody else made, changed, cut or inflated: refused, or checked where a person says so."""

import gzip
import io
import shutil
import sqlite3
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sartor.errors import Corrupt, ForeignBackup, InvalidPolicy, SartorError
from sartor.learn.vw import create_engine
from sartor.management import backups, lifecycle, loops
from sartor.runtime import compose
from sartor.stores.audited import AuditedStores
from sartor.stores.backup_seal import SEAL_BYTES, SealingFile
from sartor.verification.doctor import check_loop
from tests.unit import instance
from tests.unit.learn.forged_models import tamper

Members = dict[str, bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an instance, ``data``, and the backup of its loop, ``good``."""
    folder = tmp_path_factory.mktemp("made")
    instance.create_trained_folder(folder / "data")
    with compose.open_instance(str(folder / "data")) as stores:
        backups.back_up_loop(stores, "default", folder / "good")
        lifecycle.delete(stores, "default")
        lifecycle.purge(stores, "default")
        stores.purge()
    return folder


@pytest.fixture
def stores(made: Path) -> Iterator[AuditedStores]:
    """The instance that wrote the backup; the loop is gone."""
    with compose.open_instance(str(made / "data")) as opened:
        yield opened
        for loop in opened.catalog.loops():
            lifecycle.delete(opened, loop.name)
            lifecycle.purge(opened, loop.name)
        opened.purge()


@pytest.fixture
def another(tmp_path: Path) -> Iterator[AuditedStores]:
    """Another instance, with another secret key."""
    with compose.open_instance(str(tmp_path / "another"), must_exist=False) as opened:
        yield opened


@pytest.fixture
def good(made: Path) -> bytes:
    return (made / "good").read_bytes()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tampered"


def unpack(backup: bytes) -> Members:
    with tarfile.open(fileobj=io.BytesIO(backup)) as tar:
        return {one.name: found.read() for one in tar if (found := tar.extractfile(one)) is not None}


def repack(members: Members, *, key: bytes | None = None) -> bytes:
    """A backup of these members; sealed with a key, or as format 1 without one."""
    packed = io.BytesIO()
    sealing = SealingFile(packed, key or b"")
    first = members["loop.json"].replace(b'"format":2', b'"format":%d' % (1 if key is None else 2))
    with tarfile.open(fileobj=sealing, mode="w:gz") as tar:  # type: ignore[call-overload]
        for name, content in {**members, "loop.json": first}.items():
            about = tarfile.TarInfo(name)
            about.size, about.mtime = len(content), 1_700_000_000.25
            tar.addfile(about, io.BytesIO(content))
    if key is not None:
        sealing.seal()
    return packed.getvalue()


FORGERS_KEY = b"a key that the forger has made up"
REPACKED: list[Callable[[Members], bytes]] = [
    lambda members: repack(members, key=FORGERS_KEY),
    lambda members: repack(members),
]
SEALED_OR_OLD = pytest.mark.parametrize("packed", REPACKED, ids=["sealed by another", "format 1"])


def nothing_is_left(stores: AuditedStores, folder: Path) -> bool:
    return not list(stores.catalog.loops()) and not list((folder / "loops").iterdir())


def test_the_own_backup_comes_back_bit_for_bit(stores: AuditedStores, made: Path, good: bytes) -> None:
    loop = backups.restore_loop(stores, made / "good")
    models = {path.name: path.read_bytes() for path in (made / "data/loops/default/models").iterdir()}
    assert models == {
        name.removeprefix("models/"): content
        for name, content in unpack(good).items()
        if name.startswith("models/")
    }
    assert models
    with loops.open_loop(stores, loop) as logs:
        assert check_loop(loop, logs, compose.engine_factory(), replay=True).problems == ()


def test_other_programs_read_it(good: bytes) -> None:
    assert {"loop.json", "events.sqlite", "outcomes.sqlite"} <= set(unpack(good))
    gzip.decompress(good)


def test_a_new_folder_with_the_same_secret_key_takes_it_and_keeps_the_keys(
    made: Path, tmp_path: Path, good: bytes
) -> None:
    (tmp_path / "new").mkdir()
    shutil.copy(made / "data" / "secret.key", tmp_path / "new" / "secret.key")
    with compose.open_instance(str(tmp_path / "new")) as opened:
        assert backups.restore_loop(opened, made / "good").name == "default"


@SEALED_OR_OLD
def test_another_instances_needs_a_person_who_says_so(
    another: AuditedStores, file: Path, tmp_path: Path, good: bytes, packed: Callable[[Members], bytes]
) -> None:
    file.write_bytes(packed(unpack(good)))
    with pytest.raises(ForeignBackup, match="--from-another-instance"):
        backups.restore_loop(another, file)
    assert nothing_is_left(another, tmp_path / "another")
    loop = backups.restore_loop(another, file, from_another_instance=True)
    with loops.open_loop(another, loop) as logs:
        assert check_loop(loop, logs, compose.engine_factory(), replay=True).problems == ()


def test_flipped_bits_are_noticed_wherever_they_are(stores: AuditedStores, file: Path, good: bytes) -> None:
    step = max(1, len(good) // 150)
    for place in [*range(0, len(good), step), *range(len(good) - SEAL_BYTES, len(good))]:
        changed = bytearray(good)
        changed[place] ^= 1 << (place % 8)
        file.write_bytes(changed)
        for accepted in (False, True):
            with pytest.raises(SartorError):
                backups.restore_loop(stores, file, from_another_instance=accepted)
    assert list(stores.catalog.loops()) == []


def test_a_backup_that_was_cut_or_continued(stores: AuditedStores, file: Path, good: bytes) -> None:
    lengths = [0, 1, 17, 1000, len(good) // 2, len(good) - SEAL_BYTES, len(good) - 1]
    for changed in [*(good[:length] for length in lengths), good + b"\0", good + good]:
        file.write_bytes(changed)
        for accepted in (False, True):
            with pytest.raises(Corrupt):
                backups.restore_loop(stores, file, from_another_instance=accepted)


def tampered_members(good: bytes, folder: Path, options: str) -> Members:
    """The members with options added to all models, their digests computed anew."""
    members = unpack(good)
    (folder / "models").mkdir(parents=True)
    for name, content in members.items():
        if name.startswith("models/") or name == "outcomes.sqlite":
            (folder / name).write_bytes(content)
    assert tamper(folder, options)
    return {
        name: (folder / name).read_bytes() if (folder / name).exists() else content
        for name, content in members.items()
    }


@SEALED_OR_OLD
@pytest.mark.parametrize("accepted", [False, True])
def test_models_that_name_files_are_never_taken(
    stores: AuditedStores,
    another: AuditedStores,
    file: Path,
    tmp_path: Path,
    good: bytes,
    packed: Callable[[Members], bytes],
    accepted: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    options = f"--final_regressor {outside / 'written'} --predictions {outside / 'too'} --raw_predictions three"
    file.write_bytes(packed(tampered_members(good, tmp_path / "unpacked", options)))
    for target in (stores, another):
        with pytest.raises(Corrupt if accepted else ForeignBackup):
            backups.restore_loop(target, file, from_another_instance=accepted)
        assert list(target.catalog.loops()) == []
    assert nothing_is_left(another, tmp_path / "another")
    assert not list(outside.iterdir())


def test_models_of_another_instance_are_saved_anew(
    another: AuditedStores, file: Path, tmp_path: Path, good: bytes
) -> None:
    """An option that is accepted comes in the order in which the engine writes it, not in that of the file."""
    members = tampered_members(good, tmp_path / "unpacked", "--l1 0.125")
    file.write_bytes(repack(members, key=FORGERS_KEY))
    loop = backups.restore_loop(another, file, from_another_instance=True)
    with loops.open_loop(another, loop) as logs:
        served = {f"models/{one.model_id}.vw": logs.models.blob(one.model_id) for one in logs.notes.all()}
        assert check_loop(loop, logs, compose.engine_factory(), replay=False).problems == ()
    assert served
    for name, blob in served.items():
        assert blob != members[name]
        create_engine(loop.arguments, blob).close()


def test_a_model_on_the_shelf_that_names_files(
    another: AuditedStores, file: Path, tmp_path: Path, good: bytes
) -> None:
    members = tampered_members(good, tmp_path / "unpacked", "--predictions x")
    forged = next(content for name, content in members.items() if name.startswith("models/"))
    file.write_bytes(repack({**unpack(good), "shelf/id~evaluation-1": forged}, key=FORGERS_KEY))
    with pytest.raises(Corrupt, match="not accepted"):
        backups.restore_loop(another, file, from_another_instance=True)
    assert nothing_is_left(another, tmp_path / "another")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER acts AFTER INSERT ON about BEGIN DELETE FROM about; END",
        "CREATE VIEW seen AS SELECT * FROM about",
        "UPDATE about SET owner = 'another'",
    ],
)
@pytest.mark.parametrize("kind", ["events", "outcomes"])
def test_a_database_that_acts_or_is_another_loops(
    another: AuditedStores, file: Path, tmp_path: Path, good: bytes, statement: str, kind: str
) -> None:
    members = unpack(good)
    path = tmp_path / "foreign.sqlite"
    path.write_bytes(members[f"{kind}.sqlite"])
    database = sqlite3.connect(path)
    database.execute(statement)
    database.commit()
    database.close()
    file.write_bytes(repack({**members, f"{kind}.sqlite": path.read_bytes()}, key=FORGERS_KEY))
    with pytest.raises(Corrupt, match=f"{kind}.sqlite"):
        backups.restore_loop(another, file, from_another_instance=True)
    assert nothing_is_left(another, tmp_path / "another")


def test_the_mirror_of_another_instances_loop_is_off(another: AuditedStores, file: Path, good: bytes) -> None:
    members = unpack(good)
    off = rb"\"logMirrorEnabled\":false,\"logMirrorSasUri\":null"
    on = rb"\"logMirrorEnabled\":true,\"logMirrorSasUri\":\"file:///srv/somewhere\""
    assert off in members["loop.json"]
    members["loop.json"] = members["loop.json"].replace(off, on)
    file.write_bytes(repack(members, key=FORGERS_KEY))
    loop = backups.restore_loop(another, file, from_another_instance=True)
    assert (loop.settings.log_mirror_enabled, loop.settings.log_mirror_sas_uri) == (False, None)


def test_learning_settings_that_are_not_accepted(another: AuditedStores, file: Path, good: bytes) -> None:
    members = unpack(good)
    members["loop.json"] = members["loop.json"].replace(b"--squarecb", b"-p written")
    file.write_bytes(repack(members, key=FORGERS_KEY))
    with pytest.raises(InvalidPolicy, match="-p is not accepted"):
        backups.restore_loop(another, file, from_another_instance=True)


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "models/../../evil", "catalog.sqlite", "models/.hidden", "models/a/b"],
)
def test_nothing_leaves_the_folder(
    another: AuditedStores, file: Path, tmp_path: Path, good: bytes, name: str
) -> None:
    file.write_bytes(repack({**unpack(good), name: b"evil"}, key=FORGERS_KEY))
    with pytest.raises(Corrupt, match="belongs to no loop"):
        backups.restore_loop(another, file, from_another_instance=True)
    assert nothing_is_left(another, tmp_path / "another")
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x1f\x8b\x08\x00" + bytes(20)])
def test_what_is_no_backup(stores: AuditedStores, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    for accepted in (False, True):
        with pytest.raises(Corrupt):
            backups.restore_loop(stores, file, from_another_instance=accepted)


def inflated(good: bytes, name: str, size: int) -> bytes:
    """A backup with a member of zeros, which gzip makes a thousand times smaller."""
    packed, first = io.BytesIO(), unpack(good)["loop.json"]
    sealing = SealingFile(packed, FORGERS_KEY)
    with tarfile.open(fileobj=sealing, mode="w:gz", compresslevel=9) as tar:  # type: ignore[call-overload]
        about = tarfile.TarInfo("loop.json")
        about.size = len(first)
        tar.addfile(about, io.BytesIO(first))
        about = tarfile.TarInfo(name)
        about.size = size
        tar.addfile(about, io.BufferedReader(Zeros()))
    sealing.seal()
    return packed.getvalue()


class Zeros(io.RawIOBase):
    """Zeros without an end."""

    def readable(self) -> bool:
        return True

    def readinto(self, target: object) -> int:
        view = memoryview(target)  # type: ignore[arg-type]
        view[:] = bytes(len(view))
        return len(view)


@pytest.mark.parametrize("name", ["models/big.vw", "events.sqlite", "shelf/big"])
def test_a_bomb_costs_little_memory_and_disk(
    another: AuditedStores, file: Path, tmp_path: Path, good: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(inflated(good, name, 200 << 20))
    assert file.stat().st_size < 300_000
    largest = 0
    remove = shutil.rmtree

    def measure(path: Path, **flags: Any) -> None:
        nonlocal largest
        largest = max(largest, sum(one.stat().st_size for one in Path(path).rglob("*") if one.is_file()))
        remove(path, **flags)

    monkeypatch.setattr(shutil, "rmtree", measure)
    tracemalloc.start()
    try:
        with pytest.raises(Corrupt, match="more than 100 times its size"):
            backups.restore_loop(another, file, from_another_instance=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 << 20
    assert 0 < largest < 48 << 20
    assert nothing_is_left(another, tmp_path / "another")
