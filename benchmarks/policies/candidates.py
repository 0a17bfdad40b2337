"""The learning settings that are compared, by name; each differs from its neighbours in one thing."""

from collections.abc import Mapping

from sartor.settings import AZURE_ARGUMENTS

_CB = "--cb_explore_adf --cb_type mtr"
_SQUARE = f"{_CB} --squarecb"
_COSTS = "--cb_min_cost -1 --cb_max_cost 0"

CANDIDATES: Mapping[str, str] = {
    "azure": AZURE_ARGUMENTS,
    # Epsilon-greedy, with the engine's own learning rate.
    "epsilon 0.2": f"{_CB} --epsilon 0.2 -q ::",
    "epsilon 0.05": f"{_CB} --epsilon 0.05 -q ::",
    "epsilon 0.05, coin": f"{_CB} --epsilon 0.05 --coin -q ::",
    "epsilon 0.05, dr": "--cb_explore_adf --cb_type dr --epsilon 0.05 -q ::",
    "epsilon 0.05, ips": "--cb_explore_adf --cb_type ips --epsilon 0.05 -q ::",
    # SquareCB (arXiv:2002.04926): how sharply the probabilities follow the gaps, and how that grows with
    # experience.
    "squarecb": f"{_SQUARE} -q ::",
    "squarecb 50^0.3": f"{_SQUARE} --gamma_scale 50 --gamma_exponent 0.3 -q ::",
    "squarecb 20^0.4": f"{_SQUARE} --gamma_scale 20 --gamma_exponent 0.4 -q ::",
    "squarecb 100^0.25": f"{_SQUARE} --gamma_scale 100 --gamma_exponent 0.25 -q ::",
    # How it learns.
    "squarecb, coin": f"{_SQUARE} --coin -q ::",
    "squarecb, power_t 0": f"{_SQUARE} --power_t 0 -q ::",
    "squarecb, power_t 0.3": f"{_SQUARE} --power_t 0.3 -q ::",
    "squarecb 50^0.3, power_t 0.3": f"{_SQUARE} --gamma_scale 50 --gamma_exponent 0.3 --power_t 0.3 -q ::",
    "squarecb, l 1": f"{_SQUARE} -l 1 -q ::",
    "squarecb, noconstant": f"{_SQUARE} --noconstant -q ::",
    "squarecb, 20 bits": f"{_SQUARE} -b 20 -q ::",
    # What is crossed with what: F is the context, i the action's id and its constant, j its features.
    "squarecb, Fi Fj": f"{_SQUARE} -q Fi -q Fj",
    "squarecb, :i :j": f"{_SQUARE} -q :i -q :j",
    "squarecb, ::i": f"{_SQUARE} --interactions ::i",
    "squarecb, ::i, power_t 0.3": f"{_SQUARE} --power_t 0.3 --interactions ::i",
    "squarecb 50^0.3, ::i": f"{_SQUARE} --gamma_scale 50 --gamma_exponent 0.3 --interactions ::i",
    # Other ways to explore.
    "regcb optimistic": f"{_CB} --regcbopt {_COSTS} -q ::",
    "cover 4": f"{_CB} --cover 4 -q ::",
    "softmax 10": f"{_CB} --softmax --lambda 10 -q ::",
    "synthetic cover": f"{_CB} --synthcover -q ::",
}
