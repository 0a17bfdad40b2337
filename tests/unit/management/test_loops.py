"""What can be done to a loop, on stores in memory."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sartor.errors import InvalidModel, InvalidPolicy, InvalidSetting, LoopNotFound, ModelNotFound
from sartor.learn.engines import create_engine
from sartor.management import loops, models
from sartor.settings import DEFAULT_ARGUMENTS, NEW_LOOP_SETTINGS, VW_ARGUMENTS
from sartor.testing.builders import make_model
from sartor.testing.stores import MemoryStores
from tests.unit.learn.forged_models import forge

DUMP = create_engine(VW_ARGUMENTS).dump()


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> MemoryStores:
    """A loop 'default' with three models, the newest of them live."""
    monkeypatch.setattr(loops, "_ON_ITS_WAY_S", 0.05)
    stores = MemoryStores()
    loop = loops.create_loop(stores, "default")
    for number in (1, 2, 3):
        stores.open(loop).models.publish(make_model(f"m{number}", last_outcome=number), DUMP, live=True)
    return stores


def wait_until_live(stores: MemoryStores, model_id: str) -> None:
    while live(stores) != model_id:
        time.sleep(0.001)


def live(stores: MemoryStores) -> str | None:
    model = stores.open(loops.find_loop(stores, "default")).models.live()
    return None if model is None else model.model_id


def test_a_loop_is_born_with_secrets_of_its_own() -> None:
    stores = MemoryStores()
    first, second = loops.create_loop(stores, "a"), loops.create_loop(stores, "b")
    secrets = [first.loop_id, first.key1, first.key2, second.loop_id, second.key1, second.key2]
    assert len(set(secrets)) == 6
    assert {len(secret) for secret in secrets} == {32}
    assert (first.arguments, first.settings) == (DEFAULT_ARGUMENTS, NEW_LOOP_SETTINGS)
    assert first.created_at_us > 1_700_000_000_000_000


def test_a_refused_change_changes_nothing(stores: MemoryStores) -> None:
    before = loops.find_loop(stores, "default")
    with pytest.raises(InvalidSetting):
        loops.change_settings(stores, "default", {"defaultReward": "7"})
    with pytest.raises(InvalidPolicy):
        loops.set_policy(stores, "default", "--cb_explore_adf -f model")
    assert loops.find_loop(stores, "default") == before


@pytest.mark.parametrize(
    "action", [loops.roll_back, loops.find_loop, lambda s, n: loops.promote_model(s, n, "m1")]
)
def test_a_loop_that_is_not_there_is_named(
    stores: MemoryStores, action: Callable[[MemoryStores, str], object]
) -> None:
    with pytest.raises(LoopNotFound, match="There is no loop 'nobody'"):
        action(stores, "nobody")


def test_rolling_back_goes_one_model_back_each_time(stores: MemoryStores) -> None:
    assert loops.roll_back(stores, "default").model_id == live(stores) == "m2"
    assert loops.roll_back(stores, "default").model_id == live(stores) == "m1"
    with pytest.raises(ModelNotFound, match="no model before m1"):
        loops.roll_back(stores, "default")
    assert live(stores) == "m1"


def test_a_promoted_model_is_kept(stores: MemoryStores) -> None:
    loops.promote_model(stores, "default", "m1")
    assert live(stores) == "m1"
    assert loops.find_loop(stores, "default").settings.model_auto_publish is False


def test_a_model_that_was_on_its_way_does_not_stay(
    stores: MemoryStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trainer that read the old settings a moment ago publishes a live model after the promotion."""
    monkeypatch.setattr(loops, "_ON_ITS_WAY_S", 0.4)
    models = stores.open(loops.find_loop(stores, "default")).models

    def publish_late() -> None:
        wait_until_live(stores, "m1")
        models.publish(make_model("m4"), DUMP, live=True)

    late = threading.Thread(target=publish_late)
    late.start()
    loops.promote_model(stores, "default", "m1")
    late.join()
    assert live(stores) == "m1"


@pytest.mark.parametrize(
    ("newer", "then"),
    [
        pytest.param(lambda stores: loops.promote_model(stores, "default", "m2"), "m2", id="promoted"),
        pytest.param(lambda stores: models.reset_model(stores, "default"), None, id="reset"),
        pytest.param(
            lambda stores: models.begin_generation(stores, "default", DUMP).model_id, "imported", id="imported"
        ),
    ],
)
def test_a_newer_choice_than_a_promotion_stays(
    stores: MemoryStores,
    monkeypatch: pytest.MonkeyPatch,
    newer: Callable[[MemoryStores], object],
    then: str | None,
) -> None:
    monkeypatch.setattr(loops, "_ON_ITS_WAY_S", 0.5)
    promoting = threading.Thread(target=loops.promote_model, args=(stores, "default", "m1"))
    promoting.start()
    wait_until_live(stores, "m1")
    chosen = newer(stores)
    promoting.join()
    assert live(stores) == (chosen if then == "imported" else then)


def test_an_unknown_model_changes_nothing(stores: MemoryStores) -> None:
    with pytest.raises(ModelNotFound):
        loops.promote_model(stores, "default", "m9")
    assert live(stores) == "m3"
    assert loops.find_loop(stores, "default").settings.model_auto_publish is True


@pytest.mark.parametrize("blob", [b"", DUMP[:-1], forge(DUMP, "--predictions written")])
def test_a_model_that_was_tampered_with_is_not_promoted(
    stores: MemoryStores, blob: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    registry = stores.open(loops.find_loop(stores, "default")).models
    registry.publish(make_model("bad"), blob, live=False)
    registry.publish(make_model("good"), DUMP, live=True)
    with pytest.raises(InvalidModel, match="bad can't serve"):
        loops.promote_model(stores, "default", "bad")
    with pytest.raises(InvalidModel, match="bad can't serve"):
        loops.roll_back(stores, "default")
    assert live(stores) == "good"
    assert not list(tmp_path.iterdir())
