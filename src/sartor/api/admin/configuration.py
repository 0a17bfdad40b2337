"""Reading and changing the service configuration of a loop (contract, section 1.5)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sartor.api.admin import configuration_rules, mirror_rules
from sartor.api.admin.configuration_wire import (
    ApprenticeMetrics,
    BatchMetrics,
    FirstServiceConfiguration,
    PreviewServiceConfiguration,
    ServiceConfiguration,
    StagedServiceConfiguration,
)
from sartor.api.http import durations, json_body
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Route
from sartor.api.routing.versions import PREVIEW_1, PREVIEW_2, PREVIEW_3, V1_0, V2022_09, Version
from sartor.management import loops
from sartor.masking import mask_url
from sartor.metrics.apprentice import read_checkpoint
from sartor.ports import Loop

_TAG = "Configuration"
_INVALID = "InvalidServiceConfiguration"
_START_AFTER = timedelta(days=15)

_SERVED: tuple[tuple[type[FirstServiceConfiguration], tuple[Version, ...]], ...] = (
    (FirstServiceConfiguration, (V1_0,)),
    (PreviewServiceConfiguration, (PREVIEW_1, PREVIEW_2)),
    (StagedServiceConfiguration, (PREVIEW_3,)),
    (ServiceConfiguration, (V2022_09,)),
)
_KIND = {version: kind for kind, versions in _SERVED for version in versions}
_READ_ONLY = frozenset({"lastConfigurationEditDate", "latestApprenticeModeMetrics"})


def get_configuration(call: Call) -> Response:
    """Read the configuration as it is now."""
    return _respond(call, call.context.find_loop(call.loop))


def put_configuration(call: Call) -> Response:
    """Change what the body names, and respond with the whole configuration."""
    contract = json_body.decode_json(_KIND[call.version], call.body, invalid=_INVALID)
    changes = {name: value for name, value in msgspec.to_builtins(contract).items() if name not in _READ_ONLY}
    configuration_rules.check(call.context.find_loop(call.loop), changes)
    with call.context.acquire_loop(call.loop) as loop:
        wanted, by_operator = mirror_rules.check_target(
            loop, changes, context=call.context, version=call.version
        )
        changed = loops.change_settings(call.context.stores, loop.name, wanted, by_operator=by_operator)
    return _respond(call, changed)


def _respond(call: Call, loop: Loop) -> Response:
    kind = _KIND[call.version]
    computed: dict[str, Callable[[], object]] = {
        "last_configuration_edit_date": lambda: durations.format_time_us(
            loop.edited_at_us or loop.created_at_us
        ),
        "auto_optimization_start_date": lambda: _format_optimization_start(loop),
        "latest_apprentice_mode_metrics": lambda: _read_apprentice_metrics(call, loop),
        "log_mirror_sas_uri": lambda: _mask_target(loop),
    }
    values: dict[str, Any] = {}
    for name in kind.__struct_fields__:
        value = computed[name]() if name in computed else getattr(loop.settings, name)
        values[name] = durations.format_duration(value) if isinstance(value, timedelta) else value
    return json_body.json_response(200, kind(**values))


def _read_apprentice_metrics(call: Call, loop: Loop) -> ApprenticeMetrics | None:
    with call.context.open_loop(loop) as logs:
        metrics = read_checkpoint(logs.blobs)
    if metrics is None:
        return None
    total, recent = metrics.total, metrics.recent
    return ApprenticeMetrics(
        number_of_events=total.events,
        number_of_imitated_events=total.imitated,
        sum_of_rewards=total.rewards,
        sum_of_imitated_rewards=total.imitated_rewards,
        start_time=durations.format_time_us(metrics.start_us),
        last_processed_event_time=durations.format_time_us(metrics.last_us),
        last_batch_metrics=BatchMetrics(
            number_of_events=recent.events,
            number_of_imitated_events=recent.imitated,
            sum_of_rewards=recent.rewards,
            sum_of_imitated_rewards=recent.imitated_rewards,
        ),
    )


def _mask_target(loop: Loop) -> str | None:
    target = loop.settings.log_mirror_sas_uri
    return None if target is None else mask_url(target)


def _format_optimization_start(loop: Loop) -> str:
    if not loop.settings.is_auto_optimization_enabled:
        return durations.NEVER
    if loop.settings.auto_optimization_start_date is not None:
        # What was stored before times had a range may be outside it; it counts as none.
        with suppress(ValueError):
            return durations.format_time(durations.parse_time(loop.settings.auto_optimization_start_date))
    created = datetime.fromtimestamp(loop.created_at_us // 1_000_000, UTC)
    return durations.format_time(created + _START_AFTER)


_EXAMPLE: dict[str, object] = {
    "rewardWaitTime": "PT10M",
    "defaultReward": 0.0,
    "rewardAggregation": "earliest",
    "explorationPercentage": 0.2,
    "modelExportFrequency": "PT5M",
    "logRetentionDays": 90,
    "logMirrorEnabled": False,
    "lastConfigurationEditDate": "2024-05-17T09:30:00",
    "learningMode": "Online",
    "isAutoOptimizationEnabled": False,
    "autoOptimizationFrequency": "P28D",
    "autoOptimizationStartDate": "0001-01-01T00:00:00",
    "isInferenceExplainabilityEnabled": False,
    "modelAutoPublish": True,
    "stagedModelHistoryLength": 10,
    "modelRetrainDays": 2,
}


def _build_routes(kind: type[FirstServiceConfiguration], versions: tuple[Version, ...]) -> tuple[Route, Route]:
    example = {name: value for name, value in _EXAMPLE.items() if name in kind.__struct_encode_fields__}
    read = Route(
        name="GetServiceConfiguration",
        method="GET",
        path="/configurations/service",
        versions=versions,
        handler=get_configuration,
        permission="change",
        tag=_TAG,
        summary="How the loop learns, decides and logs.",
        status=200,
        success="The configuration as it is now.",
        invalid=_INVALID,
        response=kind,
        response_example=example,
    )
    change = Route(
        name="UpdateServiceConfiguration",
        method="PUT",
        path="/configurations/service",
        versions=versions,
        handler=put_configuration,
        permission="change",
        tag=_TAG,
        summary="Change how the loop learns, decides and logs.",
        description="Optional members that are absent or null keep their values. All processes follow within a "
        "second. A change of learningMode between Online and Apprentice goes alone: defaultReward, "
        "rewardWaitTime and rewardAggregation stay the same in it.",
        status=200,
        success="The configuration as it is then.",
        invalid=_INVALID,
        request=kind,
        response=kind,
        codes=configuration_rules.CODES[kind is ServiceConfiguration],
        request_example={name: value for name, value in example.items() if name not in _READ_ONLY},
        response_example=example,
    )
    return read, change


ROUTES = tuple(route for kind, versions in _SERVED for route in _build_routes(kind, versions))
