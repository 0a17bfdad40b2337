"""Which changes of a configuration are accepted, and the code of each refusal (contract, section 1.5)."""

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from sartor.api.http import durations
from sartor.api.http.error_responses import RequestRefused
from sartor.ports import Loop

_INVALID = "InvalidServiceConfiguration"
_ALWAYS = (
    _INVALID,
    "InvalidRewardWaitTime",
    "InvalidLogRetentionDays",
    "InvalidLearningModeServiceConfiguration",
    "ProblemTypeIncompatibleWithAutoOptimization",
)
CODES = {
    False: (*_ALWAYS, "InvalidContainer"),
    True: (*_ALWAYS, "InvalidSasUri", "InvalidModelRetrainDays"),
}
"""The codes of refusals, by whether the version is 2022-09-01."""

_DAY = timedelta(days=1)
_MOST_DAYS = 2_147_483_647
_MOST_RETRAIN_DAYS = 36_500

Changes = Mapping[str, object]


def check(loop: Loop, changes: Changes, /) -> None:
    """Check that these changes, under their names on the wire, may be made to the loop; see ``mirror_rules``.

    Raises:
        RequestRefused: the first rule that does not hold, with its code.
    """
    _check_duration(
        changes, "rewardWaitTime", "InvalidRewardWaitTime", timedelta(seconds=1), timedelta(days=30)
    )
    _check_duration(changes, "modelExportFrequency", _INVALID, timedelta(seconds=1), _DAY)
    _check_number(changes, "defaultReward", -1, 1)
    _check_number(changes, "explorationPercentage", 0, 1)
    _check_number(changes, "stagedModelHistoryLength", 1, 20)
    _check_retention(changes)
    _check_retraining(changes)
    _check_optimization(loop, changes)
    _check_mode(loop, changes)


def _check_duration(
    changes: Changes, name: str, code: str, low: timedelta, high: timedelta
) -> timedelta | None:
    text = changes.get(name)
    if text is None:
        return None
    try:
        value = durations.parse_duration(str(text))
    except ValueError as error:
        raise RequestRefused(code, f"{name}: {error}.") from None
    if not low <= value <= high:
        between = f"between {durations.format_duration(low)} and {durations.format_duration(high)}"
        raise RequestRefused(code, f"{name} must be {between}, not {durations.format_duration(value)}.")
    return value


def _check_number(changes: Changes, name: str, low: float, high: float) -> None:
    value = changes.get(name)
    if isinstance(value, int | float) and not low <= value <= high:
        raise RequestRefused(_INVALID, f"{name} must be between {low} and {high}, not {_show_number(value)}.")


def _show_number(value: float) -> str:
    # An integer of a body may have more digits than a float holds.
    text = str(value)
    return text if len(text) <= 24 else f"{text[:24]}…"


def _check_retention(changes: Changes) -> None:
    days = cast("int", changes["logRetentionDays"])
    wait = durations.parse_duration(str(changes["rewardWaitTime"]))
    least = math.ceil((wait + _DAY) / _DAY)
    if days != -1 and not least <= days <= _MOST_DAYS:
        raise RequestRefused(
            "InvalidLogRetentionDays",
            f"logRetentionDays must be -1, or between {least} (the reward wait time and a day, rounded up) and "
            f"{_MOST_DAYS}, not {days}.",
        )


def _check_retraining(changes: Changes) -> None:
    days = changes.get("modelRetrainDays")
    kept = cast("int", changes["logRetentionDays"])
    most = _MOST_RETRAIN_DAYS if kept == -1 else min(kept, _MOST_RETRAIN_DAYS)
    if isinstance(days, int) and not 0 <= days <= most:
        raise RequestRefused(
            "InvalidModelRetrainDays",
            f"modelRetrainDays must be between 0 and {most} (logRetentionDays), not {days}.",
        )


def _check_optimization(loop: Loop, changes: Changes) -> None:
    every = _check_duration(changes, "autoOptimizationFrequency", _INVALID, _DAY, timedelta(days=36_500))
    if every is not None and every % _DAY:
        raise RequestRefused(
            _INVALID, "autoOptimizationFrequency must be a number of whole days, for example P28D."
        )
    start = changes.get("autoOptimizationStartDate")
    if start is not None:
        try:
            durations.parse_time(str(start))
        except ValueError as error:
            raise RequestRefused(_INVALID, f"autoOptimizationStartDate: {error}.") from None
    if changes.get("isAutoOptimizationEnabled") and loop.has_several_slots:
        raise RequestRefused(
            "ProblemTypeIncompatibleWithAutoOptimization",
            "isAutoOptimizationEnabled can't be turned on for a loop with several slots.",
        )


def _check_mode(loop: Loop, changes: Changes) -> None:
    before, after = loop.settings.learning_mode, changes.get("learningMode")
    if {before, after} != {"Online", "Apprentice"}:
        return
    now: dict[str, object] = {
        "rewardWaitTime": loop.settings.reward_wait_time,
        "defaultReward": loop.settings.default_reward,
        "rewardAggregation": loop.settings.reward_aggregation,
    }
    after_change = {**changes, "rewardWaitTime": durations.parse_duration(str(changes["rewardWaitTime"]))}
    moved = [name for name, value in now.items() if after_change[name] != value]
    if moved:
        raise RequestRefused(
            "InvalidLearningModeServiceConfiguration",
            f"learningMode can't change from {before} to {after} together with {', '.join(moved)}: "
            "change one, then the other.",
        )
