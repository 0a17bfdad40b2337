"""What one owner takes is not at the expense of the others, and comes back."""

import pytest

from sartor.api.http.byte_budget import ByteBudget
from sartor.errors import TooManyRequests, Unavailable


def test_an_owner_has_its_share_and_others_have_theirs() -> None:
    budget = ByteBudget("request bodies", per_owner=10, total=25)
    budget.take("a", 10)
    with pytest.raises(
        TooManyRequests, match=r"10 bytes are in flight .* 1 would be added, and 10 are allowed"
    ):
        budget.take("a", 1)
    budget.take("b", 10)
    budget.take("c", 5)
    with pytest.raises(Unavailable):
        budget.take("c", 1)
    budget.give_back("a", 4)
    budget.take("c", 4)


def test_what_was_refused_was_not_taken_and_what_is_given_back_is_forgotten() -> None:
    budget = ByteBudget("request bodies", per_owner=10, total=10)
    for number in range(1000):
        with pytest.raises(TooManyRequests):
            budget.take(f"owner-{number}", 11)
        budget.take(f"owner-{number}", 10)
        budget.give_back(f"owner-{number}", 10)
    assert (len(budget), budget.held) == (0, 0)
