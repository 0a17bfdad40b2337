"""The grammar of learning settings for the second-order engine."""

import pytest

from sartor.errors import InvalidPolicy
from sartor.learn.engines import fills_several_slots, spell_arguments
from sartor.learn.policy import check_policy
from sartor.learn.second_order.arguments import (
    SecondOrderSettings,
    is_second_order,
    parse_settings,
    spell_settings,
)

BOUNDS = [
    ("gamma_scale", 0.01, 1e6),
    ("epsilon", 0.0, 1.0),
    ("columns", 16, 256),
    ("pairs", 0, 128),
    ("half_life", 10.0, 1e9),
]


def test_the_mark_alone_means_the_defaults() -> None:
    assert parse_settings("--sartor") == SecondOrderSettings()


@pytest.mark.parametrize(("name", "low", "high"), BOUNDS)
def test_both_bounds_of_an_option_are_accepted(name: str, low: float, high: float) -> None:
    for value in (low, high):
        assert getattr(parse_settings(f"--sartor --{name} {value}"), name) == value
        assert getattr(parse_settings(f"--sartor --{name}={value}"), name) == value


@pytest.mark.parametrize(("name", "low", "high"), BOUNDS)
def test_what_is_beyond_a_bound_is_refused_with_the_name_and_the_bounds(
    name: str, low: float, high: float
) -> None:
    for value in (low - 1, high * 2 + 1):
        with pytest.raises(InvalidPolicy, match=f"--{name} takes a .*number from {low:g} to ") as refusal:
            parse_settings(f"--sartor --{name} {value}")
        assert repr(str(value)) in refusal.value.message


@pytest.mark.parametrize("value", ["x", "nan", "inf", "-inf", "1_0", "''", "١٢", "--epsilon", "0x10"])
@pytest.mark.parametrize("name", [name for name, _, _ in BOUNDS])
def test_what_is_no_number_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidPolicy):
        parse_settings(f"--sartor --{name} {value}")


@pytest.mark.parametrize("name", ["columns", "pairs"])
def test_whole_numbers_have_no_fraction(name: str) -> None:
    with pytest.raises(InvalidPolicy, match=f"--{name} takes a whole number"):
        parse_settings(f"--sartor --{name} 16.5")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("--sartor --squarecb", "--squarecb"),
        ("--sartor --sartor", "--sartor"),
        ("--sartor -q ::", "-q"),
        ("--sartor x", "x"),
        ("--sartor --ccb_explore_adf=1", "--ccb_explore_adf"),
        ("--sartor --epsilon", "--epsilon needs a value"),
        ("--sartor --epsilon 0.1 --epsilon 0.1", "--epsilon is given more than once"),
        ("--sartor --ccb_explore_adf --ccb_explore_adf", "more than once"),
        ("--sartor 'x", "quotation"),
        ("--sartor \u00e9", "ASCII"),
        ("--sartor\n--epsilon 1", "printable"),
        ("--sartor " + "x" * 1020, "1024 characters"),
        ("--epsilon 0.1 --sartor", "begin with --sartor"),
    ],
)
def test_refusals_name_what_is_wrong(text: str, named: str) -> None:
    with pytest.raises(InvalidPolicy) as refusal:
        parse_settings(text)
    assert named in refusal.value.message


def test_an_option_given_twice_is_named_as_it_is_written() -> None:
    with pytest.raises(InvalidPolicy, match="The option --ccb_explore_adf is given more than once"):
        parse_settings("--sartor --ccb_explore_adf --ccb_explore_adf")


@pytest.mark.parametrize("text", ["--sartor", "  --sartor --epsilon 0.1", "--sartor x"])
def test_settings_are_for_this_engine_by_their_first_word(text: str) -> None:
    assert is_second_order(text)


@pytest.mark.parametrize("text", ["", "--cb_explore_adf --sartor", "--sartors", "--sartor=1", "-sartor"])
def test_other_settings_are_for_vowpal_wabbit(text: str) -> None:
    assert not is_second_order(text)


def test_one_spelling_has_single_spaces_and_two_words_for_a_value() -> None:
    spelled = "--sartor --ccb_explore_adf --epsilon 0.1 --columns 64"
    assert spell_settings(" --sartor  --ccb_explore_adf --epsilon=0.1   --columns '64' ") == spelled
    assert spell_settings(spelled) == spelled
    assert check_policy(spelled) == spell_arguments(spelled) == spelled


def test_settings_for_several_slots_say_so() -> None:
    assert fills_several_slots("--sartor --ccb_explore_adf")
    assert not fills_several_slots("--sartor")
