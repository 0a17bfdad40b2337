"""``sartor serve``: the whole service with one command."""

from typing import TYPE_CHECKING

from sartor.cli.options import (
    DEFAULTS,
    ApiProcesses,
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
from sartor.settings import ServeSettings

if TYPE_CHECKING:
    from sartor.ports import Loop
    from sartor.runtime.instance_lock import InstanceLock


def serve(
    data: Data = DEFAULTS.data,
    host: Host = DEFAULTS.host,
    port: Port = DEFAULTS.port,
    api_processes: ApiProcesses = DEFAULTS.api_processes,
    durability: Durable = DEFAULTS.durability,
    compute: Compute = DEFAULTS.compute,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tokens: Tokens = None,
    trusted_proxies: TrustedProxies = None,
    diagnostics: Diagnostics = False,
    log_format: LogLines = DEFAULTS.log_format,
) -> None:
    """Run the service: answer requests, learn, keep house. Stop it with Ctrl-C or SIGTERM.

    The first start makes the folder and a loop named 'default', and prints its endpoint and its keys; 'sartor
    loop keys default' prints them again. A process that dies is replaced; the folder belongs to one 'serve'.
    """
    settings = ServeSettings(
        data=data,
        host=host,
        port=port,
        api_processes=api_processes,
        durability=durability,
        compute=compute,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tokens=tokens,
        trusted_proxies=trusted_proxies,
        diagnostics=diagnostics,
        log_format=log_format,
    )
    from sartor.runtime import compose
    from sartor.runtime import log_format as journal
    from sartor.runtime.instance_lock import InstanceLock

    journal.start("serve", as_json=log_format == "json")
    _check_entrance(settings)
    instance = InstanceLock(compose.data_folder(data))
    with instance.only_supervisor(patience_s=0.5):
        _run(settings, instance)


def _check_entrance(settings: ServeSettings) -> None:
    """What does not fit shall stop the start, not a child again and again."""
    from sartor.access.secrets import resolver

    resolver.find_owner_key()
    if settings.tls_cert or settings.tls_key or settings.tokens or settings.trusted_proxies:
        from sartor.service.server_options import ServerOptions  # loads what answers requests: 0.13 s

        ServerOptions(settings)


def _run(settings: ServeSettings, instance: "InstanceLock") -> None:
    from sartor.cli.startup_message import StartupMessage
    from sartor.service import listener, supervisor

    with listener.listen(settings.host, settings.port) as opened:
        endpoint = listener.endpoint(opened, settings.host, secure=settings.tls_cert is not None)
        instance.announce(endpoint)
        welcome = StartupMessage(endpoint, settings.data, _first_loop(settings))
        supervisor.supervise(settings, opened, on_ready=welcome.show)


def _first_loop(settings: ServeSettings) -> "Loop | None":
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(settings.data, durability=settings.durability) as stores:
        return None if stores.catalog.loops() else loops.create_loop(stores, "default")
