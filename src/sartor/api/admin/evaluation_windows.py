"""Windows of an evaluation put together to the ones that were asked for. Pure sums (contract, section 4.3)."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from sartor.estimators.interval import gaussian, standard_error
from sartor.evaluation.spec import WINDOWS_S, PolicyResult, Window, merged

_MINUTE_US = 60_000_000
_ALPHA = 0.05
_NAMES = {seconds: name for name, seconds in WINDOWS_S.items()}


def half_width(window: Window, /) -> float:
    """Half of the 95 % Gaussian interval of the average of r w; 0 for a single event."""
    error = standard_error(window.numerator, window.sum_of_squares, window.events)
    found = gaussian(0.0, error, alpha=_ALPHA)
    return 0.0 if found is None else found.half_width


def within(windows: Iterable[Window], /, *, start_us: int, end_us: int) -> list[Window]:
    """The windows that begin in a stretch of time."""
    return [window for window in windows if start_us <= window.start_us < end_us]


def rolling(policy: PolicyResult, /, *, minutes: int, start_us: int, end_us: int) -> Sequence[Window]:
    """Windows of 60, 360, 720 or 1440 minutes, one after the other."""
    own = policy.windows.get(_NAMES.get(minutes * 60, ""))
    if own is not None:
        return within(own, start_us=start_us, end_us=end_us)
    finer = within(policy.windows.get("PT6H", ()), start_us=start_us, end_us=end_us)
    return list(_joined(finer, minutes * _MINUTE_US))


def expanding(policy: PolicyResult, /, *, start_us: int, end_us: int) -> Sequence[Window]:
    """Windows from the start to the end of each 5 minutes; each begins with the last 5 minutes in it."""
    found: list[Window] = []
    for window in within(policy.windows.get("PT5M", ()), start_us=start_us, end_us=end_us):
        both = window if not found else merged((found[-1], window))
        found.append(replace(both, start_us=window.start_us))
    return found


def total(windows: Sequence[Window], /) -> Window | None:
    """All windows as one; None where there is none."""
    return merged(windows) if windows else None


def _joined(windows: Sequence[Window], width_us: int) -> Iterator[Window]:
    groups: dict[int, list[Window]] = {}
    for window in windows:
        groups.setdefault(window.start_us // width_us * width_us, []).append(window)
    for start_us, group in groups.items():
        both = total(group)
        if both is not None:
            yield replace(both, start_us=start_us)
