"""Policies and configurations as they are saved."""

import json
from pathlib import Path

import pytest

from sartor.errors import InvalidRequest, LocationUnavailable
from sartor.settings import LoopSettings, with_changes
from sartor.transfer import azure_exports

# What the retired service answered, of its last version.
AZURE = {
    "rewardWaitTime": "PT10M",
    "defaultReward": 0.0,
    "rewardAggregation": "earliest",
    "explorationPercentage": 0.20000000298023224,
    "modelExportFrequency": "PT1M",
    "logMirrorEnabled": True,
    "logMirrorSasUri": "https://a.example/c?sig=x",
    "logRetentionDays": 90,
    "lastConfigurationEditDate": "2022-09-01T00:20:47",
    "learningMode": "Apprentice",
    "isAutoOptimizationEnabled": False,
    "autoOptimizationFrequency": "P28D",
    "autoOptimizationStartDate": "0001-01-01T00:00:00",
    "modelRetrainDays": 2,
    "latestApprenticeModeMetrics": {"numberOfEvents": 1},
}


def test_a_configuration_is_taken() -> None:
    found = azure_exports.read_configuration(json.dumps(AZURE).encode())
    settings = with_changes(LoopSettings(), found.changes)
    assert (settings.learning_mode, settings.log_retention_days) == ("Apprentice", 90)
    assert settings.model_export_frequency.total_seconds() == 60
    assert not settings.log_mirror_enabled
    assert set(found.left_out) == {
        "lastConfigurationEditDate",
        "latestApprenticeModeMetrics",
        "logMirrorEnabled",
        "logMirrorSasUri",
    }


def test_what_is_unknown_or_has_no_value_is_left_out() -> None:
    found = azure_exports.read_configuration(
        b'\xef\xbb\xbf{"invented":1,"learningMode":null,"defaultReward":0.5}'
    )
    assert found.changes == {"defaultReward": 0.5}
    assert found.left_out == {"invented": "there is no such setting here", "learningMode": "it has no value"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:10:00", 600), ("1.02:03:04", 93_784), ("00:00:05.5000000", 5), ("PT2H", 7_200)]
)
def test_durations_of_every_age(text: str, seconds: int) -> None:
    found = azure_exports.read_configuration(json.dumps({"rewardWaitTime": text}).encode())
    assert with_changes(LoopSettings(), found.changes).reward_wait_time.total_seconds() == seconds


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b'{"a":'])
def test_what_is_no_configuration(raw: bytes) -> None:
    with pytest.raises(InvalidRequest, match="A configuration is"):
        azure_exports.read_configuration(raw)


def test_a_policy_is_taken() -> None:
    raw = b'\xef\xbb\xbf{"name":"mine","arguments":"--cb_explore_adf -q ::","more":1}'
    assert azure_exports.read_policy(raw) == azure_exports.ExportedPolicy("mine", "--cb_explore_adf -q ::")


@pytest.mark.parametrize("raw", [b"", b'{"name":"n"}', b'{"arguments":"a"}', b'{"name":"","arguments":"a"}'])
def test_what_is_no_policy(raw: bytes) -> None:
    with pytest.raises(InvalidRequest, match="A policy is"):
        azure_exports.read_policy(raw)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"bytes")
    assert azure_exports.read_content(str(tmp_path / "model")) == b"bytes"
    with pytest.raises(LocationUnavailable):
        azure_exports.read_content(str(tmp_path / "none"))


def test_several_files_are_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").write_bytes(b"")
    with pytest.raises(InvalidRequest, match="must be one file"):
        azure_exports.read_content(str(tmp_path))
