"""The service configuration, version by version (contract, section 1.5)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from sartor.api.routing import versions
from sartor.api.routing.versions import PREVIEW_1, PREVIEW_2, PREVIEW_3, V1_0, V2022_09, Version
from sartor.management import loops
from sartor.metrics.apprentice import APPRENTICE_MATCH, ApprenticeMatchFold
from sartor.records import LoggedDecision
from sartor.settings import LoopSettings
from sartor.testing.builders import make_decision, make_outcome
from tests.wire.harness import Reply, Service
from tests.wire.test_versions import EACH, at

FIRST: dict[str, Any] = {
    "rewardWaitTime": "PT10M",
    "defaultReward": 0.0,
    "rewardAggregation": "earliest",
    "explorationPercentage": 0.2,
    "modelExportFrequency": "PT5M",
    "logRetentionDays": 90,
    "logMirrorEnabled": False,
}
PREVIEW = FIRST | {
    "lastConfigurationEditDate": "0001-01-01T00:00:00",
    "learningMode": "Online",
    "isAutoOptimizationEnabled": False,
    "autoOptimizationFrequency": "P28D",
    "autoOptimizationStartDate": "0001-01-01T00:00:00",
    "isInferenceExplainabilityEnabled": False,
}
STAGED = PREVIEW | {
    "modelAutoPublish": True,
    "stagedModelHistoryLength": LoopSettings().staged_model_history_length,
}
LAST = STAGED | {"modelRetrainDays": 2}
WHOLE = {V1_0: FIRST, PREVIEW_1: PREVIEW, PREVIEW_2: PREVIEW, PREVIEW_3: STAGED, V2022_09: LAST}

SAS = (
    "https://account.blob.core.windows.net/logs?sp=racwl&st=2024-01-01T00:00:00Z&se=2030-01-01T00:00:00Z&sig=x"
)


def configuration(service: Service, version: Version) -> Reply:
    return service.call("GET", at(version, "/configurations/service"))


def change(service: Service, version: Version, body: object) -> Reply:
    return service.call("PUT", at(version, "/configurations/service"), body)


def required(version: Version, **members: object) -> dict[str, Any]:
    """The smallest body, with some members besides."""
    names = ["rewardWaitTime", "defaultReward", "rewardAggregation", "explorationPercentage"]
    names += ["modelExportFrequency", "logRetentionDays"]
    least = {name: FIRST[name] for name in names}
    return least | ({"modelRetrainDays": 2} if version is V2022_09 else {}) | members


@EACH
def test_a_new_loop_has_the_defaults_under_the_names_of_the_version(service: Service, version: Version) -> None:
    reply = configuration(service, version)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.json() == WHOLE[version]


@EACH
def test_what_is_put_is_answered_and_stays(service: Service, version: Version) -> None:
    requested = required(
        version,
        rewardWaitTime="PT4H",
        defaultReward=-0.5,
        rewardAggregation="sum",
        explorationPercentage=0.35,
        modelExportFrequency="PT1M30S",
        logRetentionDays=-1,
    )
    reply = change(service, version, requested)
    assert reply.status == 200
    assert {name: reply.json()[name] for name in requested} == requested
    assert configuration(service, version).body == reply.body
    settings = service.follow().settings
    assert settings.reward_wait_time == timedelta(hours=4)
    assert settings.default_reward == -0.5
    assert settings.reward_aggregation == "sum"
    assert settings.exploration_percentage == 0.35
    assert settings.model_export_frequency == timedelta(seconds=90)
    assert settings.log_retention_days == -1


@pytest.mark.parametrize("version", versions.ALL_VERSIONS[1:], ids=lambda version: version.name)
def test_optional_members_of_previews_are_stored(service: Service, version: Version) -> None:
    requested = required(
        version,
        learningMode="Apprentice",
        isAutoOptimizationEnabled=True,
        autoOptimizationFrequency="P7D",
        autoOptimizationStartDate="2022-09-01T02:20:47+02:00",
        isInferenceExplainabilityEnabled=True,
        logMirrorEnabled=True,
        logMirrorSasUri=SAS,
    )
    reply = change(service, version, requested)
    assert reply.status == 200, reply
    listed = requested | {
        "autoOptimizationStartDate": "2022-09-01T00:20:47",
        "logMirrorSasUri": SAS.replace("sig=x", "sig=***"),
    }
    assert {name: reply.json()[name] for name in listed} == listed
    assert configuration(service, version).body == reply.body


@EACH
def test_what_is_left_out_or_null_keeps_its_value(service: Service, version: Version) -> None:
    loops.change_settings(
        service.stores, service.loop.name, {"logMirrorSasUri": SAS, "learningMode": "LoggingOnly"}
    )
    nulls = {name: None for name in LAST if name not in required(V2022_09)}
    for body in (required(version), required(version, **nulls, logMirrorSasUri=None)):
        assert change(service, version, body).status == 200
        assert service.follow().settings.log_mirror_sas_uri == SAS
        assert service.loop.settings.learning_mode == "LoggingOnly"


def test_members_of_later_versions_are_unknown_to_earlier_ones(service: Service) -> None:
    body = required(V1_0, learningMode="Apprentice", modelRetrainDays=7, isAutoOptimizationEnabled=True)
    assert change(service, V1_0, body).json() == FIRST
    assert service.follow().settings == LoopSettings()


def test_what_only_the_service_writes_is_ignored_in_a_request(service: Service) -> None:
    body = configuration(service, V2022_09).json() | {"lastConfigurationEditDate": "2030-01-01T00:00:00"}
    assert change(service, V2022_09, body).json()["lastConfigurationEditDate"] != "2030-01-01T00:00:00"


@EACH
@pytest.mark.parametrize("name", list(required(V2022_09)))
def test_required_members_are_required(service: Service, version: Version, name: str) -> None:
    body = required(version)
    if name not in body:
        return
    for bad in ({k: v for k, v in body.items() if k != name}, body | {name: None}):
        reply = change(service, version, bad)
        assert (reply.status, reply.code) == (400, "InvalidServiceConfiguration")
        assert name in reply.message
    assert service.follow().version == 1


BAD: list[tuple[str, object, str]] = [
    ("rewardWaitTime", "PT0S", "InvalidRewardWaitTime"),
    ("rewardWaitTime", "P30DT1S", "InvalidRewardWaitTime"),
    ("rewardWaitTime", "-PT10M", "InvalidRewardWaitTime"),
    ("rewardWaitTime", "10 minutes", "InvalidRewardWaitTime"),
    ("rewardWaitTime", "P1M", "InvalidRewardWaitTime"),
    ("rewardWaitTime", 600, "InvalidServiceConfiguration"),
    ("defaultReward", 1.01, "InvalidServiceConfiguration"),
    ("defaultReward", -1.01, "InvalidServiceConfiguration"),
    ("defaultReward", "0", "InvalidServiceConfiguration"),
    ("rewardAggregation", "latest", "InvalidServiceConfiguration"),
    ("explorationPercentage", 1.01, "InvalidServiceConfiguration"),
    ("explorationPercentage", -0.01, "InvalidServiceConfiguration"),
    ("modelExportFrequency", "PT0.5S", "InvalidServiceConfiguration"),
    ("modelExportFrequency", "P1DT1S", "InvalidServiceConfiguration"),
    ("logRetentionDays", 1, "InvalidLogRetentionDays"),
    ("logRetentionDays", 0, "InvalidLogRetentionDays"),
    ("logRetentionDays", -2, "InvalidLogRetentionDays"),
    ("logRetentionDays", 2_147_483_648, "InvalidLogRetentionDays"),
    ("logRetentionDays", 7.5, "InvalidServiceConfiguration"),
]


@EACH
@pytest.mark.parametrize(("name", "value", "code"), BAD, ids=lambda value: str(value))
def test_values_outside_their_range(
    service: Service, version: Version, name: str, value: object, code: str
) -> None:
    reply = change(service, version, required(version) | {name: value})
    assert (reply.status, reply.code) == (400, code)
    assert reply.headers["x-ms-error-code"] == code
    assert name in reply.message
    assert service.follow().version == 1


BAD_OPTIONS: list[tuple[str, object, str]] = [
    ("learningMode", "online", "InvalidServiceConfiguration"),
    ("isAutoOptimizationEnabled", "true", "InvalidServiceConfiguration"),
    ("autoOptimizationFrequency", "PT36H", "InvalidServiceConfiguration"),
    ("autoOptimizationFrequency", "P0D", "InvalidServiceConfiguration"),
    ("autoOptimizationStartDate", "next week", "InvalidServiceConfiguration"),
    ("isInferenceExplainabilityEnabled", 1, "InvalidServiceConfiguration"),
    ("stagedModelHistoryLength", 0, "InvalidServiceConfiguration"),
    ("stagedModelHistoryLength", 21, "InvalidServiceConfiguration"),
    ("modelRetrainDays", -1, "InvalidModelRetrainDays"),
    ("modelRetrainDays", 91, "InvalidModelRetrainDays"),
    ("logMirrorEnabled", True, "InvalidSasUri"),
    ("logMirrorSasUri", SAS.replace("sig=x", ""), "InvalidSasUri"),
    ("logMirrorSasUri", SAS.replace("sp=racwl", "sp=rl"), "InvalidSasUri"),
    ("logMirrorSasUri", SAS.replace("se=2030-01-01T00:00:00Z", "se=2030-01-01"), "InvalidSasUri"),
    ("logMirrorSasUri", "/var/log", "InvalidSasUri"),
    ("logMirrorSasUri", "file:///var/log", "InvalidSasUri"),
    ("logMirrorSasUri", "https://[", "InvalidSasUri"),
]


@pytest.mark.parametrize(("name", "value", "code"), BAD_OPTIONS, ids=lambda value: str(value)[:40])
def test_options_outside_their_range(service: Service, name: str, value: object, code: str) -> None:
    reply = change(service, V2022_09, required(V2022_09) | {name: value})
    assert (reply.status, reply.code) == (400, code), reply
    assert name.removesuffix("Enabled").removesuffix("SasUri") in reply.message
    assert service.follow().version == 1


@pytest.mark.parametrize("version", versions.PATHS, ids=lambda version: version.name)
def test_a_bad_mirror_is_an_invalid_container_in_earlier_versions(service: Service, version: Version) -> None:
    reply = change(service, version, required(version, logMirrorEnabled=True))
    assert (reply.status, reply.code) == (400, "InvalidContainer")


def test_a_mirror_that_an_operator_chose_stays_good(service: Service) -> None:
    loops.change_settings(
        service.stores, service.loop.name, {"logMirrorSasUri": "/var/mirror", "logMirrorEnabled": True}
    )
    body = configuration(service, V2022_09).json()
    assert change(service, V2022_09, body | {"defaultReward": 0.5}).json()["logMirrorSasUri"] == "/var/mirror"


@pytest.mark.parametrize(
    ("wait", "least"), [("PT10M", 2), ("P1D", 2), ("P1DT1S", 3), ("P2D", 3)], ids=lambda value: str(value)
)
def test_the_log_is_kept_for_the_reward_wait_time_and_a_day(service: Service, wait: str, least: int) -> None:
    body = required(V1_0, rewardWaitTime=wait)
    assert change(service, V1_0, body | {"logRetentionDays": least - 1}).code == "InvalidLogRetentionDays"
    assert change(service, V1_0, body | {"logRetentionDays": least}).status == 200
    assert change(service, V1_0, body | {"logRetentionDays": -1}).status == 200


def test_retraining_reaches_no_further_than_the_log(service: Service) -> None:
    body = required(V2022_09, logRetentionDays=10)
    assert change(service, V2022_09, body | {"modelRetrainDays": 11}).code == "InvalidModelRetrainDays"
    assert change(service, V2022_09, body | {"modelRetrainDays": 10}).status == 200
    assert change(service, V2022_09, body | {"modelRetrainDays": 11, "logRetentionDays": -1}).status == 200


@pytest.mark.parametrize("version", versions.PREVIEWS, ids=lambda version: version.name)
@pytest.mark.parametrize(
    "moved", [{"defaultReward": 0.5}, {"rewardWaitTime": "PT4H"}, {"rewardAggregation": "sum"}], ids=str
)
@pytest.mark.parametrize(("before", "after"), [("Online", "Apprentice"), ("Apprentice", "Online")])
def test_a_change_of_mode_goes_alone(
    service: Service, version: Version, moved: Mapping[str, object], before: str, after: str
) -> None:
    loops.change_settings(service.stores, service.loop.name, {"learningMode": before})
    reply = change(service, version, required(version, learningMode=after) | dict(moved))
    assert (reply.status, reply.code) == (400, "InvalidLearningModeServiceConfiguration")
    assert next(iter(moved)) in reply.message
    assert change(service, version, required(version, learningMode=before) | dict(moved)).status == 200
    assert change(service, version, required(version, learningMode=after) | dict(moved)).status == 200


def test_a_change_of_mode_may_come_with_another_spelling_of_the_same(service: Service) -> None:
    body = required(V2022_09, learningMode="Apprentice", rewardWaitTime="PT600S", explorationPercentage=0.5)
    assert change(service, V2022_09, body).json()["learningMode"] == "Apprentice"


def test_logging_only_is_no_such_change(service: Service) -> None:
    body = required(V2022_09, learningMode="LoggingOnly", defaultReward=0.5)
    assert change(service, V2022_09, body).status == 200


def test_several_slots_and_auto_optimization_exclude_each_other() -> None:
    service = Service(arguments="--ccb_explore_adf --epsilon 0.2 --cb_type mtr -q ::")
    reply = change(service, V2022_09, required(V2022_09, isAutoOptimizationEnabled=True))
    assert (reply.status, reply.code) == (403, "ProblemTypeIncompatibleWithAutoOptimization")
    service.close()


@EACH
@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b"\xff", b"null"])
def test_bodies_that_are_no_configuration(service: Service, version: Version, body: bytes) -> None:
    reply = change(service, version, body)
    assert (reply.status, reply.code) == (400, "InvalidServiceConfiguration")


def test_auto_optimization_begins_fifteen_days_after_the_loop(service: Service) -> None:
    loop = loops.create_loop(service.stores, "optimised")
    loops.change_settings(service.stores, loop.name, {"isAutoOptimizationEnabled": True})
    service.stores.catalog.delete("default")
    loop = service.follow()
    started = str(configuration(service, V2022_09).json()["autoOptimizationStartDate"])
    created = loop.created_at_us // 1_000_000

    assert (datetime.fromisoformat(started).replace(tzinfo=UTC).timestamp() - created) == 15 * 86_400


def test_the_metrics_of_apprentice_mode_are_shown_in_the_last_version_only(service: Service) -> None:
    assert "latestApprenticeModeMetrics" not in configuration(service, V2022_09).json()
    fold = ApprenticeMatchFold()
    apprentice = replace(make_decision(chosen=0), mode="Apprentice")
    for number, chosen in enumerate((0, 0, 1), 1):
        logged = LoggedDecision(number, number * 1_000_000, replace(apprentice, chosen=chosen))
        fold.add(number, make_outcome(number, reward=0.5), logged)
    service.stores.open(service.loop).blobs.put(APPRENTICE_MATCH.name, fold.state())
    sums = {
        "numberOfEvents": 3,
        "numberOfImitatedEvents": 2,
        "sumOfRewards": 1.5,
        "sumOfImitatedRewards": 1.0,
    }
    assert configuration(service, V2022_09).json()["latestApprenticeModeMetrics"] == sums | {
        "startTime": "1970-01-01T00:00:01",
        "lastProcessedEventTime": "1970-01-01T00:00:03",
        "lastBatchMetrics": sums,
    }
    assert "latestApprenticeModeMetrics" not in configuration(service, PREVIEW_3).json()


def test_what_was_read_may_be_put_back(service: Service) -> None:
    for version in versions.ALL_VERSIONS:
        read = configuration(service, version)
        assert change(service, version, read.json()).body == read.body
