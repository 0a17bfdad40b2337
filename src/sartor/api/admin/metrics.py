"""How the loop does beside its baseline, in windows of time or of events.

From the unpublished draft of version 1.1 (contract, end of section 1.1); served in the latest two versions. The
answer has one array for each learning mode that the decisions were made in.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NoReturn

from msgspec import Struct

from sartor.api.admin.evaluation_requests import Time, to_micros
from sartor.api.http import durations, json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Parameter, Route
from sartor.api.routing.versions import FROM_PREVIEW_3
from sartor.log_search import first_outcome_since
from sartor.metrics import learning_metrics
from sartor.metrics.learning_metrics import Metrics, SettledChoice
from sartor.metrics.learning_metrics import MetricWindow as Sums
from sartor.numbers import LARGEST, REWARD_RANGE, parse_whole
from sartor.ports import LoopStores
from sartor.records import Mode
from sartor.times import DAY_US, now_us

MOST_EVENTS = 500_000
"""How many outcomes one request may read."""

_INVALID = "InvalidRequest"
_TOO_MANY = "LogsSizeExceedAllowedLimit"
_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)
_LATE = timedelta(minutes=10)
"""How much later than its wait a decision may be settled, at the most that is looked for."""

_SET_ASIDE = b"x-sartor-set-aside"
"""A header: how many decisions are in no sum, because their reward is out of range."""

_BY_TIME = ("startdate", "enddate", "aggregationinterval")
_BY_COUNT = ("numberofrecentevents", "aggregationeventcount")


class MetricBucket(Struct, frozen=True, rename="camel"):
    """The sums of one window; those called cumulative begin with the first window of their array."""

    learning_mode: Mode
    start_date: Time
    end_date: Time
    number_of_events: int
    sum_of_rewards: float
    number_of_matched_events: int
    sum_of_imitated_rewards: float
    cumulative_number_of_events: int
    cumulative_sum_of_rewards: float
    cumulative_number_of_matched_events: int
    cumulative_sum_of_imitated_rewards: float


def get_metrics(call: Call) -> Response:
    """Read the metrics in the windows of the query."""
    query = {name.lower(): value for name, value in call.query.items()}
    counted = [name for name in _BY_COUNT if name in query]
    if counted and any(name in query for name in _BY_TIME):
        _refuse("Give dates and an aggregationInterval, or numbers of events, not both.")
    with call.context.open_loop(call.loop) as logs:
        if counted:
            metrics = _read_by_count(logs, query)
        else:
            metrics = _read_by_time(logs, query, wait=call.loop.settings.reward_wait_time)
    buckets = [list(_to_buckets(windows)) for windows in metrics.values()]
    set_aside = sum(window.set_aside for windows in metrics.values() for window in windows)
    return json_body.json_response(
        200, [listed for listed in buckets if listed], (_SET_ASIDE, b"%d" % set_aside)
    )


def _read_by_time(logs: LoopStores, query: dict[str, str], *, wait: timedelta) -> Metrics:
    end_us = _parse_time(query, "endDate", now_us())
    start_us = _parse_time(query, "startDate", end_us - DAY_US)
    if start_us >= end_us:
        _refuse("startDate must be before endDate.")
    width = _parse_interval(query.get("aggregationinterval", "PT1H"))
    first = first_outcome_since(logs.outcomes, start_us)
    following = first_outcome_since(logs.outcomes, end_us + (wait + _LATE) // _MICROSECOND)
    return learning_metrics.windows_by_time(
        _read_choices(logs, after=first - 1, until=following - 1),
        start_us=start_us,
        end_us=end_us,
        width_us=width // _MICROSECOND,
    )


def _read_by_count(logs: LoopStores, query: dict[str, str]) -> Metrics:
    recent = _parse_number(query, "numberOfRecentEvents", MOST_EVENTS, low=1, multiple=1)
    count = _parse_number(query, "aggregationEventCount", 10_000, low=10_000, multiple=10_000)
    counts = logs.outcomes.counts()
    after = max(counts.first_outcome - 1, counts.last_outcome - recent)
    return learning_metrics.windows_by_count(
        _read_choices(logs, after=after, until=counts.last_outcome), count=count
    )


def _read_choices(logs: LoopStores, *, after: int, until: int) -> Iterator[SettledChoice]:
    if until - after > MOST_EVENTS:
        raise RequestRefused(
            _TOO_MANY, f"That is more than {MOST_EVENTS} events; ask for a shorter time, or for fewer events."
        )
    return learning_metrics.read_choices(logs.events, logs.outcomes, after=after, until=until)


def _to_buckets(windows: Sequence[Sums]) -> Iterator[MetricBucket]:
    events = matched = 0
    rewards = imitated = 0.0
    for window in windows:
        if not window.events:
            continue
        events, matched = events + window.events, matched + window.matched
        rewards, imitated = rewards + window.rewards, imitated + window.imitated
        yield MetricBucket(
            learning_mode=window.mode,
            start_date=durations.format_zoned_us(window.start_us),
            end_date=durations.format_zoned_us(window.end_us),
            number_of_events=window.events,
            sum_of_rewards=window.rewards,
            number_of_matched_events=window.matched,
            sum_of_imitated_rewards=window.imitated,
            cumulative_number_of_events=events,
            cumulative_sum_of_rewards=rewards,
            cumulative_number_of_matched_events=matched,
            cumulative_sum_of_imitated_rewards=imitated,
        )


def _parse_time(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name.lower())
    return default if text is None else to_micros(text, name, invalid=_INVALID)


def _parse_interval(text: str) -> timedelta:
    try:
        interval = durations.parse_duration(text)
    except ValueError as error:
        _refuse(f"aggregationInterval: {error}.")
    if interval < _HOUR or interval % _HOUR:
        _refuse(f"aggregationInterval must be whole hours, one or more, not {text[:64]!r}.")
    return interval


def _parse_number(query: dict[str, str], name: str, default: int, *, low: int, multiple: int) -> int:
    text = query.get(name.lower())
    if text is None:
        return default
    try:
        number = parse_whole(text, low=low)
    except ValueError as error:
        _refuse(f"{name} {error}.")
    if number % multiple:
        _refuse(f"{name} must be a multiple of {multiple}, not {number}.")
    return number


def _refuse(message: str) -> NoReturn:
    raise RequestRefused(_INVALID, message)


_DATE = {"type": "string", "format": "date-time"}

ROUTES = (
    Route(
        name="GetLearningMetrics",
        method="GET",
        path="/metrics/learning",
        versions=FROM_PREVIEW_3,
        handler=get_metrics,
        permission="read",
        tag="Evaluations",
        summary="How the loop does beside its baseline.",
        description="By time: the last day in hours, unless said otherwise. By events: where one of the two "
        "parameters for it is given. Only windows with a decision are listed.",
        status=200,
        success="For each learning mode its windows, in order.",
        invalid=_INVALID,
        response=list[list[MetricBucket]],
        codes=(_TOO_MANY,),
        headers={_SET_ASIDE.decode(): f"How many decisions are in no sum: their reward is not {REWARD_RANGE}."},
        query=(
            Parameter(name="startDate", description="Decisions from here on.", schema=_DATE),
            Parameter(name="endDate", description="Decisions before this.", schema=_DATE),
            Parameter(
                name="aggregationInterval",
                description="How long a window is: whole hours, as an ISO 8601 duration.",
                schema={"type": "string", "format": "duration", "examples": ["PT1H", "P1D"]},
            ),
            Parameter(
                name="numberOfRecentEvents",
                description=f"How many of the last settled decisions to look at, {MOST_EVENTS} at most.",
                schema={"type": "integer", "minimum": 1, "maximum": LARGEST},
            ),
            Parameter(
                name="aggregationEventCount",
                description="How many decisions a window holds.",
                schema={"type": "integer", "minimum": 10_000, "maximum": LARGEST, "multipleOf": 10_000},
            ),
        ),
    ),
)
