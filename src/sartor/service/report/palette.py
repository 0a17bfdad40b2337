"""The colours of the report."""

from collections.abc import Sequence

from sartor.evaluate.league import Entry

# Okabe and Ito's palette, and four more that keep apart from it.
_FREE = {"Online": "#0072B2", "Baseline": "#B8760B", "Random": "#7F7F7F"}
_OTHERS = (
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#6A3D9A",
    "#8C564B",
    "#A6A000",
    "#E7298A",
    "#1B7837",
    "#4D4D9F",
)


def colours(entries: Sequence[Entry], /) -> dict[str, str]:
    """A colour for each policy."""
    others = [one.name for one in entries if one.source not in _FREE and not one.slot]
    return _FREE | {name: _OTHERS[place % len(_OTHERS)] for place, name in enumerate(others)}
