"""Turns features into columns for learners that want a matrix, as a careful user of theirs would.

All in their favour: the whole stream is looked at beforehand, so that every text has its column from the start
and every number is standardised by its mean and deviation over the whole run.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

Vector: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

MOST_COLUMNS = 100
"""At most so many; texts that are seen seldom have none."""


def flatten(value: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Yields the columns of features: numbers by their name, texts and words as ``name=text`` with 1."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flatten(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from flatten(inner, name)
    elif isinstance(value, str):
        words = value.split() if name.endswith("_text") else [value]
        yield from ((f"{name}={word}", 1.0) for word in words)
    elif isinstance(value, bool | int | float):
        yield name, float(value)


class Columns:
    """The columns of one stream, the first of which is always 1."""

    def __init__(self, stream: Iterable[object], /, *, standardise: bool = True) -> None:
        """Look at a whole stream.

        Args:
            stream: the features of every turn.
            standardise: whether numbers are centred and scaled; texts never are.
        """
        seen: Counter[str] = Counter()
        totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for features in stream:
            for name, value in flatten(features):
                seen[name] += 1
                totals[name][0] += value
                totals[name][1] += value * value
        numbers = [name for name in seen if "=" not in name]
        texts = [name for name, _ in seen.most_common() if "=" in name]
        kept = (numbers + texts)[:MOST_COLUMNS]
        self._places = {name: place for place, name in enumerate(kept, 1)}
        self.count = len(kept) + 1
        self._means, self._units = np.zeros(self.count), np.ones(self.count)
        if standardise:
            for name in numbers[:MOST_COLUMNS]:
                mean = totals[name][0] / seen[name]
                variance = totals[name][1] / seen[name] - mean * mean
                self._means[self._places[name]] = mean
                self._units[self._places[name]] = max(variance, 1e-18) ** 0.5

    def encode(self, features: object, /) -> Vector:
        """Returns the columns of features; a number that is absent is as if it had its mean."""
        row = np.zeros(self.count)
        row[0] = 1.0
        for name, value in flatten(features):
            place = self._places.get(name)
            if place is not None:
                row[place] = (value - self._means[place]) / self._units[place]
        return row
