"""The default learning settings against Azure's, chance, and no service at all, in every world.

Everything is seeded: the same engine gives the same figures. The margin over Azure's is under half of what the
comparison in ``benchmarks/policies`` measured; the one over chance is two thirds of what these games give.
"""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

import pytest

from benchmarks.policies.candidates import CANDIDATES
from benchmarks.policies.compare import compare, summarise
from sartor.lab.registry import WORLDS, open_world
from sartor.lab.report import PlayReport
from sartor.lab.simulate import simulate
from sartor.learn.vw import create_engine
from sartor.settings import AZURE_ARGUMENTS, VW_ARGUMENTS
from sartor.testing.fakes import SingleSlot

TURNS = 2_000
ROOT = Path(__file__).parents[2]
Games = Mapping[str, PlayReport]


def games(arguments: str | None) -> Games:
    played = {}
    for name in WORLDS:
        mind = create_engine(arguments) if arguments else None
        played[name] = simulate(open_world(name, seed=1), mind, iterations=TURNS)
        if mind:
            mind.close()
    return played


@pytest.fixture(scope="module")
def default() -> Games:
    return games(VW_ARGUMENTS)


@pytest.fixture(scope="module")
def azure() -> Games:
    return games(AZURE_ARGUMENTS)


@pytest.fixture(scope="module")
def uniform() -> Games:
    return games(None)


def share(played: Games) -> float:
    return fmean(report.share_of_best for report in played.values())


# The first two need one series of games each, so that no test plays two of them in its time.


def test_the_default_gets_better_with_experience(default: Games) -> None:
    gains = [game.last_quarter.share_of_best - game.first_quarter.share_of_best for game in default.values()]
    assert fmean(gains) > 0.1


def test_azures_settings_are_played_as_they_were(azure: Games) -> None:
    assert azure["tutorial"].share_of_best == pytest.approx(0.82, abs=0.04)


def test_the_default_beats_azures_in_the_mean_over_all_worlds(default: Games, azure: Games) -> None:
    assert share(default) > share(azure) + 0.1


def test_the_default_beats_chance_in_the_mean_over_all_worlds(default: Games, uniform: Games) -> None:
    assert share(default) > share(uniform) + 0.2


@pytest.mark.parametrize("name", [name for name in WORLDS if not WORLDS[name].sparse])
def test_the_default_beats_chance_wherever_rewards_are_not_rare(
    name: str, default: Games, uniform: Games
) -> None:
    assert default[name].share_of_best > uniform[name].share_of_best + 0.05


def test_the_default_beats_what_the_application_did_before_in_most_worlds(default: Games) -> None:
    better = [name for name, game in default.items() if game.mean_expected > game.reference.baseline]
    assert len(better) >= 11


class Reloaded(SingleSlot):
    """An engine beside one that is saved and loaded again and again; both must answer the same."""

    def __init__(self) -> None:
        self.whole, self.patched = create_engine(VW_ARGUMENTS), create_engine(VW_ARGUMENTS)
        self.learned = 0

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        probabilities = self.whole.probabilities(context, actions)
        assert min(probabilities) > 0
        assert probabilities == self.patched.probabilities(context, actions)
        return probabilities

    def learn(self, line: bytes, /) -> None:
        self.whole.learn(line)
        self.patched.learn(line)
        self.learned += 1
        if self.learned % 100 == 0:
            dump = self.patched.dump()
            self.patched.close()
            self.patched = create_engine(VW_ARGUMENTS, dump)

    def dump(self) -> bytes:
        return self.whole.dump()

    def close(self) -> None:
        self.whole.close()
        self.patched.close()


@pytest.mark.parametrize("name", ["tutorial", "retail-promotion", "onboarding-step"])
def test_every_action_keeps_a_chance_and_a_reloaded_model_the_same_one(name: str) -> None:
    pair = Reloaded()
    simulate(open_world(name, seed=3), pair, iterations=1_000)
    pair.close()
    assert pair.learned == 1_000


def test_the_page_on_the_default_quotes_the_results() -> None:
    page = ROOT.joinpath("docs/design/default-policy.md").read_text()
    for name in ("all", "final", "fresh"):
        results = ROOT.joinpath(f"benchmarks/policies/results/{name}.md").read_text()
        standings = results[results.index("| candidate | share") : results.index("\n\n| candidate | learning")]
        assert standings in page
    assert f"\n{VW_ARGUMENTS}\n" in page
    assert f"\n{AZURE_ARGUMENTS}\n" in page


def test_the_default_is_one_of_the_candidates() -> None:
    options = sorted(VW_ARGUMENTS.split())
    assert [name for name, text in CANDIDATES.items() if sorted(text.split()) == options] == ["squarecb"]


def test_the_comparison_can_be_made_again() -> None:
    one = compare({"azure": AZURE_ARGUMENTS}, iterations=20, seed=0)
    assert [game.world for game in one] == list(WORLDS)
    again = compare({"azure": AZURE_ARGUMENTS}, iterations=20, seed=0)
    assert [game.share for game in one] == [game.share for game in again]
    assert summarise(one, {"azure": AZURE_ARGUMENTS})[0].share == pytest.approx(fmean(g.share for g in one))
