"""One tree of errors; the docstring is the message; the drawing on top shows the tree as it is."""

import re

import pytest

from sartor import errors
from sartor.errors import CallerError, InvalidRequest, Overloaded, SartorError, StoreUnavailable, Unavailable

ALL = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, Exception) and error.__module__ == errors.__name__
]


def drawn_tree() -> list[tuple[int, str]]:
    """Depth and name of each line of the drawing."""
    drawing = errors.__doc__ or ""
    found = re.findall(r"^    ((?:│   |    )*)(?:├── |└── )?([A-Z]\w+)", drawing, flags=re.MULTILINE)
    lines = [line for line in drawing.splitlines() if re.match(r"    (\W*)([A-Z]\w+)", line)]
    depths = [(len(line) - len(line.lstrip(" │├└─")) - 4) // 4 for line in lines]
    return list(zip(depths, [name for _, name in found], strict=True))


def real_tree(error: type[Exception] = SartorError, depth: int = 0) -> list[tuple[int, str]]:
    ours = [child for child in error.__subclasses__() if child.__module__ == SartorError.__module__]
    below = [line for child in ours for line in real_tree(child, depth + 1)]
    return [(depth, error.__name__), *below]


def test_the_drawing_is_the_tree() -> None:
    assert drawn_tree() == real_tree()


@pytest.mark.parametrize("error", ALL)
def test_every_error_says_what_happened_without_being_told(error: type[SartorError]) -> None:
    message = error().message
    assert message == str(error())
    assert message == " ".join((error.__doc__ or "").split())
    assert re.fullmatch(r"[A-Z].*[.]", message)


def test_a_message_of_ones_own_replaces_the_default() -> None:
    assert InvalidRequest("The field 'actions' is missing.").message == "The field 'actions' is missing."


def test_mistakes_of_callers_and_troubles_of_the_service_are_told_apart() -> None:
    assert issubclass(InvalidRequest, CallerError)
    assert issubclass(StoreUnavailable, Unavailable)
    assert issubclass(Overloaded, Unavailable)
    assert not issubclass(Unavailable, CallerError)
