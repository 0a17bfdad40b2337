import pytest
from vowpalwabbit import Workspace

from sartor.learn.options import ACCEPTED, DROPPED, REFUSED, REPEATABLE, SHORT


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    """Long and short names of every option of the installed engine."""
    workspace = Workspace("--cb_explore_adf --quiet")
    groups = workspace.get_config(filtered_enabled_reductions_only=False).values()
    options = [option for group in groups for _, members in group for option in members]
    workspace.finish()
    return {option.name: option.short_name for option in options}


def test_every_accepted_option_is_one_of_the_engine(known: dict[str, str]) -> None:
    assert set(ACCEPTED) <= set(known)


def test_short_names_are_the_engine_s(known: dict[str, str]) -> None:
    assert {known[name]: name for name in ACCEPTED if known[name]} == SHORT


def test_no_option_is_both_accepted_and_refused() -> None:
    assert set(ACCEPTED).isdisjoint(REFUSED)
    assert DROPPED.isdisjoint(ACCEPTED)
    assert set(ACCEPTED) >= REPEATABLE


def test_no_option_that_takes_a_file_name_is_accepted(known: dict[str, str]) -> None:
    words = ("file", "regressor", "output", "predictions", "port", "path", "cache")
    suspicious = {name for name in known if any(word in name for word in words)}
    assert len(suspicious) > 20
    assert suspicious.isdisjoint(ACCEPTED)
