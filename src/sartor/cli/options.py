"""Flags that several commands share. Each can also be set by an environment variable, ``SARTOR_<NAME>``."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer

from sartor.errors import InvalidRequest, InvalidSetting
from sartor.settings import Durability, ForwardedHeader, LogFormat, ServeSettings
from sartor.times import parse_time_us

_SCHEMA = msgspec.json.schema(ServeSettings)["$defs"]["ServeSettings"]["properties"]


def describe(name: str, /) -> str:
    """Return the description of a setting of ``sartor serve`` from the table of settings."""
    return str(_SCHEMA[name]["description"])


Data = Annotated[str, typer.Option("--data", envvar="SARTOR_DATA", help=describe("data"), metavar="DIR")]
Host = Annotated[str, typer.Option("--host", envvar="SARTOR_HOST", help=describe("host"))]
Port = Annotated[int, typer.Option("--port", envvar="SARTOR_PORT", help=describe("port"), min=0, max=65535)]
ApiProcesses = Annotated[
    int,
    typer.Option(
        "--api-processes", envvar="SARTOR_API_PROCESSES", help=describe("api_processes"), min=1, max=64
    ),
]
Durable = Annotated[
    Durability, typer.Option("--durability", envvar="SARTOR_DURABILITY", help=describe("durability"))
]
Compute = Annotated[
    str, typer.Option("--compute", envvar="SARTOR_COMPUTE", help=describe("compute"), metavar="WHERE")
]
WaitingJobs = Annotated[
    int,
    typer.Option(
        "--waiting-jobs", envvar="SARTOR_WAITING_JOBS", help=describe("waiting_jobs"), min=1, max=10_000
    ),
]
TlsCert = Annotated[
    str | None,
    typer.Option("--tls-cert", envvar="SARTOR_TLS_CERT", help=describe("tls_cert"), metavar="FILE"),
]
TlsKey = Annotated[
    str | None,
    typer.Option("--tls-key", envvar="SARTOR_TLS_KEY", help=describe("tls_key"), metavar="FILE"),
]
Tokens = Annotated[
    str | None, typer.Option("--tokens", envvar="SARTOR_TOKENS", help=describe("tokens"), metavar="FILE")
]
TrustedProxies = Annotated[
    str | None,
    typer.Option(
        "--trusted-proxies",
        envvar="SARTOR_TRUSTED_PROXIES",
        help=describe("trusted_proxies"),
        metavar="CIDR,...",
    ),
]
ForwardedBy = Annotated[
    ForwardedHeader,
    typer.Option("--forwarded-header", envvar="SARTOR_FORWARDED_HEADER", help=describe("forwarded_header")),
]
AllowedDestinationsFlag = Annotated[
    str,
    typer.Option(
        "--allowed-destinations",
        envvar="SARTOR_ALLOWED_DESTINATIONS",
        help=describe("allowed_destinations"),
        metavar="DESTINATION,...",
    ),
]
Diagnostics = Annotated[
    bool,
    typer.Option(
        "--diagnostics", envvar="SARTOR_DIAGNOSTICS", help=describe("diagnostics"), show_default=False
    ),
]
LogLines = Annotated[
    LogFormat, typer.Option("--log-format", envvar="SARTOR_LOG_FORMAT", help=describe("log_format"))
]
AsJson = Annotated[
    bool, typer.Option("--json", envvar="SARTOR_JSON", help="Print JSON, for programs.", show_default=False)
]
Yes = Annotated[bool, typer.Option("--yes", "-y", envvar="SARTOR_YES", help="Don't ask.", show_default=False)]
LoopName = Annotated[str, typer.Argument(help="The name of the loop.", metavar="NAME")]
EventId = Annotated[str, typer.Argument(help="The event id of the decision.", metavar="EVENT_ID")]

DEFAULTS = ServeSettings()


def parse_named_values(texts: Sequence[str] | None, /) -> dict[str, str]:
    """Parse ``NAME=VALUE`` texts into a mapping; a value may be empty.

    Raises:
        InvalidSetting: one has no equals sign, or no name.
    """
    values: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidSetting(f"{text!r} has no name or no '=': write it as NAME=VALUE.")
        values[name] = value
    return values


def parse_time(text: str | None, /) -> int | None:
    """Parse a time to microseconds since 1970; UTC where it names no zone. None stays None.

    Raises:
        InvalidRequest: it is none, or out of range.
    """
    if text is None:
        return None
    try:
        return parse_time_us(text)
    except ValueError as error:
        raise InvalidRequest(f"{error}.") from error
