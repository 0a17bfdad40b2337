"""What an engine of one's own need not say when it is about single slots only."""

from collections.abc import Sequence

from sartor.errors import EngineRefused


class SingleSlot:
    """The part of an ``Engine`` that is about several slots, and about explanations: there is none."""

    def slot_probabilities(
        self, question: bytes, actions: int, /, *, slots: int, offered: Sequence[int]
    ) -> list[float]:
        """Refuse.

        Raises:
            EngineRefused: always.
        """
        raise EngineRefused("This engine fills no slots.")

    def estimates(self, question: bytes, actions: int, /, *, slots: int = 0) -> list[float] | None:
        """None: there are no estimates."""
        return None
