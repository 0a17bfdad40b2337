"""The engine: prepares what is asked and learned, and hands it to Vowpal Wabbit."""

from collections.abc import Sequence

from sartor.bounded_cache import BoundedCache
from sartor.errors import EngineRefused, InvalidPolicy
from sartor.learn.arguments import PolicyArguments, parse_arguments
from sartor.learn.model_file import add_checksum, strip_checksum
from sartor.learn.preparation.prepared_context import (
    ContextParts,
    ContextPreparer,
    find_context,
    make_plan,
    read_numbers,
    split_context,
)
from sartor.learn.preparation.prepared_dump import PreparationState, read_dump, write_dump
from sartor.learn.second_order.plan_columns import PLANNED_AT
from sartor.learn.second_order.reading import RawFeatures
from sartor.learn.vw import VowpalWabbit

_MOST_BYTES = 4_000_000
"""The preparation stays from here on as well: so many bytes of lines are kept to be learned again."""


class PreparedVowpalWabbit:
    """Vowpal Wabbit behind a preparation of numbers; see ``engines.Engine``.

    When the preparation is planned again, the weights of before mean nothing any more: an empty engine learns
    the outcomes so far once more.
    """

    def __init__(self, arguments: PolicyArguments, blob: bytes | None = None) -> None:
        """Start empty, or with the state of a dump.

        Raises:
            Corrupt: the blob is not a dump of such an engine.
        """
        self._arguments = arguments
        if blob is None:
            self._state = PreparationState(lines=[])
            self._engine = VowpalWabbit(arguments)
        else:
            self._state, model = read_dump(blob)
            self._engine = VowpalWabbit(arguments, add_checksum(model))
        self._preparer = ContextPreparer(self._state.plan)
        self._numbers: BoundedCache[RawFeatures] = BoundedCache()

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        """See ``engines.Engine``."""
        return self._engine.probabilities(self._preparer.prepare_context(context), actions)

    def slot_probabilities(
        self, query: bytes, actions: int, /, *, slots: int, offered: Sequence[int]
    ) -> list[float]:
        """See ``engines.Engine``."""
        prepared = self._preparer.prepare_context(query)
        return self._engine.slot_probabilities(prepared, actions, slots=slots, offered=offered)

    def estimates(self, query: bytes, actions: int, /, *, slots: int = 0) -> list[float] | None:
        """See ``engines.Engine``."""
        return self._engine.estimates(self._preparer.prepare_context(query), actions, slots=slots)

    def learn(self, line: bytes, /) -> None:
        """See ``engines.Engine``."""
        parts = split_context(find_context(line))
        self._engine.learn(self._preparer.prepare_line(line))
        self._remember(line, parts)

    def predict_then_learn(self, line: bytes, actions: int, /) -> list[float]:
        """See ``VowpalWabbit.predict_then_learn``."""
        parts = split_context(find_context(line))
        probabilities = self._engine.predict_then_learn(self._preparer.prepare_line(line), actions)
        self._remember(line, parts)
        return probabilities

    def dump(self) -> bytes:
        """See ``engines.Engine``."""
        return write_dump(self._state, strip_checksum(self._engine.dump()))

    def close(self) -> None:
        """See ``engines.Engine``."""
        self._engine.close()

    def _remember(self, line: bytes, parts: ContextParts) -> None:
        """Plan again when it is time, and give columns to what appears later."""
        lines = self._state.lines
        if lines is None:
            self._notice(parts)
            return
        lines.append(line)
        is_full = sum(map(len, lines)) > _MOST_BYTES
        if len(lines) in PLANNED_AT or is_full:
            self._plan(lines)
        if len(lines) == PLANNED_AT[-1] or is_full:
            self._state.lines = None

    def _plan(self, lines: Sequence[bytes]) -> None:
        plan = make_plan([split_context(find_context(line)) for line in lines if _is_readable(line)])
        if plan == self._state.plan:  # what was learned is what would be learned
            return
        preparer, engine = ContextPreparer(plan), VowpalWabbit(self._arguments)
        for line in lines:
            try:
                engine.learn(preparer.prepare_line(line))
            except EngineRefused:
                # It has more features now than the settings can cross, or came with a model from elsewhere.
                continue
        self._engine.close()
        self._state.plan, self._preparer, self._engine = plan, preparer, engine

    def _notice(self, parts: ContextParts) -> None:
        plan = self._state.plan
        if plan is None:
            return
        noticed = ((plan.contexts, (parts.context,)), (plan.actions, parts.actions), (plan.slots, parts.slots))
        for columns, blobs in noticed:
            before = len(columns.spare)
            for blob in blobs if before else ():
                columns.notice(self._read_numbers(blob))
            if len(columns.spare) != before:
                self._preparer.forget()

    def _read_numbers(self, features: bytes) -> RawFeatures:
        numbers = self._numbers.get(features)
        return self._numbers.put(features, read_numbers(features)) if numbers is None else numbers


def create_prepared_engine(arguments: str, blob: bytes | None = None, /) -> PreparedVowpalWabbit:
    """Create an engine, empty or with the state of a dump made under the same arguments (an ``EngineFactory``).

    Raises:
        InvalidPolicy: the arguments are not accepted, or don't hold ``--prepare``.
        Corrupt: the blob is not a model of this engine.
    """
    parsed = parse_arguments(arguments)
    if not parsed.prepares:
        raise InvalidPolicy("These learning settings don't hold --prepare.")
    return PreparedVowpalWabbit(parsed, blob)


def _is_readable(line: bytes) -> bool:
    """Whether a line is one; a dump may come from elsewhere."""
    try:
        parts = split_context(find_context(line))
        for features in (parts.context, *parts.actions, *parts.slots):
            read_numbers(features)
    except EngineRefused:
        return False
    return True
