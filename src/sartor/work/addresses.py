"""Which place a URL or path names."""

from sartor.work.containers import Container, is_sas_uri
from sartor.work.places import FsspecPlace, Place


def place(url: str, /) -> Place:
    """The place.

    Raises:
        PlaceUnavailable: there is no such kind of place, or its package is not installed.
    """
    return Container(url) if is_sas_uri(url) else FsspecPlace(url)
