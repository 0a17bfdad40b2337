"""Learning settings as words, whatever engine they are for."""

import shlex

from sartor.errors import InvalidPolicy

CHARACTERS = 1024
"""Learning settings have this many at most."""


def split_words(text: str, /) -> list[str]:
    """Returns the words of learning settings, without their quotes.

    Raises:
        InvalidPolicy: they are too long, hold other than printable ASCII characters, or a quotation has no end.
    """
    if len(text) > CHARACTERS:
        raise InvalidPolicy(f"Learning settings may have {CHARACTERS} characters at most, not {len(text)}.")
    if not text.isprintable() or not text.isascii():
        raise InvalidPolicy("Learning settings may hold printable ASCII characters only.")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InvalidPolicy("A quotation in the learning settings has no end.") from error
