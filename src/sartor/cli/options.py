"""The flags that several commands share. Each can be given by the environment too: ``SARTOR_<NAME>``."""

from typing import Annotated

import msgspec
import typer

from sartor.settings import Durability, LogFormat, ServeSettings

_SCHEMA = msgspec.json.schema(ServeSettings)["$defs"]["ServeSettings"]["properties"]


def described(name: str) -> str:
    """What the table of settings says about a setting of ``sartor serve``."""
    return str(_SCHEMA[name]["description"])


Data = Annotated[str, typer.Option("--data", envvar="SARTOR_DATA", help=described("data"), metavar="DIR")]
Host = Annotated[str, typer.Option("--host", envvar="SARTOR_HOST", help=described("host"))]
Port = Annotated[int, typer.Option("--port", envvar="SARTOR_PORT", help=described("port"), min=0, max=65535)]
ApiProcesses = Annotated[
    int,
    typer.Option(
        "--api-processes", envvar="SARTOR_API_PROCESSES", help=described("api_processes"), min=1, max=64
    ),
]
Durable = Annotated[
    Durability, typer.Option("--durability", envvar="SARTOR_DURABILITY", help=described("durability"))
]
Compute = Annotated[
    str, typer.Option("--compute", envvar="SARTOR_COMPUTE", help=described("compute"), metavar="WHERE")
]
TlsCert = Annotated[
    str | None,
    typer.Option("--tls-cert", envvar="SARTOR_TLS_CERT", help=described("tls_cert"), metavar="FILE"),
]
TlsKey = Annotated[
    str | None,
    typer.Option("--tls-key", envvar="SARTOR_TLS_KEY", help=described("tls_key"), metavar="FILE"),
]
Tokens = Annotated[
    str | None, typer.Option("--tokens", envvar="SARTOR_TOKENS", help=described("tokens"), metavar="FILE")
]
TrustedProxies = Annotated[
    str | None,
    typer.Option(
        "--trusted-proxies",
        envvar="SARTOR_TRUSTED_PROXIES",
        help=described("trusted_proxies"),
        metavar="CIDR,...",
    ),
]
Diagnostics = Annotated[
    bool,
    typer.Option(
        "--diagnostics", envvar="SARTOR_DIAGNOSTICS", help=described("diagnostics"), show_default=False
    ),
]
LogLines = Annotated[
    LogFormat, typer.Option("--log-format", envvar="SARTOR_LOG_FORMAT", help=described("log_format"))
]
AsJson = Annotated[
    bool, typer.Option("--json", envvar="SARTOR_JSON", help="Print JSON, for programs.", show_default=False)
]
LoopName = Annotated[str, typer.Argument(help="The name of the loop.", metavar="NAME")]

DEFAULTS = ServeSettings()
