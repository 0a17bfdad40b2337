"""What a damaged file says to those who meet it: what is wrong, and what to do about a file of its kind."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from sartor.errors import Corrupt, SartorError, StoreUnavailable
from sartor.ports import LoopStores
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_job, make_loop

LOOP, OTHER = make_loop("a"), make_loop("b")
REPAIR = "run `sartor doctor --repair`"
BACKUP = "The log can't be made again from anything else. Restore the loop from a backup (sartor loop restore)."
ADVICE = {
    "events": (BACKUP, REPAIR),
    "outcomes": (f"Stop the service and {REPAIR}, which settles the log anew", "can't be made again"),
    "jobs": (f"Stop the service and {REPAIR}, which begins an empty queue", BACKUP),
}
"""By kind: what is said, and what would not be true."""


def use(logs: LoopStores) -> None:
    logs.events.horizon()
    logs.outcomes.counts()
    logs.jobs.jobs()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(open_stores(tmp_path)) as stores:
        for loop in (LOOP, OTHER):
            stores.catalog.create(loop)
            with closing(stores.open(loop)) as logs:
                logs.jobs.put(make_job("job"))
                use(logs)
    return tmp_path


def fail(stores: SqliteStores) -> SartorError:
    with pytest.raises((Corrupt, StoreUnavailable)) as caught, closing(stores.open(LOOP)) as logs:
        use(logs)
    assert isinstance(caught.value, SartorError)
    return caught.value


@pytest.mark.parametrize("how", ["noise", "of another loop"])
@pytest.mark.parametrize("kind", ADVICE)
def test_a_damaged_database_says_what_to_do(folder: Path, kind: str, how: str) -> None:
    path = folder / "loops" / "a" / f"{kind}.sqlite"
    if how == "noise":
        path.write_bytes(b"noise" * 2_000)
    else:
        shutil.copy(folder / "loops" / "b" / path.name, path)
    said, untrue = ADVICE[kind]
    with closing(open_stores(folder)) as stores:
        message = fail(stores).message
        (damage,) = [one for one in stores.find_damage(LOOP) if one.kind == kind]
    for text in (message, damage.message):
        assert text.startswith(f"a/{kind}.sqlite ")
        assert text.count(said) == 1
        assert untrue not in text
    assert bool(damage.remedy) == (kind != "events")


def test_what_has_the_place_of_a_folder_is_to_be_moved_away(folder: Path) -> None:
    shutil.rmtree(folder / "loops" / "a")
    (folder / "loops" / "a").write_bytes(b"no folder")
    with closing(open_stores(folder)) as stores:
        message = fail(stores).message
    assert message == (
        "a/models can't be created: Not a directory. Move away what has its place, or let the user of the "
        "service write there."
    )
