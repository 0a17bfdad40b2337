"""Windows of an evaluation, merged to those that a request wants. Pure sums (contract, section 4.3)."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from sartor.estimators.interval import gaussian_interval, standard_error
from sartor.evaluation.spec import WINDOWS_S, EvaluationWindow, PolicyResult, merge_windows

_MINUTE_US = 60_000_000
_ALPHA = 0.05
_NAMES = {seconds: name for name, seconds in WINDOWS_S.items()}


def half_interval(window: EvaluationWindow, /) -> float:
    """Compute half of the 95 % Gaussian interval of the average of r w; 0 for a single event."""
    error = standard_error(window.numerator, window.sum_of_squares, window.events)
    windows_so_far = gaussian_interval(0.0, error, alpha=_ALPHA)
    return 0.0 if windows_so_far is None else windows_so_far.half_width


def select_windows(
    windows: Iterable[EvaluationWindow], /, *, start_us: int, end_us: int
) -> list[EvaluationWindow]:
    """Select the windows that begin in a range of time: from ``start_us``, before ``end_us``."""
    return [window for window in windows if start_us <= window.start_us < end_us]


def rolling_windows(
    policy: PolicyResult, /, *, minutes: int, start_us: int, end_us: int
) -> Sequence[EvaluationWindow]:
    """Build windows of 60, 360, 720 or 1440 minutes, one after the other."""
    own = policy.windows.get(_NAMES.get(minutes * 60, ""))
    if own is not None:
        return select_windows(own, start_us=start_us, end_us=end_us)
    finer = select_windows(policy.windows.get("PT6H", ()), start_us=start_us, end_us=end_us)
    return list(_join(finer, minutes * _MINUTE_US))


def expanding_windows(policy: PolicyResult, /, *, start_us: int, end_us: int) -> Sequence[EvaluationWindow]:
    """Build windows from the start to the end of each 5 minutes; each is named by its last 5 minutes."""
    windows_so_far: list[EvaluationWindow] = []
    for window in select_windows(policy.windows.get("PT5M", ()), start_us=start_us, end_us=end_us):
        both = window if not windows_so_far else merge_windows((windows_so_far[-1], window))
        windows_so_far.append(replace(both, start_us=window.start_us))
    return windows_so_far


def merge_all(windows: Sequence[EvaluationWindow], /) -> EvaluationWindow | None:
    """Merge all windows to one; None where there is none."""
    return merge_windows(windows) if windows else None


def _join(windows: Sequence[EvaluationWindow], width_us: int) -> Iterator[EvaluationWindow]:
    groups: dict[int, list[EvaluationWindow]] = {}
    for window in windows:
        groups.setdefault(window.start_us // width_us * width_us, []).append(window)
    for start_us, group in groups.items():
        both = merge_all(group)
        if both is not None:
            yield replace(both, start_us=start_us)
