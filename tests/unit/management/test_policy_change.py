"""Changes of a loop that concern training: when it was edited, and that the last days follow new rules."""

import time
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from sartor.management import loops
from sartor.management.policy_change import DEFAULT_SLOTS_ARGUMENTS, mark_edited
from sartor.ports import Loop, LoopStores
from sartor.runtime import compose
from sartor.service.learn_process import LearnProcess
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores
from sartor.verification.doctor import check_loop
from tests.unit.slots_world import fill, play

FACTORY = compose.engine_factory()


@pytest.mark.parametrize(
    ("name", "value", "concerns"),
    [
        ("rewardWaitTime", "PT1H", True),
        ("defaultReward", "-1", True),
        ("rewardAggregation", "sum", True),
        ("explorationPercentage", "0.5", True),
        ("learningMode", "Apprentice", True),
        ("modelExportFrequency", "PT1M", False),
        ("logRetentionDays", "30", False),
        ("modelRetrainDays", "3", False),
        ("logMirrorEnabled", "true", False),
        ("rewardWaitTime", "PT10M", False),
    ],
)
def test_the_date_of_the_last_edit_moves_when_training_is_concerned(
    name: str, value: str, concerns: bool
) -> None:
    stores = MemoryStores()
    before = loops.create_loop(stores, "default")
    assert before.edited_at_us == before.created_at_us
    time.sleep(0.001)
    after = loops.change_settings(stores, "default", {name: value})
    assert (after.edited_at_us > before.edited_at_us) is concerns


def test_new_learning_settings_are_an_edit_and_new_keys_are_not() -> None:
    loop = make_loop()
    assert mark_edited(loop, replace(loop, arguments="--cb_explore_adf"), now_us=7).edited_at_us == 7
    assert mark_edited(loop, replace(loop, key1="another"), now_us=7).edited_at_us == 0


class Instance:
    """A loop in memory and the learn process on it."""

    def __init__(self, *, slots: bool) -> None:
        self.stores = MemoryStores()
        loops.create_loop(self.stores, "default")
        if slots:
            loops.set_policy(self.stores, "default", DEFAULT_SLOTS_ARGUMENTS)
        loops.change_settings(
            self.stores, "default", {"rewardWaitTime": "PT1S", "modelExportFrequency": "PT1S"}
        )
        self.learner = LearnProcess(self.stores, FACTORY)
        (fill if slots else play)(self.loop, self.logs, FACTORY, first=0, count=20)

    @property
    def loop(self) -> Loop:
        return loops.find_loop(self.stores, "default")

    @property
    def logs(self) -> LoopStores:
        return self.stores.open(self.loop)

    def run(self, *, revision: int) -> None:
        """Let the learn process work until the live model knows a revision of the log, or a later one."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            time.sleep(min(self.learner.run_once(), 0.01))
            live = self.logs.models.live()
            if live is not None and live.revision >= max(revision, self.logs.outcomes.counts().revision):
                return
        raise AssertionError("the model did not follow")


@pytest.fixture(params=[False, True], ids=["one slot", "several slots"])
def instance(request: pytest.FixtureRequest) -> Iterator[Instance]:
    made = Instance(slots=request.param)
    made.run(revision=0)
    yield made
    made.learner.close()


def test_the_learn_process_settles_and_learns_the_last_days_again(instance: Instance) -> None:
    first = instance.logs.models.live()
    loops.change_settings(instance.stores, "default", {"rewardAggregation": "sum", "defaultReward": "-1"})
    instance.run(revision=1)
    live = instance.logs.models.live()
    assert first is not None
    assert live is not None
    assert live.revision > first.revision
    assert live.learned == 20
    version = instance.loop.version
    outcomes = instance.logs.outcomes.outcomes(after=0, limit=100)
    assert {logged.outcome.settings_version for logged in outcomes} == {version}
    assert check_loop(instance.loop, instance.logs, FACTORY, replay=True).problems == ()


def test_other_changes_amend_nothing(instance: Instance) -> None:
    loops.change_settings(
        instance.stores, "default", {"modelExportFrequency": "PT2S", "explorationPercentage": "0.3"}
    )
    instance.run(revision=0)
    assert instance.logs.outcomes.counts().revision == 0
