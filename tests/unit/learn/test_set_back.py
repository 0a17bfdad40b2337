"""The trainer after the clock of the machine was set back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.unit.learn.training_loop import Training


@pytest.fixture
def world() -> Iterator[Training]:
    world = Training()
    yield world
    world.trainer.close()


def test_after_the_clock_was_set_back_models_come_as_seldom_as_before(world: Training) -> None:
    world.change(model_export_frequency=timedelta(hours=1))
    world.settle(1)
    world.step()
    world.clock.advance(-40 * 86_400)
    published = []
    for _ in range(5):
        world.settle(1)
        world.step()
        published.append(len(world.models.history()))
        world.clock.advance(600)
    assert published == [2, 2, 2, 2, 2]
    world.clock.advance(1_200)
    world.settle(1)
    world.step()
    assert len(world.models.history()) == 3
