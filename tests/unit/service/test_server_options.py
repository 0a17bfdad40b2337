"""What stands before the application, as the settings have it; what does not fit stops the start."""

import json
from pathlib import Path

import pytest

from sartor.access.asgi import Receive, Scope, Send
from sartor.access.served_loops import LoopTable
from sartor.access.trusted_proxies import TrustedProxies
from sartor.api.request_log import RequestLog
from sartor.errors import InvalidSetting
from sartor.service.server_options import ServerOptions
from sartor.settings import ServeSettings
from sartor.testing.stores import MemoryStores
from tests.wire.certificates import authority


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers nothing."""


def test_by_default_there_is_nothing_in_between() -> None:
    options = ServerOptions(ServeSettings())
    assert (options.owner_key, options.certificates, options.token_verifier) == ("", None, None)
    assert options.wrap(app, LoopTable(), MemoryStores(), open_log=lambda: print) is app


def test_everything_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARTOR_OWNER_KEY", "0123456789abcdef")
    cert, key, tokens = tmp_path / "c.pem", tmp_path / "k.pem", tmp_path / "t.json"
    authority().issue(cert, key)
    tokens.write_text(json.dumps({"issuers": [{"issuer": "https://x.example", "audiences": ["a"]}]}))
    settings = ServeSettings(
        tls_cert=str(cert),
        tls_key=str(key),
        tokens=str(tokens),
        trusted_proxies="10.0.0.0/8, 192.0.2.1/32",
        diagnostics=True,
    )
    options = ServerOptions(settings)
    assert options.owner_key == "0123456789abcdef"
    assert options.certificates is not None
    assert options.token_verifier is not None
    outer = options.wrap(app, LoopTable(), MemoryStores(), open_log=lambda: print)
    assert isinstance(outer, TrustedProxies)
    assert isinstance(outer._app, RequestLog)


@pytest.mark.parametrize(
    "settings",
    [
        ServeSettings(tls_cert="cert.pem"),
        ServeSettings(tls_key="key.pem"),
        ServeSettings(tls_cert="no.pem", tls_key="no.pem"),
        ServeSettings(tokens="no.json"),
        ServeSettings(trusted_proxies="10.0.0.1/8"),
    ],
)
def test_what_does_not_fit(settings: ServeSettings) -> None:
    with pytest.raises(InvalidSetting):
        ServerOptions(settings)


def test_an_owner_key_that_can_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARTOR_OWNER_KEY", "admin")
    with pytest.raises(InvalidSetting, match="16 characters"):
        ServerOptions(ServeSettings())
