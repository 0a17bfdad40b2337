"""Settings: one table for a loop, one for a process; names, types, defaults, ranges and help in one place.

The CLI, the environment names, the admin API and ``docs/reference/settings.md`` are generated from these
tables. A loop's settings are live: running processes follow within a second. Those of a process are read once.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from sartor.errors import InvalidSetting
from sartor.mixture import MixtureRules
from sartor.times import parse_time

Aggregation = Literal["earliest", "sum", "average", "median", "min", "max"]
LearnWhen = Literal["reward", "window"]
LearningMode = Literal["Online", "Apprentice", "LoggingOnly"]
Durability = Literal["commit", "fsync"]
Lock = Literal["none", "delete", "change"]
LogFormat = Literal["text", "json"]
ForwardedHeader = Literal["either", "x-forwarded-for", "forwarded"]
Tier = Literal["F0", "S0", "E0"]

LARGEST_QUOTA = 1_000_000_000_000
"""The largest quota, in ranks per month."""

DEFAULT_ARGUMENTS = "--sartor"
"""The learning settings of a new loop; chosen in ``docs/design/default-policy.md``."""

VW_ARGUMENTS = "--cb_explore_adf --squarecb --cb_type mtr -q ::"
"""The best settings for Vowpal Wabbit as it comes; new loops had them before there was another engine."""

AZURE_ARGUMENTS = "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::"
"""What the retired service started with (contract, section 2.11)."""


WAITING_JOBS = 20
"""How many evaluations and feature importances of one loop may wait by default."""

NEW_CONTROL_SHARE, NEW_EXPLORATION_FLOOR = 0.04, 0.03
"""Control group and floor of a new loop; chosen in ``docs/design/control-group.md``."""


class LoopSettings(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The settings of one loop, under the names of the wire (contract, section 1.5)."""

    reward_wait_time: Annotated[
        timedelta,
        Meta(description="How long after its rank a reward still counts (1 s to 30 days)."),
    ] = timedelta(minutes=10)
    default_reward: Annotated[
        float, Meta(ge=-1, le=1, description="The reward of a decision for which none arrived.")
    ] = 0.0
    reward_aggregation: Annotated[
        Aggregation, Meta(description="How several rewards of one decision become one.")
    ] = "earliest"
    exploration_percentage: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="The number after --epsilon in the learning settings: one number, and whichever of the "
            "two is set last counts.",
        ),
    ] = 0.2
    model_export_frequency: Annotated[
        timedelta,
        Meta(description="How soon a newly trained model serves (1 s to 1 day)."),
    ] = timedelta(minutes=5)
    model_auto_publish: Annotated[
        bool,
        Meta(description="Whether new models go live by themselves; promote and rollback turn it off."),
    ] = True
    model_retrain_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36500,
            description="Days of the log that are relearned after the learning settings changed.",
        ),
    ] = 2
    learning_mode: Annotated[
        LearningMode,
        Meta(
            description="'Online': answer with the model's choice and learn. 'Apprentice': answer with the "
            "caller's own order and learn to imitate it. 'LoggingOnly': answer with the caller's order, log, "
            "learn nothing."
        ),
    ] = "Online"
    log_retention_days: Annotated[
        int,
        Meta(
            ge=-1, le=2_147_483_647, description="Days after which entries of the log are deleted; -1: never."
        ),
    ] = 90
    log_mirror_enabled: Annotated[bool, Meta(description="Whether the joined log is copied to a target.")] = (
        False
    )
    log_mirror_sas_uri: Annotated[
        str | None,
        Meta(
            description="The target: a container's SAS URI; from 'sartor loop set' also a local folder or any "
            "other fsspec URL."
        ),
    ] = None
    is_inference_explainability_enabled: Annotated[
        bool, Meta(description="Whether the answers of previews explain which features mattered.")
    ] = False
    is_auto_optimization_enabled: Annotated[
        bool, Meta(description="Stored for clients that set it; there is no automatic optimization yet.")
    ] = False
    auto_optimization_frequency: Annotated[
        timedelta, Meta(description="Stored with isAutoOptimizationEnabled; whole days.")
    ] = timedelta(days=28)
    auto_optimization_start_date: Annotated[
        str | None, Meta(description="Stored with isAutoOptimizationEnabled; an ISO 8601 time.")
    ] = None
    staged_model_history_length: Annotated[
        int, Meta(ge=1, le=20, description="How many models are kept besides the live one.")
    ] = 20
    allow_unsigned_models: Annotated[
        bool,
        Meta(description="Whether models without a trusted signature may be imported."),
    ] = False
    trusted_model_signers: Annotated[
        str,
        Meta(
            max_length=4096,
            description="Whose models may be imported besides our own, with commas between: SHA-256 "
            "fingerprints of certificates, or common names, which anyone can give to a certificate.",
        ),
    ] = "ame.personalizer.azure.com"
    learn_when: Annotated[
        LearnWhen,
        Meta(
            description="'reward' learns as soon as a reward decides the outcome; 'window' waits for the "
            "reward wait time to pass, as Azure did."
        ),
    ] = "reward"
    control_share: Annotated[
        float,
        Meta(
            ge=0,
            le=0.5,
            description="The share of the decisions in Online that the baseline answers, so that the log tells "
            f"what the loop is worth. A new loop begins with {NEW_CONTROL_SHARE}.",
        ),
    ] = 0.0
    control_feature: Annotated[
        str,
        Meta(
            max_length=256,
            description="A context feature, such as user.id: whoever has the same value is always in the "
            "control group, or never. Without one, or where an event lacks it, each event is drawn.",
        ),
    ] = ""
    exploration_floor: Annotated[
        float,
        Meta(
            ge=0,
            le=0.5,
            description="The probability in Online of all actions that can be ranked, at least, in equal "
            "parts: of K actions, each has this / K or more. A new loop begins with "
            f"{NEW_EXPLORATION_FLOOR}.",
        ),
    ] = 0.0

    @property
    def mixture_rules(self) -> MixtureRules:
        """What is mixed into the engine's probabilities."""
        return MixtureRules(
            control_share=self.control_share,
            control_feature=self.control_feature,
            floor=self.exploration_floor,
        )


NEW_LOOP_SETTINGS = LoopSettings(control_share=NEW_CONTROL_SHARE, exploration_floor=NEW_EXPLORATION_FLOOR)
"""The settings of a new loop. Those that are stored without control group and floor have neither."""

WITHOUT_MIXTURE: Mapping[str, object] = {"controlShare": 0.0, "explorationFloor": 0.0}
"""What the retired service's settings stand for: it had neither control group nor floor."""


class LoopTerms(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The terms of use of a loop: quotas, networks, locks. Nothing here affects what it learns."""

    tier: Annotated[Tier, Meta(description="The tier, which sets the default quotas; only F0 has any.")] = "S0"
    tags: Annotated[
        dict[str, str], Meta(description="Names and values for your own use; the service does not read them.")
    ] = {}
    lock: Annotated[
        Lock,
        Meta(
            description="'delete': it can't be deleted. 'change': it can't be changed or deleted. Ranks, "
            "rewards and learning continue."
        ),
    ] = "none"
    allowed_networks: Annotated[
        tuple[str, ...],
        Meta(description="Networks from which it may be called, in CIDR notation; empty: all."),
    ] = ()
    ranks_per_second: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)] | None,
        Meta(description="Replaces the tier's quota; 0: no limit."),
    ] = None
    ranks_per_month: Annotated[
        Annotated[int, Meta(ge=0, le=LARGEST_QUOTA)] | None,
        Meta(description="Replaces the tier's quota, by calendar months (UTC); 0: no limit."),
    ] = None

    @property
    def quota_per_second(self) -> int:
        """The ranks per second that it may have; 0: no limit."""
        return _TIERS[self.tier][0] if self.ranks_per_second is None else self.ranks_per_second

    @property
    def quota_per_month(self) -> int:
        """The ranks per month that it may have; 0: no limit."""
        return _TIERS[self.tier][1] if self.ranks_per_month is None else self.ranks_per_month


_TIERS: Mapping[Tier, tuple[int, int]] = {"F0": (20, 50_000), "S0": (0, 0), "E0": (0, 0)}
"""Ranks per second and per month. The retired service's free tier had 50 000 a month (contract, section 6)."""


class Limits(Struct, frozen=True, kw_only=True):
    """Limits of one request, and of one process.

    Attributes:
        body_bytes: how large a body may be where its route does not say otherwise, and beyond which size bodies
            are kept in a file while they arrive.
        arriving_bytes_per_loop: of the bodies of one loop that are kept in memory while they arrive or wait.
        arriving_bytes: of those of all loops.
        spooled_bytes_per_loop: of the bodies of one loop that are kept in files: twelve of the largest models.
        spooled_bytes: of those of all loops.
        leaving_bytes_per_loop: of the large responses of one loop that their callers have not read.
        leaving_bytes: of those of all loops.
    """

    body_bytes: int = 1_048_576
    arriving_bytes_per_loop: int = 33_554_432
    arriving_bytes: int = 268_435_456
    spooled_bytes_per_loop: int = 1_610_612_736
    spooled_bytes: int = 4_294_967_296
    leaving_bytes_per_loop: int = 268_435_456
    leaving_bytes: int = 536_870_912
    actions: int = 50
    id_chars: int = 256
    features: int = 5_000
    feature_pairs: int = 10_000_000
    magnitude: float = 1e15
    buffered_events: int = 20_000
    body_timeout_s: float = 10.0
    waiting_jobs: int = WAITING_JOBS


class ServeSettings(Struct, frozen=True, kw_only=True):
    """How one instance runs. Each field is a flag of ``sartor serve``, and ``SARTOR_<NAME>``."""

    data: Annotated[str, Meta(description="The data folder, or its sqlite:/// URL.")] = "sartor-data"
    host: Annotated[str, Meta(description="The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="The port to listen on.")] = 5000
    api_processes: Annotated[int, Meta(ge=1, le=64, description="How many processes answer requests.")] = 1
    durability: Annotated[
        Durability,
        Meta(
            description="'commit': an acknowledged event survives the end of every process; "
            "'fsync': a power cut too, at a price in speed."
        ),
    ] = "commit"
    compute: Annotated[
        str,
        Meta(
            description="Where evaluations compute: 'local' uses the cores of this machine at low priority; "
            "'dask://HOST:PORT' the workers of a Dask cluster."
        ),
    ] = "local"
    waiting_jobs: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="How many evaluations and feature importances of one loop may wait; more are answered "
            "429 with Retry-After.",
        ),
    ] = WAITING_JOBS
    tls_cert: Annotated[
        str | None,
        Meta(description="A certificate (PEM, with its chain), to serve HTTPS; read again when it changes."),
    ] = None
    tls_key: Annotated[str | None, Meta(description="The key of the certificate (PEM).")] = None
    tokens: Annotated[
        str | None,
        Meta(description="A JSON file with the trusted issuers of bearer tokens and the roles they give."),
    ] = None
    trusted_proxies: Annotated[
        str | None,
        Meta(description="Networks of proxies (CIDR, commas between) that say for which client they call."),
    ] = None
    forwarded_header: Annotated[
        ForwardedHeader,
        Meta(
            description="In which header the trusted proxies name the client; 'either': in X-Forwarded-For "
            "where a request has it, else in Forwarded (RFC 7239)."
        ),
    ] = "either"
    allowed_destinations: Annotated[
        str,
        Meta(
            description="Where callers of the HTTP API may have a log mirrored, with commas between: "
            "'public-sas' (SAS URIs over https at public addresses), or a scheme and a host, such as "
            "https://*.blob.core.windows.net, http://127.0.0.1:10000 or s3://BUCKET; empty: nowhere. "
            "'sartor loop set' takes any place."
        ),
    ] = "public-sas"
    diagnostics: Annotated[
        bool,
        Meta(description="Write a JSON line for each request to standard error: ids and hashes, no features."),
    ] = False
    log_format: Annotated[LogFormat, Meta(description="The format of log lines on standard error.")] = "text"


_RANGES_S = {
    "rewardWaitTime": (1, 30 * 86_400),
    "modelExportFrequency": (1, 86_400),
    "autoOptimizationFrequency": (86_400, 36_500 * 86_400),
}


def with_changes(settings: LoopSettings, /, changes: Mapping[str, object]) -> LoopSettings:
    """Returns the settings with some of them replaced; names as on the wire, text values are converted.

    Raises:
        InvalidSetting: an unknown name, or a value of another type or outside its range.
    """
    current: dict[str, object] = msgspec.to_builtins(settings)
    unknown = sorted(set(changes) - set(current))
    if unknown:
        known = ", ".join(sorted(current))
        raise InvalidSetting(f"There is no setting {unknown[0]!r}. Settings: {known}.")
    try:
        new = msgspec.convert(current | dict(changes), LoopSettings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSetting(f"Not a valid setting: {error}.") from error
    _check_durations(new, changes)
    if "autoOptimizationStartDate" in changes:
        _check_start(new)
    return new


def _check_durations(settings: LoopSettings, changes: Mapping[str, object]) -> None:
    fields = {
        "rewardWaitTime": settings.reward_wait_time,
        "modelExportFrequency": settings.model_export_frequency,
        "autoOptimizationFrequency": settings.auto_optimization_frequency,
    }
    for name, value in fields.items():
        low, high = _RANGES_S[name]
        if name in changes and not low <= value.total_seconds() <= high:
            raise InvalidSetting(
                f"{name} must be between {low} and {high} seconds (ISO 8601, for example PT10S)."
            )


def _check_start(settings: LoopSettings) -> None:
    try:
        parse_time(settings.auto_optimization_start_date or "0001-01-01")
    except ValueError as error:
        raise InvalidSetting(f"autoOptimizationStartDate: {error}.") from error
