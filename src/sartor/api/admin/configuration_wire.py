"""The bodies of the service configuration, version by version (contract, section 1.5).

One struct serves both ways. In a request, a member that is absent or null keeps its stored value; in an answer,
members without a value are left out.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from sartor.api.http.durations import Duration
from sartor.settings import LearningMode

Aggregation: TypeAlias = Literal["earliest", "sum", "average", "median", "min", "max"]
Moment: TypeAlias = Annotated[str, Meta(extra_json_schema={"examples": ["2024-05-17T09:30:00"]})]


class FirstServiceConfiguration(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How the loop learns and logs."""

    reward_wait_time: Annotated[
        Duration, Meta(description="How long after its rank a reward still counts: 1 second to 30 days.")
    ]
    default_reward: Annotated[
        float,
        Meta(
            description="The reward of a decision for which none arrived.",
            extra_json_schema={"minimum": -1, "maximum": 1},
        ),
    ]
    reward_aggregation: Annotated[
        Aggregation, Meta(description="How several rewards of one decision become one.")
    ]
    exploration_percentage: Annotated[
        float,
        Meta(
            description="The number after --epsilon in the learning settings, a fraction: one number, and "
            "whichever of the two is set last counts.",
            extra_json_schema={"minimum": 0, "maximum": 1},
        ),
    ]
    model_export_frequency: Annotated[
        Duration, Meta(description="How soon a newly trained model serves: 1 second to 1 day.")
    ]
    log_retention_days: Annotated[
        int,
        Meta(
            description="Days that the log is kept: at least the reward wait time and a day; -1: no limit.",
            extra_json_schema={"minimum": -1, "maximum": 2_147_483_647},
        ),
    ]
    log_mirror_enabled: Annotated[
        bool | None, Meta(description="Whether the joined log is copied to a target.")
    ] = None
    log_mirror_sas_uri: Annotated[
        str | None,
        Meta(
            description="The target: a container's SAS URI that allows writing, by https at a public "
            "address, or what else the service allows. It is shown with its signature masked; put back like "
            "that, it stays as it is."
        ),
    ] = None


class PreviewServiceConfiguration(FirstServiceConfiguration, frozen=True, kw_only=True, omit_defaults=True):
    """How the loop learns, decides and logs."""

    last_configuration_edit_date: Annotated[
        Moment | None,
        Meta(description="Read-only: when something that matters to training was changed last; UTC, no zone."),
    ] = None
    learning_mode: Annotated[
        LearningMode | None,
        Meta(
            description="Online answers with the model's choice; Apprentice with the caller's own order, and "
            "learns to imitate it; LoggingOnly with the caller's order, and learns nothing."
        ),
    ] = None
    is_auto_optimization_enabled: Annotated[
        bool | None, Meta(description="Kept for clients that set it; nothing optimises by itself yet.")
    ] = None
    auto_optimization_frequency: Annotated[
        Duration | None, Meta(description="Kept with isAutoOptimizationEnabled; whole days.")
    ] = None
    auto_optimization_start_date: Annotated[
        Moment | None, Meta(description="Kept with isAutoOptimizationEnabled; UTC, no zone.")
    ] = None
    is_inference_explainability_enabled: Annotated[
        bool | None, Meta(description="Whether ranks answer which features mattered; slower.")
    ] = None


class StagedServiceConfiguration(PreviewServiceConfiguration, frozen=True, kw_only=True, omit_defaults=True):
    """How the loop learns, decides, publishes and logs."""

    model_auto_publish: Annotated[
        bool | None, Meta(description="Whether new models go live by themselves.")
    ] = None
    staged_model_history_length: Annotated[
        Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": 20})] | None,
        Meta(description="How many models are kept besides the live one."),
    ] = None


class BatchMetrics(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of some decisions: how many, how many of them imitated the baseline, and their rewards."""

    number_of_events: int
    number_of_imitated_events: int
    sum_of_rewards: float
    sum_of_imitated_rewards: float


class ApprenticeMetrics(BatchMetrics, frozen=True, kw_only=True, rename="camel"):
    """What came of the decisions of this Apprentice mode, and of the last thousand of them."""

    start_time: Moment
    last_processed_event_time: Moment
    last_batch_metrics: BatchMetrics


class ServiceConfiguration(StagedServiceConfiguration, frozen=True, kw_only=True, omit_defaults=True):
    """How the loop learns, decides, publishes, retrains and logs."""

    model_retrain_days: Annotated[
        int,
        Meta(
            description="Days of log learned again after the settings changed; 0 to logRetentionDays.",
            extra_json_schema={"minimum": 0, "maximum": 36_500},
        ),
    ]
    latest_apprentice_mode_metrics: Annotated[
        ApprenticeMetrics | None, Meta(description="Read-only: how well the model imitates the baseline.")
    ] = None
