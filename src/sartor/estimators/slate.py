"""Multi-slot decisions: each slot by itself, or the slate as a whole. Which one fits is the caller's to know.

Per slot (``BySlot``): every slot is a single-slot log of its own, keyed by its id. It needs a reward for each
slot and assumes that a slot's reward depends on the context and on that slot's action only, not on what
else is shown. The sum over slots is the value of the slate under that assumption (independent slots).

Whole slate: one reward for all slots. ``ProductSlate`` assumes nothing about how slots interact and pays with a
variance that grows exponentially with their number; ``PseudoInverse`` assumes that the reward is a sum of
contributions of slots, unknown and not observed one by one, and pays with a variance that grows linearly.
"""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from msgspec import Struct, field
from numpy.typing import ArrayLike

from sartor.errors import InvalidColumns
from sartor.estimators.accumulator import Mergeable
from sartor.estimators.columns import Columns, Floats
from sartor.estimators.estimator_set import EstimatorSet
from sartor.estimators.interval import Bounds, Interval, gaussian_interval, standard_error


class SlateBatch(Struct, frozen=True, kw_only=True, eq=False):
    """A batch of slates: one reward a row; probabilities of shape (rows, slots).

    ``propensity`` and ``target`` are conditional: the probability of a slot's action, given the
    context and the actions in the slots before it.

    Raises:
        InvalidColumns: a shape, a range, or a value that is not finite.
    """

    reward: ArrayLike
    propensity: ArrayLike
    target: ArrayLike

    def ratios(self) -> tuple[Floats, Floats]:
        """The rewards, and the importance weight of every slot."""
        propensity, target = np.asarray(self.propensity, dtype=float), np.asarray(self.target, dtype=float)
        rewards = np.asarray(self.reward, dtype=float)
        if propensity.ndim != 2 or propensity.shape != target.shape or len(propensity) != len(rewards):
            raise InvalidColumns("propensity and target have the shape (rows, slots), reward has (rows,).")
        flat = Columns(
            reward=np.repeat(rewards, propensity.shape[1]), propensity=propensity.ravel(), target=target.ravel()
        )
        return rewards, flat.ratio.reshape(propensity.shape)


class SlateSums(Mergeable, kw_only=True):
    """The mean of reward × weight of a slate, with a Gaussian interval at a sample size fixed beforehand."""

    events: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, slates: SlateBatch, /) -> None:
        """Take in one batch of slates."""
        rewards, ratios = slates.ratios()
        terms = rewards * self._weights(ratios)
        self.events += len(terms)
        self.total += float(terms.sum())
        self.squares += float(terms @ terms)

    def value(self) -> float | None:
        """Units of reward per slate."""
        return self.total / self.events if self.events else None

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Gaussian; at one sample size fixed beforehand."""
        return gaussian_interval(
            self.value(), standard_error(self.total, self.squares, self.events), alpha=alpha
        )

    @abstractmethod
    def _weights(self, ratios: Floats) -> Floats:
        """The weight of each slate, from those of its slots."""


class ProductSlate(SlateSums, kw_only=True):
    """V = (1/N) Σ r Π_k target_k / propensity_k over the slots k of a slate.

    Assumes: what IPS assumes, for each slot given those before it. Unbiased whatever the reward depends on,
    with slots filled one after another without repeating an action, as the service does.
    Paper: Horvitz, Thompson 1952 on whole slates; "standard IPS" in McInerney et al. 2020 (2007.12986).
    Cost: O(rows × slots), O(1) memory.
    """

    def _weights(self, ratios: Floats) -> Floats:
        return np.asarray(ratios.prod(axis=1), dtype=np.float64)


class PseudoInverse(SlateSums, kw_only=True):
    """V = (1/N) Σ r (1 - K + Σ_k target_k / propensity_k), K the number of slots.

    Assumes: the reward's mean is a sum over slots of something that depends on the context and that slot's
    action (linearity), and slots were drawn independently of one another (a product of distributions).
    Slots filled without repeating an action break the second assumption: the result is then biased, the
    less so the more actions there are for each slot.
    Paper: Swaminathan et al. 2017 (Off-policy Evaluation for Slate Recommendation, 1605.04812), the
    pseudo-inverse estimator in the case of its example 4. Cost: O(rows × slots), O(1) memory.
    """

    def _weights(self, ratios: Floats) -> Floats:
        return np.asarray(1.0 - ratios.shape[1] + ratios.sum(axis=1), dtype=np.float64)


class BySlot(Mergeable, kw_only=True):
    """One panel for each slot id, made when its first batch comes.

    Assumes: independent slots (see above). Cost: that of ``Panel`` for every slot.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"bounds"})

    bounds: Bounds
    slots: dict[str, EstimatorSet] = field(default_factory=dict)

    def add(self, slot_id: str, columns: Columns, /) -> None:
        """Take in one batch of one slot's decisions."""
        if slot_id not in self.slots:
            self.slots[slot_id] = EstimatorSet.empty(bounds=self.bounds)
        self.slots[slot_id].add(columns)

    def total(self, estimator: str = "snips") -> float | None:
        """The sum of one estimator's values over the slots; None if one of them has none."""
        values = [panel.estimators()[estimator].value() for panel in self.slots.values()]
        known = [value for value in values if value is not None]
        return sum(known) if values and len(known) == len(values) else None
