"""The verdict refuses for each reason, and says which."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from sartor.estimators.columns import Columns
from sartor.estimators.diagnostics import Diagnostics
from sartor.estimators.support import SupportThresholds, SupportVerdict, check_support, explain_refusal

ROWS = 1000
CHOSEN = np.arange(ROWS) % 2 == 0


def verdict(**changed: ArrayLike) -> SupportVerdict:
    """The verdict on a uniform log over two actions and a policy that always takes the first, changed."""
    good: dict[str, ArrayLike] = {
        "reward": np.zeros(ROWS),
        "propensity": np.full(ROWS, 0.5),
        "target": CHOSEN.astype(float),
    }
    found = Diagnostics()
    found.add(Columns(**{name: np.asarray(value) for name, value in (good | changed).items()}))
    return check_support(found)


def test_a_good_log_can_answer() -> None:
    assert verdict() == SupportVerdict(True)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"target": np.zeros(ROWS)}, "the policy would never have chosen what was chosen"),
        ({"propensity": np.ones(ROWS)}, "it was made without exploration: every logged probability is 1"),
        ({"target": 0.5 * CHOSEN}, "only about 50% of the policy's choices were ever possible"),
        ({"propensity": np.full(ROWS, 0.2)}, "too small to be true: weights average 2.50 instead of 1"),
        ({"uncovered": np.full(ROWS, 0.25)}, "25% of its choices among actions that the log could not choose"),
        (
            {"target": np.arange(ROWS) == 5, "propensity": np.where(np.arange(ROWS) == 5, 1e-3, 0.5)},
            "a single decision carries 100% of all weight",
        ),
        (
            {
                "target": np.arange(ROWS) % 50 == 0,
                "propensity": np.where(np.arange(ROWS) % 50 == 0, 0.02, 0.98),
            },
            "1000 decisions say as much about this policy as 20 would, and at least 50 are needed",
        ),
    ],
)
def test_each_refusal_has_its_reason(changed: dict[str, ArrayLike], reason: str) -> None:
    refusal = verdict(**changed)
    assert not refusal.answerable
    assert reason in explain_refusal(refusal.reasons)
    assert (
        explain_refusal(("one reason", "another")) == "The log can't answer this, because one reason; another."
    )


def test_too_few_decisions() -> None:
    few = {"reward": np.zeros(4), "propensity": np.full(4, 0.5), "target": np.array([1.0, 0.0, 1.0, 0.0])}
    assert "it holds 4 decisions and at least 100 are needed" in explain_refusal(verdict(**few).reasons)
    assert check_support(Diagnostics()).reasons == ("it holds 0 decisions and at least 100 are needed",)


def test_limits_can_be_moved() -> None:
    found = Diagnostics()
    found.add(Columns(reward=np.zeros(4), propensity=np.full(4, 0.5), target=np.full(4, 0.5)))
    assert check_support(
        found, limits=SupportThresholds(min_rows=4, min_effective=4, max_row_share=0.25)
    ).answerable
