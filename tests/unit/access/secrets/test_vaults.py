"""Both kinds of vault by HTTP(S), against servers that check what they are asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sartor.access.secrets import resolver
from sartor.access.secrets.azure import AzureVault
from sartor.access.secrets.hashicorp import HashicorpVault
from sartor.access.secrets.vault import VAULT
from sartor.api.http.tls import Certificates
from sartor.errors import StoreUnavailable
from sartor.management import loops
from sartor.runtime import compose
from tests.unit.redirecting_server import STATUSES, RecordingServer
from tests.unit.threaded_server import serve_in_thread
from tests.wire.certificates import authority

SECRETS = {"SARTOR_OWNER_KEY": "the-owner-key-in-the-vault", "SARTOR_SECRET_KEY": "a master key in the vault"}
Answers = Callable[[str, dict[str, str]], tuple[int, dict[str, str], Any]]


@contextmanager
def vault(answers: Answers, tls: Certificates | None = None) -> Iterator[str]:
    """A server on a free port; ``answers`` gives status, headers and JSON for a path and headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, content = answers(self.path, {k.lower(): v for k, v in self.headers.items()})
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in (headers | {"content-type": "application/json"}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http{'' if tls is None else 's'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def hashicorp(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
    """A key-value store of version 2 at ``kv``, with one secret."""
    if headers.get("x-vault-token") != "opens-it":
        return 403, {}, {"errors": ["permission denied"]}
    if path != "/v1/kv/data/team/sartor":
        return 404, {}, {"errors": []}
    return 200, {}, {"data": {"data": SECRETS, "metadata": {"version": 3}}}


def test_hashicorp() -> None:
    with vault(hashicorp) as url:
        there = HashicorpVault(f"{url}/kv/team/sartor", token="opens-it")
        assert there.read("SARTOR_OWNER_KEY") == SECRETS["SARTOR_OWNER_KEY"]
        assert there.read("SOMETHING_ELSE") is None
        assert HashicorpVault(f"{url}/kv/nothing", token="opens-it").read("SARTOR_OWNER_KEY") is None
        with pytest.raises(StoreUnavailable) as refused:
            HashicorpVault(f"{url}/kv/team/sartor", token="wrong-token").read("SARTOR_OWNER_KEY")
    assert "wrong-token" not in refused.value.message
    with pytest.raises(StoreUnavailable):
        HashicorpVault(f"{url}/kv/team/sartor", token="opens-it").read("SARTOR_OWNER_KEY")


def azure(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
    """A vault that first asks who calls, as Key Vault does."""
    if headers.get("authorization") is None:
        challenge = 'Bearer authorization="https://login.example/tenant", resource="https://vault.azure.net"'
        return 401, {"www-authenticate": challenge}, {"error": {"code": "Unauthorized", "message": "who?"}}
    if headers["authorization"] != "Bearer opens-it":
        return 403, {}, {"error": {"code": "Forbidden", "message": "not you"}}
    name = path.removeprefix("/secrets/").partition("/")[0].partition("?")[0]
    found = {key.lower().replace("_", "-"): value for key, value in SECRETS.items()}.get(name)
    if found is None:
        return 404, {}, {"error": {"code": "SecretNotFound", "message": "no"}}
    return (
        200,
        {},
        {"value": found, "id": f"https://127.0.0.1/secrets/{name}/1", "attributes": {"enabled": True}},
    )


def test_azure(tmp_path: Path) -> None:
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    authority().issue(*files)
    options = {
        "verify_challenge_resource": False,
        "connection_verify": str(authority().write(tmp_path)),
        "retry_total": 0,
    }
    with vault(azure, Certificates(*files)) as url:
        there = AzureVault(url, token="opens-it", **options)
        assert there.read("SARTOR_OWNER_KEY") == SECRETS["SARTOR_OWNER_KEY"]
        assert there.read("SOMETHING_ELSE") is None
        with pytest.raises(StoreUnavailable) as refused:
            AzureVault(url, token="wrong-token", **options).read("SARTOR_OWNER_KEY")
        assert "wrong-token" not in refused.value.message
    with pytest.raises(StoreUnavailable):
        AzureVault(url, token="opens-it", **options).read("SARTOR_OWNER_KEY")


@pytest.mark.parametrize("status", STATUSES)
def test_a_vault_that_sends_elsewhere(tmp_path: Path, status: int) -> None:
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    authority().issue(*files)
    options = {
        "verify_challenge_resource": False,
        "connection_verify": str(authority().write(tmp_path)),
        "retry_total": 0,
    }
    with serve_in_thread(RecordingServer()) as elsewhere:

        def send_elsewhere(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
            known = headers.get("authorization") or headers.get("x-vault-token")
            return (status, {"location": f"{elsewhere.url}{path}"}, {}) if known else azure(path, headers)

        with vault(send_elsewhere) as url, pytest.raises(StoreUnavailable):
            HashicorpVault(f"{url}/kv/team/sartor", token="opens-it").read("SARTOR_OWNER_KEY")
        with vault(send_elsewhere, Certificates(*files)) as url, pytest.raises(StoreUnavailable):
            AzureVault(url, token="opens-it", **options).read("SARTOR_OWNER_KEY")
        assert elsewhere.received == []


def test_the_keys_of_loops_are_sealed_with_a_key_from_a_vault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("opens-it\n")
    monkeypatch.setenv(f"{resolver.VAULT_TOKEN}_FILE", str(tmp_path / "token"))
    with vault(hashicorp) as url:
        monkeypatch.setenv(VAULT, f"hashicorp+{url}/kv/team/sartor")
        assert resolver.find_owner_key() == SECRETS["SARTOR_OWNER_KEY"]
        with compose.open_instance(str(tmp_path / "data"), must_exist=False) as stores:
            made = loops.create_loop(stores, "shop")
        assert not (tmp_path / "data" / "secret.key").exists()
    monkeypatch.delenv(VAULT)
    monkeypatch.setenv(resolver.SECRET_KEY, SECRETS["SARTOR_SECRET_KEY"])
    with compose.open_instance(str(tmp_path / "data")) as stores:
        assert loops.find_loop(stores, "shop") == made
