"""Windows of an evaluation put together to the ones that were asked for. Pure sums (contract, section 4.3)."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from sartor.evaluate.gaussian import gaussian, standard_error
from sartor.evaluations import WINDOWS_S, PolicyResult, Window

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
        both = window if not found else _sum(found[-1], window)
        found.append(replace(both, start_us=window.start_us))
    return found


def total(windows: Sequence[Window], /) -> Window | None:
    """All windows as one; None where there is none."""
    if not windows:
        return None
    result = windows[0]
    for window in windows[1:]:
        result = _sum(result, window)
    return result


def _joined(windows: Sequence[Window], width_us: int) -> Iterator[Window]:
    groups: dict[int, list[Window]] = {}
    for window in windows:
        groups.setdefault(window.start_us // width_us * width_us, []).append(window)
    for start_us, group in groups.items():
        both = total(group)
        if both is not None:
            yield replace(both, start_us=start_us)


def _sum(one: Window, other: Window) -> Window:
    events = one.events + other.events
    numerator = one.numerator + other.numerator
    weights = one.sum_of_weights + other.sum_of_weights
    squares = one.sum_of_squares + other.sum_of_squares
    expected = numerator / weights if weights else 0.0
    found = gaussian(expected, standard_error(numerator, squares, events), alpha=_ALPHA)
    return Window(
        start_us=min(one.start_us, other.start_us),
        events=events,
        numerator=numerator,
        sum_of_weights=weights,
        non_zero=one.non_zero + other.non_zero,
        sum_of_squares=squares,
        largest=max(one.largest, other.largest),
        expected_reward=expected,
        low=expected if found is None else found.lower,
        high=expected if found is None else found.upper,
    )
