"""``sartor api``, ``learn`` and ``work``: the processes of ``sartor serve``, each by itself."""

import logging
from typing import Annotated

import typer

from sartor.cli.options import (
    DEFAULTS,
    Compute,
    Data,
    Diagnostics,
    Durable,
    Host,
    LogLines,
    Port,
    TlsCert,
    TlsKey,
    Tokens,
    TrustedProxies,
)
from sartor.settings import LogFormat, ServeSettings

_log = logging.getLogger(__name__)

Lifeline = Annotated[int | None, typer.Option("--lifeline", hidden=True)]
Listener = Annotated[int | None, typer.Option("--listener", hidden=True)]
Ready = Annotated[int | None, typer.Option("--ready", hidden=True)]


def api(
    data: Data = DEFAULTS.data,
    host: Host = DEFAULTS.host,
    port: Port = DEFAULTS.port,
    durability: Durable = DEFAULTS.durability,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tokens: Tokens = None,
    trusted_proxies: TrustedProxies = None,
    diagnostics: Diagnostics = False,
    log_format: LogLines = DEFAULTS.log_format,
    listener: Listener = None,
    lifeline: Lifeline = None,
    ready: Ready = None,
) -> None:
    """Run one process that answers requests, and nothing else; 'sartor serve' runs it for you.

    Several may share a data folder, each on a port of its own.
    """
    _begin("api", lifeline, log_format)
    from sartor.runtime import compose
    from sartor.service import api_process as process
    from sartor.service import listener as sockets
    from sartor.service.server_options import ServerOptions

    settings = ServeSettings(
        tls_cert=tls_cert,
        tls_key=tls_key,
        tokens=tokens,
        trusted_proxies=trusted_proxies,
        diagnostics=diagnostics,
    )
    options = ServerOptions(settings)
    opened = sockets.listen(host, port) if listener is None else sockets.inherited(listener)
    _log.info(
        "Listening at %s.",
        sockets.endpoint(opened, host, secure=tls_cert is not None),
        extra={"action": "listening"},
    )
    with (
        compose.open_instance(data, durability=durability, must_exist=False) as stores,
        compose.open_instance(data, durability=durability) as apart,
    ):
        folder = compose.data_folder(data)
        process.run(
            stores,
            compose.engine_factory(),
            opened,
            apart=apart,
            folder=folder,
            options=options,
            ready=ready,
        )


def learn(
    data: Data = DEFAULTS.data,
    durability: Durable = DEFAULTS.durability,
    log_format: LogLines = DEFAULTS.log_format,
    lifeline: Lifeline = None,
) -> None:
    """Run the one process that settles and learns; 'sartor serve' runs it for you."""
    _begin("learn", lifeline, log_format)
    from sartor.runtime import compose
    from sartor.runtime.instance_lock import InstanceLock
    from sartor.runtime.shutdown import StopSignal
    from sartor.service.learn_process import LearnProcess

    stop_signal = StopSignal()
    stop_signal.listen()
    alone = InstanceLock(compose.data_folder(data)).only_learner(patience_s=5.0)
    with alone, compose.open_instance(data, durability=durability) as stores:
        LearnProcess(stores, compose.engine_factory()).run(stop_signal)


def work(
    data: Data = DEFAULTS.data,
    durability: Durable = DEFAULTS.durability,
    compute: Compute = DEFAULTS.compute,
    log_format: LogLines = DEFAULTS.log_format,
    lifeline: Lifeline = None,
) -> None:
    """Run the process that keeps house and computes evaluations; 'sartor serve' runs it for you."""
    _begin("work", lifeline, log_format)
    from sartor.jobs.launcher import run_jobs
    from sartor.runtime import compose
    from sartor.runtime.shutdown import StopSignal
    from sartor.service import work_process as process

    stop_signal = StopSignal()
    stop_signal.listen()
    with (
        compose.open_instance(data, durability=durability, must_exist=False) as stores,
        run_jobs(data, compute=compute),
    ):
        process.run(stores, stop_signal)


def _begin(role: str, lifeline: int | None, log_format: LogFormat) -> None:
    from sartor.runtime import log_format as journal
    from sartor.runtime.shutdown import watch_parent

    journal.start(role, as_json=log_format == "json")
    if lifeline is not None:
        watch_parent(lifeline)
