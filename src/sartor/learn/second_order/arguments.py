"""The learning settings of the second-order engine: ``--sartor`` and options of its own."""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from sartor.errors import InvalidPolicy
from sartor.learn.words import split_words
from sartor.loops import SEVERAL_SLOTS

MARK = "--sartor"
"""The first word of learning settings for this engine."""

_STRUCTURE = ("columns", "pairs", "half_life")
"""Options that a model is made for: it does not fit a loop with others."""


class SecondOrderSettings(Struct, frozen=True, kw_only=True):
    """Checked learning settings of this engine; see ``docs/reference/learning-settings.md``.

    Attributes:
        several_slots: whether they are for several slots.
        gamma_scale: how fast exploration ends; the factor of √n in the inverse gap weighting, above 0.
        epsilon: the share of decisions that is spread evenly over the actions, 0 to 1.
        columns: how many columns a context has at most, 16 to 256.
        pairs: how many products of two columns are columns too, at most; 0 to 128.
        half_life: after how many outcomes the forgetting regressor weighs one by half, 10 to 1e9.
    """

    several_slots: bool = False
    gamma_scale: float = 16.0
    epsilon: float = 0.0
    columns: int = 128
    pairs: int = 40
    half_life: float = 500.0


class SettingOption(Struct, frozen=True):
    """An option with a value: the field of ``SecondOrderSettings``, how it is read, and its bounds."""

    field: str
    read: Callable[[str], float]
    low: float
    high: float


OPTIONS = {
    "--gamma_scale": SettingOption("gamma_scale", float, 0.01, 1e6),
    "--epsilon": SettingOption("epsilon", float, 0.0, 1.0),
    "--columns": SettingOption("columns", int, 16, 256),
    "--pairs": SettingOption("pairs", int, 0, 128),
    "--half_life": SettingOption("half_life", float, 10.0, 1e9),
}
"""Every option with a value: its field, how it is read, and its bounds."""


def is_second_order(text: str, /) -> bool:
    """Whether learning settings are for this engine: their first word is ``--sartor``."""
    return text.split(maxsplit=1)[:1] == [MARK]


def parse_settings(text: str, /) -> SecondOrderSettings:
    """Parse learning settings that begin with ``--sartor``.

    Raises:
        InvalidPolicy: an option or a value that is not accepted, named in the message.
    """
    words = split_words(text)
    if words[:1] != [MARK]:
        raise InvalidPolicy(f"Learning settings of this engine begin with {MARK}.")
    found: dict[str, bool | float] = {}
    for field, value in _read_options(words[1:]):
        if field in found:
            name = SEVERAL_SLOTS if field == "several_slots" else f"--{field}"
            raise InvalidPolicy(f"The option {name} is given more than once.")
        found[field] = value
    return SecondOrderSettings(**found)  # type: ignore[arg-type]


def spell_settings(text: str, /) -> str:
    """Returns learning settings in one spelling: single spaces, an option and its value as two words.

    Raises:
        InvalidPolicy: they are not accepted.
    """
    parse_settings(text)
    return " ".join(part for word in split_words(text) for part in word.split("=", 1))


def spell_structure(settings: SecondOrderSettings, /) -> str:
    """Returns those of the settings that a model is made for, spelled out; not how much is explored."""
    words = [MARK, *([SEVERAL_SLOTS] if settings.several_slots else [])]
    for field in _STRUCTURE:
        words += [f"--{field}", repr(getattr(settings, field))]
    return " ".join(words)


def find_structure_mismatch(own: SecondOrderSettings, wanted: SecondOrderSettings, /) -> str | None:
    """Returns why a loop can't train on from a model: the settings that differ; None: it can.

    Args:
        own: the settings that the model was made for.
        wanted: those of the loop.
    """
    found = []
    if own.several_slots is not wanted.several_slots:
        found.append(f"it was made {'with' if own.several_slots else 'without'} {SEVERAL_SLOTS}")
    for field in _STRUCTURE:
        made, needed = getattr(own, field), getattr(wanted, field)
        if made != needed:
            found.append(f"it was made with --{field} {made:g}, the loop's learning settings say {needed:g}")
    return " and ".join(found) or None


def _read_options(words: Sequence[str]) -> Iterator[tuple[str, bool | float]]:
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word == SEVERAL_SLOTS:
            yield "several_slots", True
        elif name in OPTIONS:
            yield OPTIONS[name].field, _read_value(name, value if equals else next(rest, None))
        else:
            known = ", ".join([SEVERAL_SLOTS, *OPTIONS])
            raise InvalidPolicy(f"The option {word} is not accepted after {MARK}. Options: {known}.")


def _read_value(name: str, text: str | None) -> float:
    option = OPTIONS[name]
    kind = "whole number" if option.read is int else "number"
    if text is None:
        raise InvalidPolicy(f"The option {name} needs a value.")
    try:
        value = option.read(text.replace("_", "x"))  # Python reads 1_000 as a number
    except ValueError:
        value = option.low - 1
    if not option.low <= value <= option.high:
        raise InvalidPolicy(
            f"The option {name} takes a {kind} from {option.low:g} to {option.high:g}, not {text!r}."
        )
    return value
