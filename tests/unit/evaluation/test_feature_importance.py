"""Feature importance on the tutorial world, where id, topic and length of an action say the same."""

from contextlib import closing
from pathlib import Path

import pytest

from sartor.evaluation.executor import Executor
from sartor.evaluation.feature_importance import ImportanceMeasurement, measure_importance
from sartor.evaluation.time_range import find_outcome_range
from sartor.lab.fill_log import fill_log
from sartor.lab.world import Features, JSONValue
from sartor.lab.worlds.tutorial import Tutorial, Visit
from sartor.learn.vw import create_engine
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from tests.unit.evaluation.small_logs import LINEAR, SQUARE

ACTION = ("id", "topic", "length")


class NoisyTutorial(Tutorial):
    """The tutorial world with a feature that is always the same, and further ones that say little."""

    def __init__(self, *, seed: int, useless: int = 0) -> None:
        super().__init__(seed=seed)
        self._useless = useless

    def describe(self, facts: Visit, /) -> Features:
        useless: dict[str, JSONValue] = {f"useless{n}": facts.hour * n % 7 + 1 for n in range(self._useless)}
        # As text: the settings that are measured here learn little from the hour as a number.
        known = {**super().describe(facts)[0], "hour": str(facts.hour)}
        return [{**known, "constant": "same"}, {"noise": useless}]


def measure(
    folder: Path, *, turns: int, arguments: str = SQUARE, useless: int = 0, budget: int = 400_000
) -> ImportanceMeasurement:
    with closing(open_stores(folder, clock_us=Clock())) as stores:
        loop = make_loop(arguments=arguments)
        stores.catalog.create(loop)
        logs = stores.open(loop)
        with closing(create_engine(arguments)) as engine:
            decider = None if useless else engine
            fill_log(logs, NoisyTutorial(seed=1, useless=useless), decider, loop_id=loop.loop_id, turns=turns)
        outcomes = find_outcome_range(logs, start_us=0, end_us=2**53)
        here = Executor(1)
        found = measure_importance(logs, loop, outcomes, here, where=str(folder), budget=budget)
        logs.close()
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> ImportanceMeasurement:
    return measure(tmp_path_factory.mktemp("data"), turns=1_000)


def test_features_that_say_the_same_share_what_leaving_one_out_does_not_show(
    measured: ImportanceMeasurement,
) -> None:
    shares = {one.feature: one for one in measured.feature_shares}
    lost = {one.feature: one.effect for one in measured.features}
    of_actions = sum(shares[name].effect for name in ACTION)
    assert measured.shares is not None
    assert of_actions > 0.3 * measured.shares.value
    for name in ACTION:
        assert lost[name] < 0.02
        assert shares[name].effect == pytest.approx(of_actions / 3)
        assert shares[name].low > 0
    assert (measured.shares.orders, measured.shares.variants) == (0, 16)


def test_a_feature_that_is_always_the_same_has_about_no_share(measured: ImportanceMeasurement) -> None:
    constant = next(one for one in measured.feature_shares if one.feature == "constant")
    assert constant.effect == pytest.approx(0.0, abs=0.01)


def test_all_shares_add_up_to_what_the_features_are_worth_together(measured: ImportanceMeasurement) -> None:
    shares = measured.shares
    assert shares is not None
    assert sum(one.effect for one in shares.shares) == pytest.approx(shares.value)
    assert sum(one.effect for one in measured.feature_shares) == pytest.approx(shares.value)
    # By the world's own odds the best policy earns 0.594 a decision and choosing at random 0.415.
    assert shares.low < 0.594 - 0.415
    assert shares.value > 0.05


def test_the_cost_is_bounded_however_many_features_there_are(tmp_path: Path) -> None:
    found = measure(tmp_path, turns=300, arguments=LINEAR, useless=70, budget=24_000)
    assert found.shares is not None
    assert found.unmeasured == 70 + 7 - 60
    assert len(found.features) == len(found.feature_shares) == 60
    assert found.shares.variants <= 65
    variants = 1 + len(found.features) + len(found.namespaces) + found.shares.variants - 1
    assert found.decisions == 24_000 // variants
    assert sum(one.effect for one in found.shares.shares) == pytest.approx(found.shares.value)
