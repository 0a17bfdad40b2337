"""Opens the location that a path or URL names: which kinds there are, and what each needs."""

from sartor.access.destinations import AllowedDestinations, is_sas_uri
from sartor.errors import DestinationRefused, LocationUnavailable
from sartor.ports import Loop
from sartor.transfer.locations import FileLocation


def open_location(url: str, /, *, allowed: AllowedDestinations | None = None) -> FileLocation:
    """Opens a location. The code for its kind is loaded when needed: a service without a mirror never does.

    Args:
        url: a path or a URL.
        allowed: what may be reached for whoever gave the URL; None: whoever runs the instance did.

    Raises:
        LocationUnavailable: there is no such kind of location, or its package is not installed.
        DestinationRefused: it is not allowed.
    """
    reach = "any" if allowed is None else allowed.check(url)
    if is_sas_uri(url):
        from sartor.transfer.azure_blob import AzureContainer

        return AzureContainer(url, reach=reach)
    from sartor.transfer.fsspec_location import FsspecLocation

    return FsspecLocation(url)


def open_mirror(loop: Loop, /, *, allowed: AllowedDestinations) -> FileLocation:
    """Opens the target of a loop's mirror.

    Raises:
        LocationUnavailable: there is none, it can't be opened, or a caller set it and it is not allowed now.
    """
    url = loop.settings.log_mirror_sas_uri
    if not url:
        raise LocationUnavailable("The mirror has no target.")
    try:
        return open_location(url, allowed=None if loop.mirror_by_operator else allowed)
    except DestinationRefused as error:
        raise LocationUnavailable(
            f"The target {error.message}. Nothing is copied until it is set again: sartor loop set {loop.name} "
            "logMirrorSasUri=URL takes any place."
        ) from error
