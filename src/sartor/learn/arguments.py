"""Parses learning settings into a checked list of options. Knows the grammar; starts no engine."""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from sartor.errors import InvalidPolicy
from sartor.learn.options import ACCEPTED, DROPPED, OURS, REFUSED, REPEATABLE, SHORT
from sartor.learn.words import split_words

_INTERACTIONS = 64
_WEIGHT_BITS = 24
_DEFAULT_BITS = 18
_CROSSINGS = ("quadratic", "cubic", "interactions", "experimental_full_name_interactions")


class VwOption(Struct, frozen=True, kw_only=True):
    """One option: as spelled (``-q``), its full name (``quadratic``), and its value (None: a flag)."""

    spelled: str
    name: str
    value: str | None = None


class PolicyArguments(Struct, frozen=True):
    """Accepted learning settings, in the order in which they were given.

    Attributes:
        options: those of the engine.
        prepares: whether ``--prepare`` is among them, which is ours and never reaches the engine.
    """

    options: tuple[VwOption, ...]
    prepares: bool = False

    def __str__(self) -> str:
        return " ".join([*self.tokens(), *(["--prepare"] if self.prepares else [])])

    def tokens(self, *, without: str = "") -> list[str]:
        """The settings that the engine gets, as separate words, ``without`` one option."""
        kept = (option for option in self.options if option.name != without)
        return [word for option in kept for word in (option.spelled, option.value) if word is not None]

    def values(self, name: str) -> list[str]:
        """The values of an option, by its full name; empty if it is not given."""
        return [option.value or "" for option in self.options if option.name == name]

    @property
    def several_slots(self) -> bool:
        """Whether they are for several slots; a model file of such settings also holds ``--cb_explore_adf``."""
        return any(option.name == "ccb_explore_adf" for option in self.options)

    @property
    def order(self) -> int:
        """How many namespaces the longest interaction crosses: 2 for pairs, 3 for triples, 1 for none."""
        characters = [len(value) for name in _CROSSINGS[:3] for value in self.values(name)]
        names = [value.count("|") + 1 for value in self.values(_CROSSINGS[3])]
        return max([1, *characters, *names])


def parse_arguments(text: str) -> PolicyArguments:
    """Parse learning settings.

    Raises:
        InvalidPolicy: an option or a value that is not accepted, named in the message.
    """
    parsed = list(_parse_options(split_words(text)))
    ours = [option.name for option in parsed if option.name in OURS]
    if len(ours) > 1:
        raise InvalidPolicy(f"The option --{ours[0]} is given more than once.")
    arguments = PolicyArguments(tuple(option for option in parsed if option.name not in OURS), bool(ours))
    _check_kind(arguments)
    _check_repeats(arguments)
    _check_size(arguments, bits=next(map(int, arguments.values("bit_precision")), _DEFAULT_BITS))
    return arguments


def parse_saved_options(text: str, *, bits: int, ignored: frozenset[str] = frozenset()) -> PolicyArguments:
    """Parse the options in the header of a model file, in the one spelling that the engine writes.

    Its own reader splits at every white space, knows no quotes, and takes for an option whatever begins with
    two hyphens. What it would read in another way than this function is refused.

    Args:
        text: the options.
        bits: the bits of weights, which the header has in another place.
        ignored: flags without a meaning for learning, which are left out.

    Raises:
        InvalidPolicy: an option or a value that is not accepted, named in the message.
    """
    if not text.isprintable() or not text.isascii():
        raise InvalidPolicy("The options of a model may hold printable ASCII characters only.")
    arguments = PolicyArguments(tuple(_parse_saved([word for word in text.split(" ") if word], ignored)))
    _check_kind(arguments)
    _check_repeats(arguments)
    _check_size(arguments, bits=bits)
    return arguments


def _parse_saved(words: list[str], ignored: frozenset[str]) -> Iterator[VwOption]:
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise InvalidPolicy(f"Expected an option, which begins with '--', not {word!r}.")
        if word[2:] not in ignored:
            yield _parse_option(word, word[2:], None, rest)


def _parse_options(words: list[str]) -> Iterator[VwOption]:
    rest = iter(words)
    for word in rest:
        spelled, name, value = _split_word(word)
        if name in DROPPED and value is None:
            continue
        if spelled.startswith("--") and name in OURS:
            if value is not None:
                raise InvalidPolicy(f"The option {spelled} takes no value, so {value!r} can't be read.")
            yield VwOption(spelled=spelled, name=name)
            continue
        yield _parse_option(spelled, name, value, rest)


def _split_word(word: str) -> tuple[str, str, str | None]:
    """The option in a word as spelled, its full name, and its value if that is in it (``--a=b``, ``-q::``)."""
    if word.startswith("--") and len(word) > 2:
        spelled, equals, value = word.partition("=")
        return spelled, spelled[2:], value if equals else None
    if word.startswith("-") and len(word) > 1:
        letter, value = word[1], word[2:].removeprefix("=")
        return word[:2], SHORT.get(letter, letter), value or None
    raise InvalidPolicy(f"Expected an option, which begins with '-', not {word!r}.")


def _parse_option(spelled: str, name: str, value: str | None, rest: Iterator[str]) -> VwOption:
    if name not in ACCEPTED or (len(spelled) == 2 and spelled[1] not in SHORT):
        reason = REFUSED.get(name, "it is not among the options for learning and exploration")
        raise InvalidPolicy(f"The option {spelled} is not accepted: {reason}.")
    check = ACCEPTED[name]
    if check is None:
        if value is not None:
            raise InvalidPolicy(f"The option {spelled} takes no value, so {value!r} can't be read.")
        return VwOption(spelled=spelled, name=name)
    value = next(rest, None) if value is None else value
    if value is None:
        raise InvalidPolicy(f"The option {spelled} needs a value.")
    expected = check(value)
    if expected is not None:
        raise InvalidPolicy(f"The option {spelled} takes {expected}, not {value!r}.")
    return VwOption(spelled=spelled, name=name, value=value)


def _check_kind(arguments: PolicyArguments) -> None:
    if not arguments.values("cb_explore_adf") and not arguments.several_slots:
        raise InvalidPolicy("Learning settings must contain --cb_explore_adf, or --ccb_explore_adf.")
    if arguments.several_slots and arguments.values("large_action_space"):
        raise InvalidPolicy(
            "The option --large_action_space is not accepted beside --ccb_explore_adf: a model saved with both "
            "does not go on exactly as it was."
        )


def _check_repeats(arguments: PolicyArguments) -> None:
    counts = Counter(option.name for option in arguments.options)
    twice = [name for name, count in counts.items() if count > 1 and name not in REPEATABLE]
    if twice:
        raise InvalidPolicy(f"The option --{twice[0]} is given more than once.")
    crossings = sum(counts[name] for name in _CROSSINGS)
    if crossings > _INTERACTIONS:
        raise InvalidPolicy(f"There may be {_INTERACTIONS} interactions at most, not {crossings}.")


def _check_size(arguments: PolicyArguments, *, bits: int) -> None:
    """Each of several models has its own weights: 16 to 32 bytes for each of 2 to the power of ``bits``."""
    models = 1 + max([0, *(int(n) for name in ("bag", "cover", "rnd") for n in arguments.values(name))])
    if bits + models.bit_length() - 1 > _WEIGHT_BITS:
        raise InvalidPolicy(f"{models - 1} models of {bits} bits need too much memory; lower -b.")
