"""Reads features as numbers and tokens: of a context, of an action, of a line of the log."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from sartor.errors import EngineRefused

_WORD = re.compile(r"\w+")
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)
_MAX_WORDS, _MAX_TOKEN = 64, 512
_TIME_NAMES = ("time", "timestamp", "date", "datetime", "ts")
_SECONDS = (1e8, 4e9)

LARGEST_NUMBER = 1e30
"""Numbers are kept within ± this, so that no sum of their squares overflows."""

_LEAST_NUMBER = 1e-30
"""Numbers of less than this magnitude are 0, so that no scale of them overflows."""

PERIODS = {
    **dict.fromkeys(("hour", "hourofday"), 24.0),
    **dict.fromkeys(("weekday", "dayofweek"), 7.0),
    **dict.fromkeys(("month", "monthofyear"), 12.0),
    **dict.fromkeys(("minute", "minuteofhour"), 60.0),
}
"""Names of numbers that come round again, without ``_`` and in lower case, and their periods."""


class RawFeatures(Struct, frozen=True, array_like=True):
    """The features of one context or action: numbers by name, and tokens for all that is no number.

    Names are paths (``user.age``); a token is ``name=value`` for a category, ``name~word`` for a word.
    """

    numbers: dict[str, float]
    tokens: tuple[str, ...]


class _Identity(Struct):
    id: str = ""


class _ActionJson(Struct):
    i: _Identity
    j: msgspec.Raw


class _SlotJson(Struct, rename={"offered": "_inc", "features": "sj"}):
    offered: list[int] = []
    features: list[dict[str, Any]] = []


class ContextJson(Struct, rename={"context": "FromUrl", "actions": "_multi", "slots": "_slots"}):
    """What the engine reads of a request (``dsjson.context_json``): features, actions, and slots."""

    context: list[dict[str, Any]]
    actions: list[_ActionJson]
    slots: list[_SlotJson] = []


class RankJson(Struct, rename={"context": "FromUrl", "actions": "_multi"}):
    """A request of one slot, whose actions are known by their text: it is the same in many requests."""

    context: list[dict[str, Any]]
    actions: list[msgspec.Raw]


class SlotOutcomeJson(Struct, rename={"cost": "_label_cost", "order": "_a"}):
    """The outcome of one slot: its cost, and the actions in the order of the answer, counted from 0."""

    order: list[int]
    cost: float | None = None


class LineJson(Struct, rename={"cost": "_label_cost", "place": "_labelIndex", "outcomes": "_outcomes"}):
    """A learnable line of the log: of one slot (cost and place), or of several (outcomes)."""

    c: ContextJson
    cost: float | None = None
    place: int = -1
    outcomes: list[SlotOutcomeJson] = field(default_factory=list)


_T = TypeVar("_T")
_CONTEXTS = msgspec.json.Decoder(ContextJson)
_RANKS = msgspec.json.Decoder(RankJson)
_ACTIONS = msgspec.json.Decoder(_ActionJson)
_LINES = msgspec.json.Decoder(LineJson)
_OBJECTS = msgspec.json.Decoder(list[dict[str, Any]])


def _decode(decoder: msgspec.json.Decoder[_T], text: bytes | msgspec.Raw, what: str) -> _T:
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise EngineRefused(f"{what} can't be read: {error}.") from error


def read_context(context: bytes, actions: int, /) -> ContextJson:
    """Decode a request.

    Raises:
        EngineRefused: it is not one, or holds another number of actions.
    """
    read = _decode(_CONTEXTS, context, "The request")
    _check_count(len(read.actions), actions)
    return read


def read_rank(context: bytes, actions: int, /) -> RankJson:
    """Decode a request of one slot; its actions are left as they are.

    Raises:
        EngineRefused: it is not one, or holds another number of actions.
    """
    read = _decode(_RANKS, context, "The request")
    _check_count(len(read.actions), actions)
    return read


def _check_count(found: int, actions: int) -> None:
    if found != actions:
        raise EngineRefused(f"The request holds {found} actions, not {actions}.")


def read_action(text: bytes, /) -> tuple[str, bytes]:
    """Returns the id and the features of an action (JSON array of feature objects).

    Raises:
        EngineRefused: it is not one.
    """
    action = _decode(_ACTIONS, text, "An action")
    return action.i.id, bytes(action.j)


def read_line(line: bytes, /) -> LineJson:
    """Decode a learnable line.

    Raises:
        EngineRefused: it is not one.
    """
    return _decode(_LINES, line, "The line")


def read_action_features(features: msgspec.Raw | bytes, /) -> RawFeatures:
    """Returns the features of an action.

    Raises:
        EngineRefused: they are not features.
    """
    objects = _decode(_OBJECTS, features, "The features of an action")
    return read_features(objects)


def read_features(objects: Iterable[Mapping[str, Any]], /) -> RawFeatures:
    """Returns the features of a context or an action.

    Args:
        objects: its feature objects, decoded.

    Raises:
        EngineRefused: they hold what is no feature.
    """
    numbers: dict[str, float] = {}
    tokens: list[str] = []
    _read_objects(objects, "", numbers, tokens)
    return RawFeatures(numbers, tuple(tokens))


def read_slot_features(context: RawFeatures, slot: _SlotJson, number: int, /) -> RawFeatures:
    """Returns the features of a context together with those of one of its slots, which counts from 0.

    Raises:
        EngineRefused: they hold what is no feature.
    """
    numbers, tokens = dict(context.numbers), [*context.tokens, f"slot#{number}"]
    _read_objects(slot.features, "slot#.", numbers, tokens)
    return RawFeatures(numbers, tuple(tokens))


def _read_objects(
    objects: Iterable[Mapping[str, Any]], path: str, numbers: dict[str, float], tokens: list[str]
) -> None:
    try:
        for one in objects:
            _read_object(one, path, numbers, tokens)
    # An array within an array, a whole number beyond all floats, a thousand objects within one another.
    except (TypeError, OverflowError, RecursionError) as error:
        raise EngineRefused(f"The features can't be read: {error}.") from error


def read_member(name: str, value: object, path: str, /) -> RawFeatures:
    """Returns the features of one member of a feature object.

    Args:
        name: of the member.
        value: its value, decoded.
        path: to the object, with a point at its end; empty for the outermost.

    Raises:
        EngineRefused: they are not features.
    """
    numbers: dict[str, float] = {}
    tokens: list[str] = []
    _read_objects(({name: value},), path, numbers, tokens)
    return RawFeatures(numbers, tuple(tokens))


def _read_object(members: Mapping[str, Any], path: str, numbers: dict[str, float], tokens: list[str]) -> None:
    for name, value in members.items():
        kind = type(value)
        if kind is str:
            _read_text(path + name, value, numbers, tokens)
        elif kind is int or kind is float:
            _read_number(path + name, name, _bound_number(float(value)), numbers)
        elif kind is bool:
            if value:  # false is no feature, as in the retired service
                tokens.append(f"{path}{name}=true")
        elif kind is dict:
            _read_object(value, f"{path}{name}.", numbers, tokens)
        elif kind is list:
            _read_array(value, path + name, numbers, tokens)


def _read_array(values: list[Any], path: str, numbers: dict[str, float], tokens: list[str]) -> None:
    for place, value in enumerate(values):
        if isinstance(value, dict):
            _read_object(value, f"{path}.", numbers, tokens)
        elif isinstance(value, str):
            tokens.append(_shorten(f"{path}={value}"))
        elif value is not None:
            numbers[f"{path}[{place}]"] = _bound_number(float(value))


def _bound_number(value: float) -> float:
    if -_LEAST_NUMBER < value < _LEAST_NUMBER:
        return 0.0
    return max(-LARGEST_NUMBER, min(value, LARGEST_NUMBER))


def _read_number(path: str, name: str, value: float, numbers: dict[str, float]) -> None:
    numbers[path] = value
    # The clock and the calendar of a time that is sent as seconds or milliseconds since 1970.
    if value > _SECONDS[0] and name.lower().replace("_", "").endswith(_TIME_NAMES):
        seconds = value if value < _SECONDS[1] else value / 1000
        if _SECONDS[0] < seconds < _SECONDS[1]:
            _add_clock(path, datetime.fromtimestamp(seconds, UTC), numbers)


def _shorten(token: str) -> str:
    """Returns a token that is not longer than ``_MAX_TOKEN``: tokens are kept in models."""
    if len(token) <= _MAX_TOKEN:
        return token
    digest = blake2b(token.encode(errors="surrogatepass"), digest_size=8).hexdigest()
    return f"{token[:_MAX_TOKEN]}#{digest}"


def _read_text(path: str, text: str, numbers: dict[str, float], tokens: list[str]) -> None:
    if path.endswith("_text") or text.count(" ") >= 2:
        words = dict.fromkeys(_WORD.findall(text.lower())[:_MAX_WORDS])
        tokens += [_shorten(f"{path}~{word}") for word in words]
        return
    if len(text) >= 16 and _ISO_TIME.fullmatch(text):
        try:
            _add_clock(path, datetime.fromisoformat(text), numbers)
        except ValueError:
            tokens.append(_shorten(f"{path}={text}"))
        return
    tokens.append(_shorten(f"{path}={text}"))


def _add_clock(path: str, at: datetime, numbers: dict[str, float]) -> None:
    numbers[f"{path}#.hour"] = at.hour + at.minute / 60
    numbers[f"{path}#.weekday"] = float(at.weekday())


def find_period(name: str, /) -> float | None:
    """Returns the period of a number that comes round again, by the last part of its name; None: it doesn't."""
    return PERIODS.get(name.rpartition(".")[2].lower().replace("_", ""))
