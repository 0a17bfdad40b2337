"""Specifications and results of evaluation jobs, and their stored JSON.

Creating a job writes its spec, the job worker writes its result, and handlers and the command line read both. A
job's kind is ``evaluation`` or ``featureImportance``. Times are microseconds since 1970 (UTC). Sums are kept
rather than averages, so that neighbouring windows can be added (contract, section 4.3).
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import sqrt
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from sartor.errors import Corrupt
from sartor.estimators.quantiles import normal_quantile

EVALUATION = "evaluation"
FEATURE_IMPORTANCE = "featureImportance"

WINDOWS_S = {"PT5M": 300, "PT1H": 3600, "PT6H": 21_600, "P1D": 86_400}
"""The windows of a result: by name, an ISO 8601 duration, their length in seconds; aligned to 1970 (UTC)."""

_NORMAL_95 = normal_quantile(0.975)

_SUMS = (
    "events",
    "numerator",
    "sum_of_weights",
    "non_zero",
    "sum_of_squares",
    "weights_squared",
    "weighted_products",
)

Source = Literal["Online", "Baseline", "Random", "Custom", "OfflineExperimentation"]
EvaluationType = Literal["Manual", "Auto"]


class PolicySpec(Struct, frozen=True, kw_only=True):
    """A policy to compare: learning settings under a name."""

    name: str
    arguments: str


class EvaluationSpec(Struct, frozen=True, kw_only=True):
    """What to evaluate: decisions with ``start_us`` ≤ time < ``end_us``.

    ``find_optimal``: whether to search for better policies. ``made_with``: the API version by which
    it was created; empty otherwise. A newer version of the API does not show what an older one created.
    """

    name: str
    start_us: int
    end_us: int
    policies: tuple[PolicySpec, ...] = ()
    find_optimal: bool = False
    evaluation_type: EvaluationType = "Manual"
    made_with: str = ""


class EvaluationWindow(Struct, frozen=True, kw_only=True, array_like=True):
    """What one policy would have earned in one window of time that begins with ``start_us``.

    With r the reward and w the weight of an event (contract, section 4.3): ``events`` is their number,
    ``numerator`` the sum of r w, ``sum_of_weights`` of w, ``sum_of_squares`` of (r w)², ``non_zero`` the number
    with w > 0, ``largest`` the greatest abs(r w); ``weights_squared`` the sum of w², ``weighted_products`` of
    r w². ``expected_reward`` is the estimate, ``numerator / sum_of_weights``, ``low`` … ``high`` its Gaussian
    interval at 95 %. A window without events is left out. ``merge_windows`` merges neighbours.
    """

    start_us: int
    events: int
    numerator: float
    sum_of_weights: float
    non_zero: int
    sum_of_squares: float
    largest: float
    expected_reward: float
    low: float
    high: float
    weights_squared: float = 0.0
    weighted_products: float = 0.0


class PolicyResult(Struct, frozen=True, kw_only=True):
    """The score of one policy: in all (``total.start_us`` is that of the evaluation) and by windows.

    ``windows``: for each name of ``WINDOWS_S`` the windows in order of time. ``slot``: the slot's id in a
    multi-slot loop; empty for the whole decision. ``model``: the name, from ``model_name``, under which the
    loop's blob store keeps a dump of the policy's engine as it was at the end, made under ``arguments``, so
    that it can be applied; None where there is none.
    """

    name: str
    arguments: str
    source: Source
    total: EvaluationWindow
    windows: dict[str, tuple[EvaluationWindow, ...]] = {}
    slot: str = ""
    model: str | None = None


class EvaluationResult(Struct, frozen=True, kw_only=True):
    """The scores of all policies. ``optimal_policy``: the best one's name, if shown to be better than online.

    ``importance``: groups of feature names, the most important group first (contract, section 4.5).
    ``report``: what only Sartor's own report shows, as JSON; the Azure API leaves it out.
    """

    policies: tuple[PolicyResult, ...]
    optimal_policy: str | None = None
    importance: tuple[tuple[str, ...], ...] = ()
    report: msgspec.Raw = msgspec.Raw(b"{}")


class ImportanceSpec(Struct, frozen=True, kw_only=True):
    """The features to measure: those of decisions with ``start_us`` ≤ time < ``end_us``."""

    name: str
    start_us: int
    end_us: int
    made_with: str = ""


class ImportanceScore(Struct, frozen=True, kw_only=True):
    """A feature's share of what all are worth, over the greatest, cut to 0 … 1; its 95 % interval likewise.

    In results of older versions: how much leaving it out would cost, normalised in the same way.
    """

    namespace: str
    feature: str
    score: float
    low: float
    high: float


class ImportanceResult(Struct, frozen=True, kw_only=True):
    """The features, the most important first."""

    scores: tuple[ImportanceScore, ...]
    report: msgspec.Raw = msgspec.Raw(b"{}")


Content = EvaluationSpec | EvaluationResult | ImportanceSpec | ImportanceResult
"""What a job's ``spec`` or ``result`` holds."""

_Content = TypeVar("_Content", bound=Content)


def merge_windows(windows: Sequence[EvaluationWindow], /) -> EvaluationWindow:
    """Merges windows of one policy, at least one, into one that begins with the first of them.

    The interval is that of a ratio, by the delta method: variance Σ w² (r - V)² / (Σ w)². Where no event has a
    weight, the estimate and both ends of the interval are 0.
    """
    sums = {name: sum(getattr(one, name) for one in windows) for name in _SUMS}
    weights = sums["sum_of_weights"]
    value = sums["numerator"] / weights if weights else 0.0
    squares = (
        sums["sum_of_squares"] - 2 * value * sums["weighted_products"] + value**2 * sums["weights_squared"]
    )
    half_width = _NORMAL_95 * sqrt(max(0.0, squares)) / weights if weights else 0.0
    return EvaluationWindow(
        start_us=windows[0].start_us,
        events=int(sums.pop("events")),
        non_zero=int(sums.pop("non_zero")),
        largest=max(one.largest for one in windows),
        expected_reward=value,
        low=value - half_width,
        high=value + half_width,
        **sums,
    )


def job_id(kind: str, public_id: str, /) -> str:
    """Returns the id of a job in the queue, where ids are unique over all kinds."""
    return f"{kind}/{public_id}"


def public_id(job_id: str, /) -> str:
    """Returns the id by which API and command line know a job."""
    return job_id.partition("/")[2]


def model_name(job_id: str, index: int, /) -> str:
    """Returns the blob's name of the model of an evaluation's policy, by its index in the result."""
    return f"{model_prefix(job_id)}{index}"


def model_prefix(job_id: str, /) -> str:
    """Returns the prefix of the names of an evaluation's models; a job's id itself may hold any characters."""
    return f"evaluation-{blake2b(job_id.encode(), digest_size=12).hexdigest()}-"


def encode_job(content: Content, /) -> bytes:
    """Encodes a spec or a result as the JSON that a job keeps."""
    return msgspec.json.encode(content)


def decode_job(content: bytes, kind: type[_Content], /) -> _Content:
    """Decodes the spec of a job, or the result of one that succeeded.

    Raises:
        Corrupt: it is none of this kind.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise Corrupt(f"This job holds no {kind.__name__}: {error}.") from error
