"""Groups of features: few enough, each feature in one of them, and shares divided among their members."""

import pytest

from sartor.estimators.leave_one_out import Effect
from sartor.estimators.shapley import FeatureShares
from sartor.evaluation.feature_groups import (
    OTHERS,
    FeatureGroup,
    divide_shares,
    group_features,
    select_groups,
    split_twins,
)
from sartor.feature_names import FeatureName


def features(**counts: int) -> list[FeatureName]:
    return [FeatureName(namespace, f"f{n}") for namespace, count in counts.items() for n in range(count)]


def alone(**counts: int) -> list[list[FeatureName]]:
    return [[name] for name in features(**counts)]


def named(groups: list[FeatureGroup]) -> dict[str, int]:
    return {str(group.name): len(group.members) for group in groups}


def test_few_features_are_a_group_each() -> None:
    assert named(group_features(alone(a=2, b=1), most=3, others=False)) == {"a.f0": 1, "a.f1": 1, "b.f0": 1}


def test_the_namespace_with_most_features_is_taken_together_first() -> None:
    assert named(group_features(alone(a=2, b=9), most=4, others=False)) == {"b": 9, "a.f0": 1, "a.f1": 1}
    assert named(group_features(alone(a=2, b=9), most=2, others=False)) == {"b": 9, "a": 2}


def test_further_features_are_a_group_too() -> None:
    found = group_features(alone(a=2, b=2), most=4, others=True)
    assert named(found) == {"b": 2, "a.f0": 1, "a.f1": 1, "": 0}
    assert found[-1].name == OTHERS


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("most", [2, 3, 6, 11])
@pytest.mark.parametrize("counts", [{"a": 60}, {"a": 1, "b": 30, "c": 29}, {f"n{n}": 1 for n in range(40)}])
def test_there_are_never_too_many_groups_and_each_feature_is_in_one(
    counts: dict[str, int], most: int, others: bool
) -> None:
    found = group_features(alone(**counts), most=most, others=others)
    assert len(found) <= most
    assert sorted(member for group in found for member in group.members) == sorted(features(**counts))
    assert len({group.name for group in found}) == len(found)


def test_a_coalition_sees_its_groups_only() -> None:
    groups = group_features(alone(a=1, b=3), most=2, others=False)
    assert select_groups(groups, (0,)).left_out == (FeatureName("a", "f0"),)
    assert select_groups(groups, (1,)).left_out == tuple(features(b=3))
    assert select_groups(groups, (0, 1)).left_out == ()
    assert select_groups(groups, ()).known is None


def test_without_the_others_only_measured_features_are_seen() -> None:
    groups = group_features(alone(a=1, b=1), most=3, others=True)
    assert select_groups(groups, (0, 1)).known == frozenset(features(a=1, b=1))
    assert select_groups(groups, (2,)).known is None


def effect(namespace: str, feature: str, value: float) -> Effect:
    return Effect(namespace=namespace, feature=feature, effect=value, low=value - 0.1, high=value + 0.1)


def made(*shares: Effect) -> FeatureShares:
    return FeatureShares(value=1.0, low=0.0, high=2.0, orders=0, variants=3, shares=shares)


def divide(lost: dict[str, float]) -> dict[str, float]:
    groups = [FeatureGroup(FeatureName("a"), tuple(features(a=2))), FeatureGroup(OTHERS, ())]
    shares = split_twins(made(effect("a", "", 0.6), effect("", "", 0.4)), groups)
    assert [one.effect for one in shares.shares] == [0.6, 0.4]
    return {
        one.feature: one.effect
        for one in divide_shares(shares, groups, [effect("a", name, value) for name, value in lost.items()])
    }


def test_the_share_of_a_namespace_is_divided_by_what_is_lost_without_each_alone() -> None:
    assert divide({"f0": 0.03, "f1": 0.01}) == pytest.approx({"f0": 0.45, "f1": 0.15})


def test_the_share_of_a_namespace_is_divided_equally_where_nothing_is_lost() -> None:
    assert divide({"f0": 0.0, "f1": -0.2}) == pytest.approx({"f0": 0.3, "f1": 0.3})


def test_features_that_say_the_same_are_a_group_and_share_equally() -> None:
    groups = group_features([features(a=3), features(b=1)], most=9, others=False)
    assert [group.says_the_same for group in groups] == [True, True]
    shares = split_twins(made(effect("a", "f0", 0.6), effect("b", "f0", 0.4)), groups)
    named_shares = {str(FeatureName(one.namespace, one.feature)): one.effect for one in shares.shares}
    assert named_shares == pytest.approx({"b.f0": 0.4, "a.f0": 0.2, "a.f1": 0.2, "a.f2": 0.2})
    assert divide_shares(shares, groups, []) == list(shares.shares)
