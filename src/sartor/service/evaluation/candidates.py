"""The learning settings among which a better one is sought, where an evaluation asks for that."""

from collections.abc import Mapping

from sartor.settings import AZURE_ARGUMENTS, DEFAULT_ARGUMENTS

CANDIDATES: Mapping[str, str] = {
    "Default": DEFAULT_ARGUMENTS,
    "Azure": AZURE_ARGUMENTS,
    "Greedy": "--cb_explore_adf --epsilon 0.05 --cb_type mtr -q ::",
    "SquareCB": "--cb_explore_adf --squarecb --gamma_scale 100 --cb_type mtr -q ::",
    "RegCB": "--cb_explore_adf --regcbopt --mellowness 0.01 --cb_type mtr -q ::",
    "Linear": "--cb_explore_adf --squarecb --cb_type mtr",
}
"""By name. They differ in how they explore, in how fast they learn, and in which features they cross."""


def candidates(*, several_slots: bool) -> Mapping[str, str]:
    """The same for a loop of several slots, or of one."""
    if not several_slots:
        return CANDIDATES
    return {name: text.replace("--cb_explore_adf", "--ccb_explore_adf") for name, text in CANDIDATES.items()}
