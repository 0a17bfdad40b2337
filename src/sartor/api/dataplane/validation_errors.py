"""What is wrong with a body, in words that name the field. Slow and thorough: used after a body was refused.

Each function raises ``InvalidRequest`` at the first thing that does not fit the contract (section 1.9), and
returns when all fits.
"""

import json
import math
import sys
from typing import NoReturn

from sartor.api.dataplane.wire import LEVELS, MAGNITUDE
from sartor.errors import InvalidRequest

_SHOWN_CHARS = 64


def read(body: bytes) -> object:
    """The body as plain values; numbers too large for the machine become infinite."""
    try:
        return json.loads(body, parse_int=_integer)
    except RecursionError:
        raise InvalidRequest("The body nests too deeply.") from None
    except ValueError:
        raise InvalidRequest("The body is not JSON.") from None


def check_rank(raw: object) -> None:
    """Check a rank request (contract, sections 1.2 and 1.9)."""
    request = _object(raw, "The body")
    _about_request(request)
    _about_excluded(request, "excludedActions")


def check_multislot_rank(raw: object) -> None:
    """Check a rank request for several slots (contract, sections 1.4 and 1.9)."""
    request = _object(raw, "The body")
    _about_request(request)
    for place, item in enumerate(_array(_required(request, "slots", "slots"), "slots")):
        path = f"slots[{place}]"
        slot = _object(item, path)
        for name in ("id", "baselineAction"):
            _text(_required(slot, name, f"{path}.{name}"), f"{path}.{name}")
        if slot.get("features") is not None:
            _about_features(slot["features"], f"{path}.features")
        _about_excluded(slot, f"{path}.excludedActions")


def check_slot_rewards(raw: object) -> None:
    """Check the rewards of some slots (contract, section 1.4)."""
    request = _object(raw, "The body")
    for place, item in enumerate(_array(_required(request, "reward", "reward"), "reward")):
        path = f"reward[{place}]"
        reward = _object(item, path)
        _text(_required(reward, "slotId", f"{path}.slotId"), f"{path}.slotId")
        _about_reward_value(_required(reward, "value", f"{path}.value"), f"{path}.value")


def check_reward(raw: object) -> None:
    """Check a reward (contract, section 1.3)."""
    _about_reward_value(_required(_object(raw, "The body"), "value", "value"), "value")


def _about_reward_value(value: object, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _complain(path, f"must be a number, not {_kind(value)}")
    if not -sys.float_info.max <= value <= sys.float_info.max:  # also an integer that no float can hold
        _complain(path, "must be a finite number")


def _about_request(request: dict[str, object]) -> None:
    for place, action in enumerate(_array(_required(request, "actions", "actions"), "actions")):
        _about_action(action, f"actions[{place}]")
    if request.get("contextFeatures") is not None:
        _about_features(request["contextFeatures"], "contextFeatures")
    if request.get("eventId") is not None:
        _text(request["eventId"], "eventId")
    if not isinstance(request.get("deferActivation"), bool | None):
        _complain("deferActivation", f"must be true or false, not {_kind(request['deferActivation'])}")


def _about_action(raw: object, path: str) -> None:
    action = _object(raw, path)
    _text(_required(action, "id", f"{path}.id"), f"{path}.id")
    _about_features(_required(action, "features", f"{path}.features"), f"{path}.features")


def _about_excluded(holder: dict[str, object], path: str) -> None:
    if holder.get("excludedActions") is not None:
        for place, excluded in enumerate(_array(holder["excludedActions"], path)):
            _text(excluded, f"{path}[{place}]")


def _about_features(raw: object, path: str) -> None:
    for place, item in enumerate(_array(raw, path)):
        _about_object(_object(item, f"{path}[{place}]"), f"{path}[{place}]", LEVELS)


def _about_object(features: dict[str, object], path: str, levels: int) -> None:
    for name, value in features.items():
        if not name:
            _complain(path, "has a feature with an empty name")
        _about_value(value, _member(path, name), levels)
        _no_nul(name, _member(path, name))


def _about_value(value: object, path: str, levels: int) -> None:
    if isinstance(value, dict):
        if levels == 1:
            _complain(path, f"nests too deeply; at most {LEVELS} levels of objects are accepted")
        _about_object(value, path, levels - 1)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _about_item(item, f"{path}[{place}]")
    elif isinstance(value, str):
        _no_nul(value, path)
    elif isinstance(value, int | float):
        _about_number(value, path)


def _about_item(value: object, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _complain(path, f"must be a number, not {_kind(value)}: arrays inside features hold numbers only")
    _about_number(value, path)


def _about_number(value: float, path: str) -> None:
    if not -MAGNITUDE <= value <= MAGNITUDE:
        _complain(path, f"must be a number between -{MAGNITUDE:.0e} and {MAGNITUDE:.0e}")


def _required(holder: dict[str, object], name: str, path: str) -> object:
    if name not in holder:
        _complain(path, "is required")
    return holder[name]


def _object(value: object, path: str) -> dict[str, object]:
    if not isinstance(value, dict):
        _complain(path, f"must be an object, not {_kind(value)}")
    return value


def _array(value: object, path: str) -> list[object]:
    if not isinstance(value, list):
        _complain(path, f"must be an array, not {_kind(value)}")
    return value


def _text(value: object, path: str) -> None:
    if not isinstance(value, str):
        _complain(path, f"must be a text, not {_kind(value)}")
    _no_nul(value, path)


def _no_nul(text: str, path: str) -> None:
    if "\0" in text:
        _complain(path, "holds a NUL character")


def _complain(path: str, what: str) -> NoReturn:
    raise InvalidRequest(f"{path} {what}.")


def _kind(value: object) -> str:
    kinds = {bool: "a boolean", dict: "an object", list: "an array", str: "a text", type(None): "null"}
    return kinds.get(type(value), "a number")


def _member(path: str, name: str) -> str:
    shown = name if len(name) <= _SHOWN_CHARS else name[:_SHOWN_CHARS] + "..."
    # Escaped, because a name may hold what is not text: half of a surrogate pair.
    return f"{path}.{shown}" if shown.isidentifier() else f"{path}[{json.dumps(shown)}]"


def _integer(text: str) -> int | float:
    # Python refuses to read integers of thousands of digits; past 400 none fits a float anyway.
    return int(text) if len(text) < 400 else math.copysign(math.inf, -1 if text[0] == "-" else 1)
