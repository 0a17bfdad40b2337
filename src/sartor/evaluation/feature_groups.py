"""Groups of features, few enough for their shares to be measured; and the shares of single features.

Features of which each determines the others are a group. If there are too many groups, those of the namespace
with most of them are taken together, then those of the next one; if even the namespaces are too many, the
smallest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sartor.estimators.leave_one_out import Effect
from sartor.estimators.shapley import FeatureShares
from sartor.feature_names import FeatureName, FeatureSelection

OTHERS = FeatureName("")
"""The name of the group of all features that are in no other group."""


class FeatureGroup(Struct, frozen=True):
    """Features that are added together.

    Attributes:
        name: of the first of features that say the same, of their namespace, or ``OTHERS``.
        members: the features.
    """

    name: FeatureName
    members: tuple[FeatureName, ...]

    @property
    def says_the_same(self) -> bool:
        """Whether each of its features determines the others."""
        return bool(self.name.name)


def group_features(twins: Sequence[Sequence[FeatureName]], /, *, most: int, others: bool) -> list[FeatureGroup]:
    """Returns the groups, at most ``most``, which is at least 2.

    Args:
        twins: the features that are measured; those that say the same together.
        most: how many groups at most.
        others: whether there are further features; they make a group.
    """
    groups = [FeatureGroup(members[0], tuple(members)) for members in twins]
    while len(groups) + others > most and (namespace := _find_largest(groups)) is not None:
        groups = _merge_namespace(groups, namespace)
    groups.sort(key=lambda group: -len(group.members))
    kept = groups if len(groups) + others <= most else groups[: most - 1]
    rest = tuple(member for group in groups[len(kept) :] for member in group.members)
    return [*kept, FeatureGroup(OTHERS, rest)] if others or rest else kept


def _find_largest(groups: Sequence[FeatureGroup]) -> str | None:
    """Returns the namespace with most groups; None where each has one."""
    counts = Counter(group.name.namespace for group in groups)
    namespace, count = max(counts.items(), key=lambda item: (item[1], item[0]))
    return namespace if count > 1 else None


def _merge_namespace(groups: Sequence[FeatureGroup], namespace: str) -> list[FeatureGroup]:
    merged = [member for group in groups if group.name.namespace == namespace for member in group.members]
    kept = [group for group in groups if group.name.namespace != namespace]
    return [*kept, FeatureGroup(FeatureName(namespace), tuple(merged))]


def select_groups(groups: Sequence[FeatureGroup], coalition: Sequence[int], /) -> FeatureSelection:
    """Returns the selection that sees the groups of a coalition only."""
    absent = [group for number, group in enumerate(groups) if number not in coalition]
    measured = frozenset(member for group in groups for member in group.members)
    return FeatureSelection(
        left_out=tuple(member for group in absent for member in group.members),
        known=measured if any(group.name == OTHERS for group in absent) else None,
    )


def split_twins(shares: FeatureShares, groups: Sequence[FeatureGroup], /) -> FeatureShares:
    """Returns the shares with those of features that say the same divided equally among them.

    So a feature that is sent twice takes nothing from the others (Owen 1977, "Values of games with a priori
    unions").
    """
    by_name = {FeatureName(one.namespace, one.feature): one for one in shares.shares}
    split = [
        _take_part(by_name[group.name], name, 1 / len(group.members) if group.says_the_same else 1.0)
        for group in groups
        for name in (group.members if group.says_the_same else (group.name,))
    ]
    return replace(shares, shares=tuple(sort_effects(split)))


def divide_shares(
    shares: FeatureShares, groups: Sequence[FeatureGroup], effects: Sequence[Effect], /
) -> list[Effect]:
    """Returns a share for each feature, the greatest first; they add up to those of the groups with features.

    The share of a namespace is divided in proportion to what is lost without each of its features alone;
    equally where nothing is lost without any.

    Args:
        shares: from ``split_twins``.
        groups: the groups.
        effects: what is lost without each feature.
    """
    by_name = {FeatureName(one.namespace, one.feature): one for one in shares.shares}
    lost = {FeatureName(one.namespace, one.feature): max(0.0, one.effect) for one in effects}
    found = []
    for group in groups:
        for member, part in _divide(group.members, lost).items():
            if group.says_the_same:
                found.append(by_name[member])
            else:
                found.append(_take_part(by_name[group.name], member, part))
    return sort_effects(found)


def sort_effects(effects: Iterable[Effect], /) -> list[Effect]:
    """Returns effects, the greatest first."""
    return sorted(effects, key=lambda one: (-one.effect, one.namespace, one.feature))


def _take_part(share: Effect, name: FeatureName, part: float) -> Effect:
    return Effect(
        namespace=name.namespace,
        feature=name.name,
        effect=share.effect * part,
        low=share.low * part,
        high=share.high * part,
    )


def _divide(members: Sequence[FeatureName], lost: Mapping[FeatureName, float]) -> dict[FeatureName, float]:
    total = sum(lost.get(member, 0.0) for member in members)
    if total <= 0:
        return {member: 1 / len(members) for member in members}
    return {member: lost.get(member, 0.0) / total for member in members}
