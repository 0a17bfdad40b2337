"""Evaluations in 2022-09-01-preview: bodies in and out (contract, section 1.7)."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sartor.api.admin.evaluation_requests import Name, Time
from sartor.api.admin.evaluation_windows import expanding_windows, merge_all, rolling_windows, select_windows
from sartor.api.admin.policy import PolicyContract
from sartor.api.http import durations
from sartor.evaluation.spec import EvaluationResult, EvaluationSpec, EvaluationWindow, PolicyResult, public_id
from sartor.records import Job, JobState

Status = Literal[
    "Succeeded",
    "Running",
    "Failed",
    "NotSubmitted",
    "Timeout",
    "OptimalPolicyApplied",
    "OnlinePolicyRetained",
    "Canceled",
]

STATUS: dict[JobState, Status] = {
    "pending": "NotSubmitted",
    "running": "Running",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "canceled": "Canceled",
}

Bounds = Annotated[list[float], Meta(min_length=2, max_length=2)]


class NamedEvaluationContract(Struct, frozen=True, rename="camel"):
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
    ] = []
    enable_policy_optimization: Annotated[bool, Meta(description="Whether to search for a better policy.")] = (
        False
    )


class WindowEstimate(Struct, frozen=True, rename="camel"):
    """What a policy would have earned for each decision, and the 95 % interval of that."""

    expected_reward: float
    confidence_interval: Bounds


class TimePoint(Struct, frozen=True, rename="camel"):
    """An estimate for one window of time, which begins (rolling) or whose last part begins (expanding) here."""

    time_stamp: Time
    expected_reward: float
    confidence_interval: Bounds


class Timeseries(Struct, frozen=True):
    """Estimates in order of time."""

    data: list[TimePoint]


class Scores(Struct, frozen=True, rename="camel"):
    """The scores of one policy. ``slotId`` is empty for the whole decision."""

    name: str
    slot_id: str
    arguments: str
    policy_source: str
    timeseries: Timeseries
    summary: Annotated[
        WindowEstimate | UnsetType, Meta(description="For the whole time; absent where there was no decision.")
    ] = UNSET


class Content(Struct, frozen=True, rename="camel"):
    """The scores for a stretch of time."""

    start_time: Time
    end_time: Time
    interval_in_minutes: int
    value: list[Scores]


class EvaluationItem(Struct, frozen=True, rename="camel"):
    """An evaluation and how far it is; ``content`` is there when it has succeeded, and not in lists."""

    id: str
    name: str
    start_time: Time
    end_time: Time
    creation_time: Time
    status: Status
    evaluation_type: str
    optimal_policy: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    content: Content | UnsetType = UNSET


class EvaluationPage(Struct, frozen=True, rename="camel"):
    """A part of the list of evaluations, and where the next part is."""

    value: list[EvaluationItem]
    next_link: str | UnsetType = UNSET


class Frame(Struct, frozen=True, kw_only=True):
    """Which part of the results is wanted, in which windows."""

    start_us: int
    end_us: int
    minutes: int
    expands: bool


def to_wire(
    job: Job, spec: EvaluationSpec, result: EvaluationResult | None, frame: Frame | None = None, /
) -> EvaluationItem:
    """Convert an evaluation to the wire of this version; without a frame, as it is in a list."""
    optimal = None if result is None else result.optimal_policy
    return EvaluationItem(
        id=public_id(job.job_id),
        name=spec.name,
        start_time=durations.format_zoned_us(spec.start_us),
        end_time=durations.format_zoned_us(spec.end_us),
        creation_time=durations.format_zoned_us(job.created_at_us),
        status=STATUS[job.state],
        evaluation_type=spec.evaluation_type,
        optimal_policy=UNSET if optimal is None else optimal,
        description=job.description or UNSET,
        content=UNSET if frame is None or result is None else _to_content(result, spec, frame),
    )


def _to_content(result: EvaluationResult, spec: EvaluationSpec, frame: Frame) -> Content:
    whole = frame.start_us <= spec.start_us and frame.end_us >= spec.end_us
    return Content(
        start_time=durations.format_zoned_us(frame.start_us),
        end_time=durations.format_zoned_us(frame.end_us),
        interval_in_minutes=frame.minutes,
        value=[_to_scores(policy, frame, whole=whole) for policy in result.policies],
    )


def _to_scores(policy: PolicyResult, frame: Frame, *, whole: bool) -> Scores:
    bounds = {"start_us": frame.start_us, "end_us": frame.end_us}
    summed = policy.total if whole else merge_all(select_windows(policy.windows.get("PT5M", ()), **bounds))
    windows = (
        expanding_windows(policy, **bounds)
        if frame.expands
        else rolling_windows(policy, minutes=frame.minutes, **bounds)
    )
    return Scores(
        name=policy.name,
        slot_id=policy.slot,
        arguments=policy.arguments,
        policy_source=policy.source,
        timeseries=Timeseries(list(_to_points(windows))),
        summary=UNSET if summed is None else WindowEstimate(summed.expected_reward, [summed.low, summed.high]),
    )


def _to_points(windows: Sequence[EvaluationWindow]) -> Iterator[TimePoint]:
    for window in windows:
        start = durations.format_zoned_us(window.start_us)
        yield TimePoint(start, window.expected_reward, [window.low, window.high])
