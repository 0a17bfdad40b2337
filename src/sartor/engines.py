"""The protocols of engines, which rank and learn; ``ports`` exports them too."""

from collections.abc import Sequence
from typing import Protocol


class Engine(Protocol):
    """Turns a context and actions into probabilities, and learns. Not thread-safe; used by one process."""

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        """Returns the probability of each of the ``actions`` rankable actions; they sum to 1 (within 1e-12).

        Args:
            context: from ``dsjson.context_json.encode_context``.
            actions: how many actions it holds.

        Raises:
            EngineRefused: the engine can't rank it; the engine stays usable.
        """

    def slot_probabilities(
        self, query: bytes, actions: int, /, *, slots: int, offered: Sequence[int]
    ) -> list[float]:
        """Returns the probabilities of the actions that are offered to one of several slots; they sum to 1.

        Args:
            query: from ``dsjson.multi_slot.encode_slot_query``.
            actions: how many actions it holds.
            slots: how many slots it holds; the probabilities are those of the last.
            offered: indexes of the actions that the query offers to it, in the order of the result.

        Raises:
            EngineRefused: the engine can't rank it, or fills single slots only; it stays usable.
        """

    def estimates(self, query: bytes, actions: int, /, *, slots: int = 0) -> list[float] | None:
        """Returns the expected reward of each action; None: this exploration has several estimates of it.

        Args:
            query: a context, or a query about a slot. The value of an action that is not offered means nothing.
            actions: how many actions it holds.
            slots: how many slots it holds.

        Raises:
            EngineRefused: the engine can't rank it; it stays usable.
        """

    def learn(self, line: bytes, /) -> None:
        """Learn one line from ``dsjson.single_slot.encode_outcome_line``, which must be learnable.

        Raises:
            EngineRefused: the engine can't learn it; the engine stays usable and unchanged.
        """

    def dump(self) -> bytes:
        """Returns the learned state; an engine loaded from it goes on exactly like this one, bit for bit."""

    def close(self) -> None:
        """Free its memory; idempotent."""


class EngineFactory(Protocol):
    """Makes engines of one kind."""

    def __call__(self, arguments: str, blob: bytes | None = None, /) -> Engine:
        """Create an engine with these learning settings: empty, or with the state of a dump made under them.

        Raises:
            InvalidPolicy: the arguments are not accepted.
            Corrupt: the blob is not a model.
        """
