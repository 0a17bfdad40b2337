"""Settings have the names of the wire, types, ranges and help; a wrong one is refused with its name."""

from datetime import timedelta
from typing import get_args, get_type_hints

import msgspec
import pytest

from sartor.errors import InvalidSetting
from sartor.mixture import MixtureRules
from sartor.settings import (
    AZURE_ARGUMENTS,
    DEFAULT_ARGUMENTS,
    NEW_CONTROL_SHARE,
    NEW_EXPLORATION_FLOOR,
    NEW_LOOP_SETTINGS,
    VW_ARGUMENTS,
    WITHOUT_MIXTURE,
    Limits,
    LoopSettings,
    ServeSettings,
    with_changes,
)


def test_stored_settings_without_newer_ones_are_those_of_the_retired_service() -> None:
    assert msgspec.to_builtins(LoopSettings()) == {
        "rewardWaitTime": "PT600S",
        "defaultReward": 0.0,
        "rewardAggregation": "earliest",
        "explorationPercentage": 0.2,
        "modelExportFrequency": "PT300S",
        "modelAutoPublish": True,
        "modelRetrainDays": 2,
        "learningMode": "Online",
        "logRetentionDays": 90,
        "logMirrorEnabled": False,
        "logMirrorSasUri": None,
        "isInferenceExplainabilityEnabled": False,
        "isAutoOptimizationEnabled": False,
        "autoOptimizationFrequency": "P28D",
        "autoOptimizationStartDate": None,
        "stagedModelHistoryLength": 20,
        "allowUnsignedModels": False,
        "trustedModelSigners": "ame.personalizer.azure.com",
        "learnWhen": "reward",
        "controlShare": 0.0,
        "controlFeature": "",
        "explorationFloor": 0.0,
    }
    assert msgspec.json.decode(b"{}", type=LoopSettings) == LoopSettings()


def test_a_new_loop_has_a_control_group_and_a_floor_besides() -> None:
    assert with_changes(NEW_LOOP_SETTINGS, WITHOUT_MIXTURE) == LoopSettings()
    assert NEW_LOOP_SETTINGS.mixture_rules == MixtureRules(
        control_share=NEW_CONTROL_SHARE, floor=NEW_EXPLORATION_FLOOR
    )


@pytest.mark.parametrize(
    ("name", "value", "attribute", "stored"),
    [
        ("rewardWaitTime", "PT10S", "reward_wait_time", timedelta(seconds=10)),
        ("rewardWaitTime", "P30D", "reward_wait_time", timedelta(days=30)),
        ("modelExportFrequency", "PT1S", "model_export_frequency", timedelta(seconds=1)),
        ("defaultReward", "-1", "default_reward", -1.0),
        ("explorationPercentage", 1, "exploration_percentage", 1.0),
        ("rewardAggregation", "median", "reward_aggregation", "median"),
        ("modelAutoPublish", "false", "model_auto_publish", False),
        ("modelRetrainDays", "14", "model_retrain_days", 14),
        ("learnWhen", "window", "learn_when", "window"),
        ("controlShare", "0.05", "control_share", 0.05),
        ("controlFeature", "user.id", "control_feature", "user.id"),
        ("controlFeature", "", "control_feature", ""),
        ("explorationFloor", "0.5", "exploration_floor", 0.5),
    ],
)
def test_a_setting_changes_by_its_name_on_the_wire_from_a_value_or_its_text(
    name: str, value: object, attribute: str, stored: object
) -> None:
    new = with_changes(LoopSettings(), {name: value})
    assert getattr(new, attribute) == stored


def test_settings_that_are_not_named_stay() -> None:
    old = with_changes(LoopSettings(), {"defaultReward": 0.5})
    new = with_changes(old, {"learnWhen": "window"})
    assert (new.default_reward, new.learn_when) == (0.5, "window")
    assert old.learn_when == "reward"


def test_no_change_is_no_change() -> None:
    assert with_changes(LoopSettings(), {}) == LoopSettings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rewardWaitTime", "PT0.5S"),
        ("rewardWaitTime", "P31D"),
        ("rewardWaitTime", "-PT10S"),
        ("rewardWaitTime", "soon"),
        ("rewardWaitTime", "P99999999999999999999D"),
        ("modelExportFrequency", "PT0S"),
        ("modelExportFrequency", "P2D"),
        ("defaultReward", "1.5"),
        ("defaultReward", "nan"),
        ("defaultReward", float("inf")),
        ("explorationPercentage", -0.1),
        ("rewardAggregation", "Earliest"),
        ("modelAutoPublish", "yes"),
        ("modelRetrainDays", -1),
        ("modelRetrainDays", 2.5),
        ("learnWhen", None),
        ("controlShare", 0.51),
        ("controlShare", "nan"),
        ("controlFeature", "x" * 257),
        ("explorationFloor", -0.01),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_setting(name: str, value: object) -> None:
    with pytest.raises(InvalidSetting, match=name):
        with_changes(LoopSettings(), {name: value})


def test_an_unknown_setting_is_refused_with_the_list_of_the_known() -> None:
    with pytest.raises(InvalidSetting, match=r"no setting 'curiosity'.*defaultReward.*rewardWaitTime"):
        with_changes(LoopSettings(), {"curiosity": "1"})


def test_a_loop_setting_reads_back_from_what_is_stored() -> None:
    settings = with_changes(LoopSettings(), {"rewardWaitTime": "PT1.5S", "rewardAggregation": "sum"})
    assert msgspec.json.decode(msgspec.json.encode(settings), type=LoopSettings) == settings


@pytest.mark.parametrize("table", [LoopSettings, ServeSettings])
def test_every_setting_has_a_help_text(table: type[msgspec.Struct]) -> None:
    for name, annotation in get_type_hints(table, include_extras=True).items():
        helps = [meta.description for meta in get_args(annotation)[1:] if isinstance(meta, msgspec.Meta)]
        assert helps, name
        assert helps[0], name
        assert helps[0].endswith("."), name


def test_limits_are_above_zero_and_actions_are_those_of_the_wire() -> None:
    assert all(value > 0 for value in msgspec.to_builtins(Limits()).values())
    assert (Limits().actions, Limits().id_chars) == (50, 256)


@pytest.mark.parametrize("arguments", [DEFAULT_ARGUMENTS, VW_ARGUMENTS, AZURE_ARGUMENTS])
def test_the_learning_settings_fit_the_wire(arguments: str) -> None:
    assert arguments.startswith(("--sartor", "--cb_explore_adf "))
    assert len(arguments) <= 1024


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("autoOptimizationFrequency", "-P1D"),
        ("autoOptimizationFrequency", "P999999D"),
        ("autoOptimizationStartDate", "soon"),
        ("autoOptimizationStartDate", "9999-12-31T00:00:00"),
        ("autoOptimizationStartDate", "2026-06-30T23:59:60"),
    ],
)
def test_what_is_stored_for_clients_is_in_range_too(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        with_changes(LoopSettings(), {name: value})
    before = msgspec.structs.replace(LoopSettings(), auto_optimization_start_date="stored before")
    assert with_changes(before, {"logRetentionDays": 5}).auto_optimization_start_date == "stored before"
