"""Rewrites contexts: a number becomes its standardised value and further features, a long text its words.

All else stays as it is, also where it stands, so that the namespaces of the learning settings mean what they
meant. A number that the plan doesn't know is left out: its unit isn't known yet.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from sartor.bounded_cache import BoundedCache
from sartor.errors import EngineRefused
from sartor.learn.second_order.columns import ColumnPlan, NumberColumns, write_number
from sartor.learn.second_order.plan_columns import plan_columns
from sartor.learn.second_order.reading import RawFeatures, read_features, read_member

NUMBERS = 1024
"""The most columns of numbers themselves; beyond them numbers are left out."""
_FINE = 64
"""There are steps and whole values where no more columns than these are needed for all of them. They help most
where numbers are few; where they are many, crossing each with each costs more than it tells."""
_SHORT = 16
"""A text that is shorter and has no two spaces is a category, never a time."""
_LEAST_TIME = 1e8
"""A number below is never a time (``second_order/reading.py``), and so has no clock."""

_encode = msgspec.json.Encoder().encode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_many = msgspec.json.Decoder(list[Raw]).decode
_decode_objects = msgspec.json.Decoder(list[dict[str, Any]]).decode


class _LineParts(Struct):
    c: Raw


_decode_line = msgspec.json.Decoder(_LineParts).decode


class PreparationPlan(Struct, kw_only=True):
    """How the numbers of contexts, of actions and of slots are prepared."""

    contexts: ColumnPlan
    actions: ColumnPlan
    slots: ColumnPlan


class ContextParts(Struct, frozen=True):
    """The feature arrays in a context (``dsjson.context_json``): its own, and those of actions and slots."""

    context: bytes
    actions: tuple[bytes, ...]
    slots: tuple[bytes, ...]


def find_context(line: bytes, /) -> bytes:
    """Returns the context in a learnable line.

    Raises:
        EngineRefused: there is none.
    """
    try:
        return bytes(_decode_line(line).c)
    except (msgspec.DecodeError, RecursionError) as error:
        raise EngineRefused(f"The line can't be read: {error}.") from error


def split_context(context: bytes, /) -> ContextParts:
    """Returns the parts of a context.

    Raises:
        EngineRefused: it is not one.
    """
    try:
        members = _decode_members(context)
        return ContextParts(
            bytes(members["FromUrl"]),
            tuple(bytes(_decode_members(one)["j"]) for one in _decode_many(members["_multi"])),
            tuple(
                bytes(_decode_members(one).get("sj", b"[]"))
                for one in _decode_many(members.get("_slots", b"[]"))
            ),
        )
    except (msgspec.DecodeError, KeyError, RecursionError) as error:
        raise EngineRefused(f"The request can't be read: {error}.") from error


def read_numbers(features: bytes, /) -> RawFeatures:
    """Returns the numbers in a JSON array of feature objects, without tokens.

    Raises:
        EngineRefused: it is not one.
    """
    return RawFeatures(read_features(_decode(features)).numbers, ())


def make_plan(contexts: Sequence[ContextParts], /) -> PreparationPlan:
    """Plan the preparation from contexts; of actions each distinct array of features counts once.

    Raises:
        EngineRefused: one of them holds what is no feature.
    """
    actions = dict.fromkeys(blob for one in contexts for blob in one.actions)
    return PreparationPlan(
        contexts=_plan_numbers([one.context for one in contexts]),
        actions=_plan_numbers(list(actions), has_fine=False),  # an action's id says as much as steps would
        slots=_plan_numbers([blob for one in contexts for blob in one.slots]),
    )


def _plan_numbers(examples: Sequence[bytes], *, has_fine: bool = True) -> ColumnPlan:
    if not examples:
        return ColumnPlan()
    read = [read_numbers(blob) for blob in examples]
    plan = plan_columns(read, linear=NUMBERS, size=2 * _FINE if has_fine else 0)
    return plan if plan.size <= _FINE else plan_columns(read, linear=NUMBERS, size=0)


class ContextPreparer:
    """Prepares contexts by one plan. ``forget`` must be called when the plan gets further columns."""

    def __init__(self, plan: PreparationPlan | None) -> None:
        """Take a plan; None: no number is known yet."""
        self._plan = plan or PreparationPlan(contexts=ColumnPlan(), actions=ColumnPlan(), slots=ColumnPlan())
        self._actions: BoundedCache[Raw] = BoundedCache()

    def forget(self) -> None:
        """Forget the actions that were prepared."""
        self._actions.clear()

    def prepare_context(self, context: bytes, /) -> bytes:
        """Returns a context (``dsjson.context_json``) or a query about a slot, prepared.

        Raises:
            EngineRefused: it can't be read.
        """
        try:
            members = _decode_members(context)
            members["FromUrl"] = self._prepare(members["FromUrl"], self._plan.contexts)
            members["_multi"] = Raw(
                b"[%b]" % b",".join([self._prepare_action(one) for one in _decode_many(members["_multi"])])
            )
            if "_slots" in members:
                slots = [_decode_members(one) for one in _decode_many(members["_slots"])]
                for slot in slots:
                    if "sj" in slot:
                        slot["sj"] = self._prepare(slot["sj"], self._plan.slots)
                members["_slots"] = Raw(_encode(slots))
        except (msgspec.DecodeError, KeyError, RecursionError) as error:
            raise EngineRefused(f"The request can't be read: {error}.") from error
        return _encode(members)

    def prepare_line(self, line: bytes, /) -> bytes:
        """Returns a learnable line with its context prepared.

        Raises:
            EngineRefused: it can't be read.
        """
        context = find_context(line)
        return line.replace(b'"c":' + context, b'"c":' + self.prepare_context(context), 1)

    def _prepare_action(self, action: Raw) -> Raw:
        key = bytes(action)
        prepared = self._actions.get(key)
        if prepared is None:
            members = _decode_members(key)
            members["j"] = self._prepare(members["j"], self._plan.actions)
            prepared = self._actions.put(key, Raw(_encode(members)))
        return prepared

    def _prepare(self, features: bytes | Raw, plan: ColumnPlan) -> Raw:
        return Raw(_encode([_prepare_object(one, "", plan) for one in _decode(features)]))


def _decode(features: bytes | Raw) -> list[dict[str, Any]]:
    try:
        return _decode_objects(features)
    except (msgspec.DecodeError, RecursionError) as error:
        raise EngineRefused(f"The features can't be read: {error}.") from error


def _prepare_object(members: Mapping[str, Any], path: str, plan: ColumnPlan) -> dict[str, object]:
    prepared: dict[str, object] = {}
    for name, value in members.items():
        kind = type(value)
        if kind is str:
            if len(value) < _SHORT and value.count(" ") < 2 and not name.endswith("_text"):
                prepared[name] = value
            else:
                _write_text(name, value, path, plan, prepared)
        elif kind is dict:
            prepared[name] = _prepare_object(value, f"{path}{name}.", plan)
        elif kind is list:
            vector: dict[str, object] = {}
            _write_numbers(read_member(name, value, path).numbers, path, plan, vector)
            prepared[name] = vector
        elif kind is int or kind is float:
            if value < _LEAST_TIME:
                _write_number(name, float(value), plan.numbers.get(path + name), prepared)
            else:
                _write_numbers(read_member(name, value, path).numbers, path, plan, prepared)
        else:
            prepared[name] = value
    return prepared


def _write_text(name: str, text: str, path: str, plan: ColumnPlan, prepared: dict[str, object]) -> None:
    """A category as it is, a time as the numbers of its clock, a long text as its words."""
    if name == "_text":  # the engine itself makes words of it
        prepared[name] = text
        return
    read = read_member(name, text, path)
    _write_numbers(read.numbers, path, plan, prepared)
    for token in read.tokens:
        word = token[len(path) :]
        if word.startswith(f"{name}~"):
            prepared[word] = 1
        else:
            prepared[name] = text


def _write_numbers(
    numbers: Mapping[str, float], path: str, plan: ColumnPlan, prepared: dict[str, object]
) -> None:
    """A standardised value has the name of its number, each further column a name of its own."""
    for full, value in numbers.items():
        _write_number(full[len(path) :], value, plan.numbers.get(full), prepared)


def _write_number(name: str, value: float, one: NumberColumns | None, prepared: dict[str, object]) -> None:
    if one is None:
        return
    columns: dict[int, float] = {}
    write_number(one, value, columns)
    own = one.column
    for column, part in columns.items():
        prepared[name if column == own else f"{name}#{column}"] = part
