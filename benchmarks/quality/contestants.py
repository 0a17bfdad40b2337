"""Who is compared, by name; all with one setting each, the same in every world."""

from collections.abc import Mapping

from msgspec import Struct

from sartor.settings import AZURE_ARGUMENTS

OURS = "sartor"
UNIFORM = "uniform"


class Contestant(Struct, frozen=True):
    """A learner of the comparison. ``arguments``: of an engine of Sartor; empty for another library."""

    what: str
    arguments: str = ""
    long_runs: bool = False
    """Whether it plays the longest runs too."""


_CB = "--cb_explore_adf --cb_type mtr"

CONTESTANTS: Mapping[str, Contestant] = {
    OURS: Contestant("the second-order engine", "--sartor", long_runs=True),
    "vw-squarecb": Contestant("Vowpal Wabbit, SquareCB", f"{_CB} --squarecb -q ::", long_runs=True),
    "vw-epsilon": Contestant("Vowpal Wabbit, ε = 0.05", f"{_CB} --epsilon 0.05 -q ::", long_runs=True),
    "vw-regcb": Contestant(
        "Vowpal Wabbit, RegCB, optimistic, told that rewards are between 0 and 1",
        f"{_CB} --regcbopt --cb_min_cost -1 --cb_max_cost 0 -q ::",
    ),
    "vw-bag": Contestant("Vowpal Wabbit, a bag of 5", f"{_CB} --bag 5 -q ::"),
    "vw-cover": Contestant("Vowpal Wabbit, a cover of 4", f"{_CB} --cover 4 -q ::"),
    "azure": Contestant("the settings that the retired service began with", AZURE_ARGUMENTS, long_runs=True),
    "linucb": Contestant("LinUCB of MABWiser, α = 1", long_runs=True),
    "lints": Contestant("LinTS of MABWiser, α = 1"),
    "bayesian-ts": Contestant("Thompson sampling of bayesianbandits, normal-inverse-gamma regression"),
    "ridge-squarecb": Contestant("a ridge regression for each action with SquareCB, γ = 10 √n", long_runs=True),
    "trees-squarecb": Contestant("boosted trees of LightGBM, refitted at intervals, with SquareCB, γ = 10 √n"),
}
"""The first is ours, the others are the peers."""

PEER_NAMES = tuple(name for name in CONTESTANTS if name != OURS)
