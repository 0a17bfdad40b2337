"""``sartor serve``, and the processes it runs, each by itself: ``sartor api``, ``learn`` and ``work``."""

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli.options import (
    DEFAULTS,
    AllowedDestinationsFlag,
    ApiProcesses,
    Compute,
    Data,
    Diagnostics,
    Durable,
    ForwardedBy,
    Host,
    LogLines,
    Port,
    TlsCert,
    TlsKey,
    Tokens,
    TrustedProxies,
    WaitingJobs,
)
from sartor.settings import LogFormat, ServeSettings

if TYPE_CHECKING:
    from sartor.ports import Loop
    from sartor.runtime.instance_lock import InstanceLock
    from sartor.runtime.shutdown import StopSignal

_log = logging.getLogger(__name__)

Lifeline = Annotated[int | None, typer.Option("--lifeline", hidden=True)]
Listener = Annotated[int | None, typer.Option("--listener", hidden=True)]
Ready = Annotated[int | None, typer.Option("--ready", hidden=True)]


def serve(
    data: Data = DEFAULTS.data,
    host: Host = DEFAULTS.host,
    port: Port = DEFAULTS.port,
    api_processes: ApiProcesses = DEFAULTS.api_processes,
    durability: Durable = DEFAULTS.durability,
    compute: Compute = DEFAULTS.compute,
    waiting_jobs: WaitingJobs = DEFAULTS.waiting_jobs,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tokens: Tokens = None,
    trusted_proxies: TrustedProxies = None,
    forwarded_header: ForwardedBy = DEFAULTS.forwarded_header,
    allowed_destinations: AllowedDestinationsFlag = DEFAULTS.allowed_destinations,
    diagnostics: Diagnostics = False,
    log_format: LogLines = DEFAULTS.log_format,
) -> None:
    """Run the service: answer requests, learn, do housekeeping. Stop it with Ctrl-C or SIGTERM.

    The first start creates the folder and a loop named 'default', and prints its endpoint and its keys; 'sartor
    loop keys default' prints them again. A process that dies is replaced. Only one 'serve' can use a folder.
    """
    settings = ServeSettings(
        data=data,
        host=host,
        port=port,
        api_processes=api_processes,
        durability=durability,
        compute=compute,
        waiting_jobs=waiting_jobs,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tokens=tokens,
        trusted_proxies=trusted_proxies,
        forwarded_header=forwarded_header,
        allowed_destinations=allowed_destinations,
        diagnostics=diagnostics,
        log_format=log_format,
    )
    from sartor.runtime import compose
    from sartor.runtime.instance_lock import InstanceLock

    _start_logging("serve", log_format)
    _check_server_options(settings)
    instance = InstanceLock(compose.data_folder(data))
    with instance.only_supervisor(patience_s=0.5):
        compose.make_private(data)
        _supervise(settings, instance)


def _check_server_options(settings: ServeSettings) -> None:
    """Check the options that only child processes use, so that a wrong one ends the start, not every child."""
    from sartor.access.destinations import parse_destinations
    from sartor.access.secrets import resolver

    parse_destinations(settings.allowed_destinations)
    resolver.find_owner_key()
    if settings.tls_cert or settings.tls_key or settings.tokens or settings.trusted_proxies:
        from sartor.service.server_options import ServerOptions  # imports the whole API: 0.13 s

        ServerOptions(settings)


def _supervise(settings: ServeSettings, instance: "InstanceLock") -> None:
    from sartor.cli.startup_message import StartupMessage
    from sartor.runtime import compose
    from sartor.service import listener, supervisor

    with listener.listen(settings.host, settings.port) as opened:
        endpoint = listener.format_endpoint(opened, settings.host, secure=settings.tls_cert is not None)
        instance.announce(endpoint)
        message = StartupMessage(endpoint, settings.data, _create_first_loop(settings))
        reports = compose.open_reports(settings.data)
        supervisor.supervise(settings, opened, reports=reports, on_ready=message.show)


def _create_first_loop(settings: ServeSettings) -> "Loop | None":
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(settings.data, durability=settings.durability) as stores:
        known = stores.catalog.loops() or stores.catalog.unreadable()
        return None if known else loops.create_loop(stores, "default")


def api(
    data: Data = DEFAULTS.data,
    host: Host = DEFAULTS.host,
    port: Port = DEFAULTS.port,
    durability: Durable = DEFAULTS.durability,
    waiting_jobs: WaitingJobs = DEFAULTS.waiting_jobs,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tokens: Tokens = None,
    trusted_proxies: TrustedProxies = None,
    forwarded_header: ForwardedBy = DEFAULTS.forwarded_header,
    allowed_destinations: AllowedDestinationsFlag = DEFAULTS.allowed_destinations,
    diagnostics: Diagnostics = False,
    log_format: LogLines = DEFAULTS.log_format,
    listener: Listener = None,
    lifeline: Lifeline = None,
    ready: Ready = None,
) -> None:
    """Run one process that answers requests, and nothing else; 'sartor serve' runs it for you.

    Several can share a data folder, each on a port of its own.
    """
    _start_process("api", lifeline, log_format)
    from sartor.runtime import compose
    from sartor.service import api_process
    from sartor.service import listener as sockets
    from sartor.service.server_options import ServerOptions

    settings = ServeSettings(
        waiting_jobs=waiting_jobs,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tokens=tokens,
        trusted_proxies=trusted_proxies,
        forwarded_header=forwarded_header,
        allowed_destinations=allowed_destinations,
        diagnostics=diagnostics,
    )
    options = ServerOptions(settings)
    opened = sockets.listen(host, port) if listener is None else sockets.adopt_listener(listener)
    endpoint = sockets.format_endpoint(opened, host, secure=tls_cert is not None)
    _log.info("Listening at %s.", endpoint, extra={"action": "listening"})
    with (
        compose.open_instance(data, durability=durability, must_exist=False) as stores,
        compose.open_instance(data, durability=durability) as apart,
    ):
        api_process.run(
            stores,
            compose.engine_factory(),
            opened,
            apart=apart,
            folder=compose.data_folder(data),
            options=options,
            ready=ready,
            is_supervised=lifeline is not None,
        )


def learn(
    data: Data = DEFAULTS.data,
    durability: Durable = DEFAULTS.durability,
    log_format: LogLines = DEFAULTS.log_format,
    lifeline: Lifeline = None,
) -> None:
    """Run the one process that settles and learns; 'sartor serve' runs it for you."""
    _start_process("learn", lifeline, log_format)
    from sartor.runtime import compose
    from sartor.runtime.instance_lock import InstanceLock
    from sartor.service.learn_process import LearnProcess

    stop_signal = _listen_for_stop()
    alone = InstanceLock(compose.data_folder(data)).only_learner(patience_s=5.0)
    with alone, compose.open_instance(data, durability=durability) as stores:
        LearnProcess(stores, compose.engine_factory()).run(stop_signal)


def work(
    data: Data = DEFAULTS.data,
    durability: Durable = DEFAULTS.durability,
    compute: Compute = DEFAULTS.compute,
    allowed_destinations: AllowedDestinationsFlag = DEFAULTS.allowed_destinations,
    log_format: LogLines = DEFAULTS.log_format,
    lifeline: Lifeline = None,
) -> None:
    """Run the process that does housekeeping and computes evaluations; 'sartor serve' runs it for you."""
    _start_process("work", lifeline, log_format)
    from sartor.access.destinations import parse_destinations
    from sartor.jobs.launcher import run_jobs
    from sartor.runtime import compose
    from sartor.service import work_process

    allowed = parse_destinations(allowed_destinations)
    stop_signal = _listen_for_stop()
    with (
        compose.open_instance(data, durability=durability, must_exist=False) as stores,
        run_jobs(data, compute=compute) as find_job_problems,
    ):
        work_process.run(stores, stop_signal, allowed=allowed, find_job_problems=find_job_problems)


def _start_process(role: str, lifeline: int | None, log_format: LogFormat) -> None:
    _start_logging(role, log_format)
    if lifeline is not None:
        from sartor.runtime.shutdown import watch_parent

        watch_parent(lifeline)


def _start_logging(role: str, log_format: LogFormat) -> None:
    from sartor.runtime.log_format import start

    start(role, as_json=log_format == "json")


def _listen_for_stop() -> "StopSignal":
    from sartor.runtime.shutdown import StopSignal

    stop_signal = StopSignal()
    stop_signal.listen()
    return stop_signal
