"""Finds what is wrong with a body, and names the field. Slow and thorough: used after a body was refused.

Each function raises ``InvalidRequest`` at the first thing that does not fit the contract (section 1.9), and
returns when all fits.
"""

import json
import math
from typing import NoReturn

from sartor.api.dataplane.wire import LEVELS, MAGNITUDE
from sartor.errors import InvalidRequest
from sartor.numbers import REWARD_RANGE, is_reward

_SHOWN_CHARS = 64


def parse_json(body: bytes) -> object:
    """Parse a body to plain values; numbers too large for the machine become infinite."""
    try:
        return json.loads(body, parse_int=_parse_integer)
    except RecursionError:
        raise InvalidRequest("The body nests too deeply.") from None
    except ValueError:
        raise InvalidRequest("The body is not JSON.") from None


def check_rank(raw: object) -> None:
    """Check a rank request (contract, sections 1.2 and 1.9)."""
    request = _require_object(raw, "The body")
    _check_request(request)
    _check_excluded(request, "excludedActions")


def check_multislot_rank(raw: object) -> None:
    """Check a rank request for several slots (contract, sections 1.4 and 1.9)."""
    request = _require_object(raw, "The body")
    _check_request(request)
    for place, item in enumerate(_require_array(_require_member(request, "slots", "slots"), "slots")):
        path = f"slots[{place}]"
        slot = _require_object(item, path)
        for name in ("id", "baselineAction"):
            _require_text(_require_member(slot, name, f"{path}.{name}"), f"{path}.{name}")
        if slot.get("features") is not None:
            _check_features(slot["features"], f"{path}.features")
        _check_excluded(slot, f"{path}.excludedActions")


def check_slot_rewards(raw: object) -> None:
    """Check the rewards of some slots (contract, section 1.4)."""
    request = _require_object(raw, "The body")
    for place, item in enumerate(_require_array(_require_member(request, "reward", "reward"), "reward")):
        path = f"reward[{place}]"
        reward = _require_object(item, path)
        _require_text(_require_member(reward, "slotId", f"{path}.slotId"), f"{path}.slotId")
        _check_reward_value(_require_member(reward, "value", f"{path}.value"), f"{path}.value")


def check_reward(raw: object) -> None:
    """Check a reward (contract, section 1.3)."""
    _check_reward_value(_require_member(_require_object(raw, "The body"), "value", "value"), "value")


def _check_reward_value(value: object, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(path, f"must be a number, not {_name_type(value)}")
    if not is_reward(value):  # also an integer that no float can hold
        _refuse(path, f"must be a finite number {REWARD_RANGE}")


def _check_request(request: dict[str, object]) -> None:
    for place, action in enumerate(_require_array(_require_member(request, "actions", "actions"), "actions")):
        _check_action(action, f"actions[{place}]")
    if request.get("contextFeatures") is not None:
        _check_features(request["contextFeatures"], "contextFeatures")
    if request.get("eventId") is not None:
        _require_text(request["eventId"], "eventId")
    if not isinstance(request.get("deferActivation"), bool | None):
        _refuse("deferActivation", f"must be true or false, not {_name_type(request['deferActivation'])}")


def _check_action(raw: object, path: str) -> None:
    action = _require_object(raw, path)
    _require_text(_require_member(action, "id", f"{path}.id"), f"{path}.id")
    _check_features(_require_member(action, "features", f"{path}.features"), f"{path}.features")


def _check_excluded(holder: dict[str, object], path: str) -> None:
    if holder.get("excludedActions") is not None:
        for place, excluded in enumerate(_require_array(holder["excludedActions"], path)):
            _require_text(excluded, f"{path}[{place}]")


def _check_features(raw: object, path: str) -> None:
    for place, item in enumerate(_require_array(raw, path)):
        _check_object(_require_object(item, f"{path}[{place}]"), f"{path}[{place}]", LEVELS)


def _check_object(features: dict[str, object], path: str, levels: int) -> None:
    for name, value in features.items():
        if not name:
            _refuse(path, "has a feature with an empty name")
        _check_value(value, _join_path(path, name), levels)
        _refuse_nul(name, _join_path(path, name))


def _check_value(value: object, path: str, levels: int) -> None:
    if isinstance(value, dict):
        if levels == 1:
            _refuse(path, f"nests too deeply; at most {LEVELS} levels of objects are accepted")
        _check_object(value, path, levels - 1)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _check_item(item, f"{path}[{place}]")
    elif isinstance(value, str):
        _refuse_nul(value, path)
    elif isinstance(value, int | float):
        _check_number(value, path)


def _check_item(value: object, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(path, f"must be a number, not {_name_type(value)}: arrays inside features hold numbers only")
    _check_number(value, path)


def _check_number(value: float, path: str) -> None:
    if not -MAGNITUDE <= value <= MAGNITUDE:
        _refuse(path, f"must be a number between -{MAGNITUDE:.0e} and {MAGNITUDE:.0e}")


def _require_member(holder: dict[str, object], name: str, path: str) -> object:
    if name not in holder:
        _refuse(path, "is required")
    return holder[name]


def _require_object(value: object, path: str) -> dict[str, object]:
    if not isinstance(value, dict):
        _refuse(path, f"must be an object, not {_name_type(value)}")
    return value


def _require_array(value: object, path: str) -> list[object]:
    if not isinstance(value, list):
        _refuse(path, f"must be an array, not {_name_type(value)}")
    return value


def _require_text(value: object, path: str) -> None:
    if not isinstance(value, str):
        _refuse(path, f"must be a text, not {_name_type(value)}")
    _refuse_nul(value, path)


def _refuse_nul(text: str, path: str) -> None:
    if "\0" in text:
        _refuse(path, "holds a NUL character")


def _refuse(path: str, what: str) -> NoReturn:
    raise InvalidRequest(f"{path} {what}.")


def _name_type(value: object) -> str:
    kinds = {bool: "a boolean", dict: "an object", list: "an array", str: "a text", type(None): "null"}
    return kinds.get(type(value), "a number")


def _join_path(path: str, name: str) -> str:
    short = name if len(name) <= _SHOWN_CHARS else name[:_SHOWN_CHARS] + "..."
    # Escaped, because a name may hold what is not text: half of a surrogate pair.
    return f"{path}.{short}" if short.isidentifier() else f"{path}[{json.dumps(short)}]"


def _parse_integer(text: str) -> int | float:
    # Python refuses to read integers of thousands of digits; past 400 none fits a float anyway.
    return int(text) if len(text) < 400 else math.copysign(math.inf, -1 if text[0] == "-" else 1)
