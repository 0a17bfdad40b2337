"""The census of features: counted once a decision, and those found that say the same."""

from collections.abc import Mapping

from msgspec import json
from msgspec.structs import replace

from sartor.evaluation.feature_census import FeatureCensus
from sartor.records import Action
from sartor.testing.builders import make_decision

Sent = tuple[Mapping[str, object], dict[str, dict[str, object]]]
"""The context of a decision, and the features of its three actions by id."""


def take(*decisions: Sent) -> FeatureCensus:
    census = FeatureCensus()
    for context, actions in decisions:
        offered = tuple(Action(name, json.encode([features])) for name, features in actions.items())
        census.add(replace(make_decision(), context=json.encode([context]), actions=offered))
    return census


def twins(*contexts: Mapping[str, object]) -> list[list[str]]:
    """Those of contexts; ids of actions are always there."""
    nothing: dict[str, dict[str, object]] = {"a": {}, "b": {}, "c": {}}
    census = take(*((context, nothing) for context in contexts))
    found = census.find_twins(census.list_frequent(60)[0])
    return [[one.name for one in names] for names in found if names[0].namespace == "Context"]


def test_the_most_frequent_features_are_listed_by_name_and_counted_once_a_decision() -> None:
    actions: dict[str, dict[str, object]] = {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1}}
    census = take(({"rare": 1, "often": 1}, actions), ({"often": 1}, actions))
    listed, others = census.list_frequent(3)
    assert ([str(name) for name in listed], others) == (["Action.id", "Action.x", "Context.often"], 1)
    assert {str(name) for name in census.of_actions} == {"Action.id", "Action.x"}


def test_texts_that_change_together_say_the_same() -> None:
    bonn, ulm = {"city": "Bonn", "code": "B"}, {"city": "Ulm", "code": "U"}
    assert twins(bonn, ulm, bonn) == [["city", "code"]]


def test_a_text_that_says_less_does_not_say_the_same() -> None:
    lands = {"Bonn": "NW", "Ulm": "BW", "Köln": "NW"}
    assert twins(*({"city": city, "land": land} for city, land in lands.items())) == [["city"], ["land"]]


def test_features_that_are_not_sent_together_do_not_say_the_same() -> None:
    assert twins({"city": "Bonn", "code": "B"}, {"city": "Bonn"}) == [["city"], ["code"]]


def test_numbers_say_the_same_only_if_they_are_equal() -> None:
    assert twins({"cm": 10, "mm": 100, "again": 10}, {"cm": 20, "mm": 200, "again": 20}) == [
        ["again", "cm"],
        ["mm"],
    ]


def test_words_are_not_a_category() -> None:
    assert twins({"_text": "good day", "a": "x"}, {"_text": "day good", "a": "y"}) == [["_text"], ["a"]]


def test_features_of_actions_that_name_them_say_the_same_as_their_id() -> None:
    named: dict[str, dict[str, object]] = {name: {"topic": name.upper(), "kind": "k"} for name in "abc"}
    census = take(({"x": 1}, named), ({"x": 2}, named))
    found = census.find_twins(census.list_frequent(60)[0])
    assert [[one.name for one in names] for names in found] == [["id", "topic"], ["kind"], ["x"]]
