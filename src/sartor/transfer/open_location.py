"""Opens the location that a path or URL names: which kinds there are, and what each needs."""

from urllib.parse import parse_qsl, urlsplit

from sartor.transfer.locations import FileLocation


def open_location(url: str, /) -> FileLocation:
    """Opens a location. The code for its kind is loaded when needed: a service without a mirror never does.

    Raises:
        LocationUnavailable: there is no such kind of location, or its package is not installed.
    """
    if is_sas_uri(url):
        from sartor.transfer.azure_blob import AzureContainer

        return AzureContainer(url)
    from sartor.transfer.fsspec_location import FsspecLocation

    return FsspecLocation(url)


def is_sas_uri(url: str, /) -> bool:
    """Whether a URL is that of a container with its signature."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and any(name == "sig" for name, _ in parse_qsl(parts.query))
