"""What else was exported of a loop from the retired service: its policy, its configuration, its model."""

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from sartor.errors import InvalidRequest
from sartor.settings import LoopSettings
from sartor.transfer.open_location import open_location

_LARGEST_BYTES = 2**30
_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d\d):(\d\d):(\d\d)(?:\.\d+)?")

_LEFT_OUT = {
    "lastConfigurationEditDate": "the service sets it",
    "latestApprenticeModeMetrics": "the service counts it",
    "logMirrorEnabled": "where a log is copied to is set anew for this loop",
    "logMirrorSasUri": "where a log is copied to is set anew for this loop",
}


class ExportedPolicy(Struct, frozen=True):
    """Learning settings as they are downloaded: a name and VW arguments (contract, section 1.6)."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    arguments: Annotated[str, Meta(min_length=1, max_length=1024)]


class ExportedConfiguration(Struct, frozen=True, kw_only=True):
    """The settings in a configuration; ``left_out``: what is not taken, and why."""

    changes: dict[str, object]
    left_out: dict[str, str]


def read_content(url: str, /) -> bytes:
    """Reads one file.

    Raises:
        LocationUnavailable: it can't be read.
        InvalidRequest: there are several, or it is larger than 1 GiB.
    """
    location = open_location(url)
    found = location.files()
    if len(found) != 1 or found[0].size > _LARGEST_BYTES:
        raise InvalidRequest(f"{location.label} must be one file of at most 1 GiB.")
    with location.open(found[0].path) as stream:
        return stream.read()


def read_policy(raw: bytes, /) -> ExportedPolicy:
    """Decodes a policy file.

    Raises:
        InvalidRequest: it is not one.
    """
    try:
        return msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"), type=ExportedPolicy)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f'A policy is a JSON object like {{"name": "…", "arguments": "--cb_explore_adf …"}}: {error}.'
        raise InvalidRequest(message) from error


def read_configuration(raw: bytes, /) -> ExportedConfiguration:
    """Decodes a file of settings: an object with the names of the wire (contract, section 1.5).

    Raises:
        InvalidRequest: it is not one.
    """
    try:
        members = msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"), type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"A configuration is a JSON object with the names of settings: {error}."
        ) from error
    left_out = {name: why for name, value in members.items() if (why := _reason_left_out(name, value))}
    changes = {name: _to_iso_duration(value) for name, value in members.items() if name not in left_out}
    return ExportedConfiguration(changes=changes, left_out=left_out)


def _reason_left_out(name: str, value: object) -> str | None:
    if name in _LEFT_OUT:
        return _LEFT_OUT[name]
    if name not in _settings():
        return "there is no such setting here"
    return "it has no value" if value is None else None


def _settings() -> Mapping[str, object]:
    settings: dict[str, object] = msgspec.to_builtins(LoopSettings())
    return settings


def _to_iso_duration(value: object) -> object:
    """Converts a duration in the format of 2019, ``00:10:00``, to ISO 8601; other values stay."""
    found = _TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return f"P{days}DT{hours}H{minutes}M{seconds}S"
