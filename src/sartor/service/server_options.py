"""The options of the server in an api process, made from its settings: TLS, tokens, proxies, request log."""

import secrets
from collections.abc import Callable
from pathlib import Path

from sartor.access.allowed_networks import parse_networks
from sartor.access.asgi import ASGIApp
from sartor.access.authentication import TokenVerifier
from sartor.access.destinations import parse_destinations
from sartor.access.secrets import resolver
from sartor.access.served_loops import LoopTable
from sartor.access.trusted_proxies import TrustedProxies
from sartor.api.http.tls import Certificates
from sartor.api.request_log import RequestLog
from sartor.errors import InvalidSetting
from sartor.ports import Stores
from sartor.settings import ServeSettings

_SECRET = "diagnostics"


class ServerOptions:
    """TLS certificates, the verifier of tokens, what callers may reach, and the middleware around it all."""

    def __init__(self, settings: ServeSettings, /) -> None:
        """Read the files that the settings name.

        Raises:
            InvalidSetting: a file can't be read or does not fit, or one of a pair is missing.
            StoreUnavailable: the vault that holds a secret can't be reached.
        """
        self.owner_key = resolver.find_owner_key()
        self.certificates = _read_certificates(settings)
        self.token_verifier = _create_token_verifier(settings)
        self.allowed_destinations = parse_destinations(settings.allowed_destinations)
        self._proxies = [one.strip() for one in (settings.trusted_proxies or "").split(",") if one.strip()]
        parse_networks(self._proxies)
        self._forwarded_header = settings.forwarded_header
        self._logs_requests = settings.diagnostics
        self.waiting_jobs = settings.waiting_jobs

    def wrap(
        self,
        app: ASGIApp,
        loop_table: LoopTable,
        stores: Stores,
        /,
        *,
        open_log: Callable[[], Callable[[str], None]],
    ) -> ASGIApp:
        """Wrap the application; ``open_log`` returns what writes a line of the request log."""
        if self._logs_requests:
            secret = stores.secret(_SECRET, lambda: secrets.token_bytes(32))
            app = RequestLog(app, loop_table, secret=secret, write_line=open_log())
        if not self._proxies:
            return app
        return TrustedProxies(app, self._proxies, header=self._forwarded_header)


def _read_certificates(settings: ServeSettings) -> Certificates | None:
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise InvalidSetting("TLS needs both --tls-cert and --tls-key.")
    return Certificates(Path(settings.tls_cert), Path(settings.tls_key))


def _create_token_verifier(settings: ServeSettings) -> TokenVerifier | None:
    if settings.tokens is None:
        return None
    # Only here: an instance without tokens does not load the libraries for them.
    from sartor.access.tokens import issuers
    from sartor.access.tokens.verifier import JwtVerifier

    return JwtVerifier(issuers.read_issuers(Path(settings.tokens)))
