"""A census of the features of a log: which there are, which are of actions, and which say the same."""

from collections import Counter
from hashlib import blake2b

import msgspec

from sartor.feature_names import ACTION, FeatureName, read_decision_parts
from sartor.records import Decision


class FeatureCensus:
    """Counts features, decision by decision. Memory: the different texts of each feature."""

    def __init__(self) -> None:
        self._counts: Counter[FeatureName] = Counter()
        self._traces: dict[FeatureName, _Trace] = {}
        self._parts = 0
        self.of_actions: set[FeatureName] = set()
        """The features of actions, which tell them apart."""

    def add(self, decision: Decision, /) -> None:
        """Adds a decision."""
        seen: set[FeatureName] = set()
        for part, features in read_decision_parts(decision):
            self._parts += 1
            for name, value in features:
                seen.add(name)
                self._traces.setdefault(name, _Trace(name)).add(self._parts, value)
            if part == ACTION:
                self.of_actions.update(name for name, _ in features)
        self._counts.update(seen)

    def list_frequent(self, most: int, /) -> tuple[list[FeatureName], int]:
        """Returns the features of most decisions, sorted by name, and how many others there are."""
        ranked = sorted(self._counts, key=lambda feature: (-self._counts[feature], feature))
        return sorted(ranked[:most]), max(0, len(ranked) - most)

    def find_twins(self, features: list[FeatureName], /) -> list[tuple[FeatureName, ...]]:
        """Returns the features, those together that say the same in every decision.

        They are always sent together, and where one changes its text, so do the others, one to one: an engine
        that takes texts for categories can use one as well as another. Numbers say the same if they are equal.
        """
        twins: dict[bytes, list[FeatureName]] = {}
        for name in features:
            twins.setdefault(self._traces[name].digest(), []).append(name)
        return [tuple(found) for found in twins.values()]


class _Trace:
    """What a feature says, part by part: texts are numbered as they come, so that only their pattern counts.

    Not so where the engine splits a text into words.
    """

    def __init__(self, name: FeatureName) -> None:
        self._is_split = name.name == "_text"
        self._hash = blake2b(digest_size=16)
        self._numbers: dict[str, int] = {}

    def add(self, part: int, value: object, /) -> None:
        if isinstance(value, str) and not self._is_split:
            value = ["text", self._numbers.setdefault(value, len(self._numbers))]
        self._hash.update(msgspec.json.encode([part, value]))

    def digest(self) -> bytes:
        return self._hash.digest()
