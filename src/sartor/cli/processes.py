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
    from sartor.service.server_options import Entrance

    settings = ServeSettings(
        tls_cert=tls_cert,
        tls_key=tls_key,
        tokens=tokens,
        trusted_proxies=trusted_proxies,
        diagnostics=diagnostics,
    )
    entrance = Entrance(settings)
    opened = sockets.listen(host, port) if listener is None else sockets.inherited(listener)
    _log.info(
        "Listening at %s.",
        sockets.endpoint(opened, host, secure=tls_cert is not None),
        extra={"action": "listening"},
    )
    with (
        compose.stores(data, durability=durability, must_exist=False) as stores,
        compose.stores(data, durability=durability) as apart,
    ):
        folder = compose.data_folder(data)
        process.run(
            stores,
            compose.engine_factory(),
            opened,
            apart=apart,
            folder=folder,
            entrance=entrance,
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
    from sartor.runtime.instance_lock import Instance
    from sartor.runtime.shutdown import Alarm
    from sartor.service.learn_process import Learner

    alarm = Alarm()
    alarm.listen()
    alone = Instance(compose.data_folder(data)).only_learner(patience_s=5.0)
    with alone, compose.stores(data, durability=durability) as stores:
        Learner(stores, compose.engine_factory()).run(alarm)


def work(
    data: Data = DEFAULTS.data,
    durability: Durable = DEFAULTS.durability,
    compute: Compute = DEFAULTS.compute,
    log_format: LogLines = DEFAULTS.log_format,
    lifeline: Lifeline = None,
) -> None:
    """Run the process that keeps house and computes evaluations; 'sartor serve' runs it for you."""
    _begin("work", lifeline, log_format)
    from sartor.jobs.launcher import labouring
    from sartor.runtime import compose
    from sartor.runtime.shutdown import Alarm
    from sartor.service import work_process as process

    alarm = Alarm()
    alarm.listen()
    with (
        compose.stores(data, durability=durability, must_exist=False) as stores,
        labouring(data, compute=compute),
    ):
        process.run(stores, alarm)


def _begin(role: str, lifeline: int | None, log_format: LogFormat) -> None:
    from sartor.runtime import log_format as journal
    from sartor.runtime.shutdown import watch

    journal.start(role, as_json=log_format == "json")
    if lifeline is not None:
        watch(lifeline)
