"""Evaluations in the versions with paths: bodies in and out (contract, section 1.7)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sartor.api.admin.evaluation_requests import Name, Time
from sartor.api.admin.evaluation_windows import half_interval
from sartor.api.admin.policy import PolicyContract
from sartor.api.http import durations
from sartor.api.http.durations import Duration
from sartor.evaluation.spec import EvaluationResult, EvaluationSpec, EvaluationWindow, PolicyResult, public_id
from sartor.records import Job, JobState

_STATUS: dict[JobState, "Status"] = {
    "pending": "notSubmitted",
    "running": "pending",
    "succeeded": "completed",
    "failed": "failed",
    "canceled": "failed",
}

Status = Literal[
    "completed",
    "pending",
    "failed",
    "notSubmitted",
    "timeout",
    "optimalPolicyApplied",
    "onlinePolicyRetained",
]


class EvaluationContract(Struct, frozen=True, rename="camel"):
    """Asks what policies would have earned in a stretch of time."""

    name: Annotated[Name, Meta(description="What people call it.")]
    start_time: Annotated[Time, Meta(description="Decisions from here on.")]
    end_time: Annotated[Time, Meta(description="Decisions before this.")]
    policies: Annotated[
        list[PolicyContract],
        Meta(
            description="Policies to compare besides those that are always shown; 10 at most.",
            extra_json_schema={"maxItems": 10},
        ),
    ]
    enable_offline_experimentation: Annotated[
        bool, Meta(description="Whether to search for a better policy.")
    ] = False


class PolicyResultSummary(Struct, frozen=True, rename="camel"):
    """The score of a policy in one window. ``averageReward`` is not in v1.0."""

    time_stamp: Time
    ips_estimator_numerator: float
    ips_estimator_denominator: float
    snips_estimator_denominator: float
    aggregate_time_window: Duration
    non_zero_probability: Annotated[
        float,
        Meta(description="The number of decisions in which the policy might have chosen what was chosen."),
    ]
    sum_of_squares: float
    confidence_interval: Annotated[float, Meta(description="Half the width of the 95 % Gaussian interval.")]
    average_reward: Annotated[
        float | UnsetType, Meta(description="The first number divided by the second.")
    ] = UNSET


class WirePolicyResult(Struct, frozen=True, rename="camel"):
    """The scores of one policy."""

    name: str
    arguments: str
    total_summary: PolicyResultSummary
    policy_source: str | UnsetType = UNSET
    summary: list[PolicyResultSummary] | UnsetType = UNSET


class Evaluation(Struct, frozen=True, rename="camel"):
    """An evaluation and how far it is; ``policyResults`` are there when it is completed."""

    id: str
    name: str
    start_time: Time
    end_time: Time
    job_id: str
    status: Status
    policy_results: list[WirePolicyResult] = []
    feature_importance: Annotated[
        list[list[str]], Meta(description="Groups of features, the most important group first.")
    ] = []
    description: Annotated[str | UnsetType, Meta(description="Why it failed; beyond the contract.")] = UNSET
    evaluation_type: str | UnsetType = UNSET
    optimal_policy: str | UnsetType = UNSET
    creation_time: Time | UnsetType = UNSET


def to_wire(
    job: Job, spec: EvaluationSpec, result: EvaluationResult | None, /, *, previews: bool, whole: bool
) -> Evaluation:
    """Convert an evaluation to the wire of these versions.

    Args:
        job: the job.
        spec: of the job.
        result: of the job; None if there is none yet.
        previews: with what the previews added to v1.0.
        whole: with the windows, which are long.
    """
    optimal = None if result is None else result.optimal_policy
    return Evaluation(
        id=public_id(job.job_id),
        name=spec.name,
        start_time=durations.format_zoned_us(spec.start_us),
        end_time=durations.format_zoned_us(spec.end_us),
        job_id=job.job_id,
        status=_STATUS[job.state],
        policy_results=[] if result is None else list(_to_policies(result, previews=previews, whole=whole)),
        feature_importance=[] if result is None else [list(group) for group in result.importance],
        description=job.description or UNSET,
        evaluation_type=spec.evaluation_type if previews else UNSET,
        optimal_policy=optimal if previews and optimal is not None else UNSET,
        creation_time=durations.format_zoned_us(job.created_at_us) if previews else UNSET,
    )


def _to_policies(result: EvaluationResult, *, previews: bool, whole: bool) -> Iterator[WirePolicyResult]:
    for policy in result.policies:
        if not policy.slot:
            yield _to_policy(policy, previews=previews, whole=whole)


def _to_policy(policy: PolicyResult, *, previews: bool, whole: bool) -> WirePolicyResult:
    summary = [
        _to_summary(window, name, previews=previews)
        for name, windows in policy.windows.items()
        for window in windows
    ]
    return WirePolicyResult(
        name=policy.name,
        arguments=policy.arguments,
        total_summary=_to_summary(policy.total, "PT0S", previews=previews),
        policy_source=policy.source if previews else UNSET,
        summary=summary if whole and summary else UNSET,
    )


def _to_summary(window: EvaluationWindow, width: str, *, previews: bool) -> PolicyResultSummary:
    return PolicyResultSummary(
        time_stamp=durations.format_zoned_us(window.start_us),
        ips_estimator_numerator=window.numerator,
        ips_estimator_denominator=float(window.events),
        snips_estimator_denominator=window.sum_of_weights,
        aggregate_time_window=width,
        non_zero_probability=float(window.non_zero),
        sum_of_squares=window.sum_of_squares,
        confidence_interval=half_interval(window),
        average_reward=window.numerator / window.events if previews and window.events else UNSET,
    )
