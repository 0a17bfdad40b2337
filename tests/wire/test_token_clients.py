"""The official clients of both languages with bearer tokens, by HTTPS, unchanged."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from azure.ai import personalizer as preview
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError

from sartor.access.tokens.verifier import JwtVerifier
from sartor.api.http.tls import Certificates
from tests.unit.access.tokens.issuer import TokenIssuer, serving
from tests.wire.certificates import authority
from tests.wire.clients import javascript, python_v1
from tests.wire.harness import Service, served

SCRIPT = Path(__file__).with_name("token_clients.cjs")

pytestmark = pytest.mark.filterwarnings(python_v1.OLD_CLOCK)


class Secured(NamedTuple):
    """A service that speaks TLS and accepts tokens."""

    service: Service
    endpoint: str
    issuer: TokenIssuer
    authority: str


@pytest.fixture
def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secured]:
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    authority().issue(*files)
    trusted = str(authority().write(tmp_path))
    # How a company's own authority is made known to these clients.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", trusted)
    with serving(TokenIssuer()) as issuer:
        service = Service(token_verifier=JwtVerifier(issuer.trusted()))
        with served(service, tls=Certificates(*files)) as url:
            yield Secured(service, url.replace("http://", "https://") + "/loops/default", issuer, trusted)
        service.close()


class Token:
    """A token credential of azure-core."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 600)


def events(service: Service) -> tuple[list[str], list[tuple[str, float | None]]]:
    """What reached the log."""
    decided = [logged.decision.event_id for logged in service.decisions()]
    observed = [(one.observation.event_id, one.observation.reward) for one in service.observations()]
    return decided, observed


ACTIONS = [{"id": name, "features": [{"taste": name}]} for name in ("salty", "sweet")]


def python_client(secured: Secured, *roles: str) -> Any:
    """The v1.0 client, with a token."""
    token = {"access_token": secured.issuer.token(*roles)}
    credentials = python_v1.authentication.BasicTokenAuthentication(token)
    return python_v1.personalizer.PersonalizerClient(secured.endpoint, credentials)


def test_python_v1(secured: Secured) -> None:
    user = python_client(secured, "Shop.User")
    ranked = user.rank({"actions": ACTIONS, "eventId": "a/b é", "deferActivation": True})
    assert ranked.reward_action_id in {"salty", "sweet"}
    user.events.activate("a/b é")
    user.events.reward("a/b é", 0.5)
    assert events(secured.service) == (["a/b é"], [("a/b é", None), ("a/b é", 0.5)])
    with pytest.raises(python_v1.exceptions.HttpOperationError) as refused:
        python_client(secured, "Shop.Reader").rank({"actions": ACTIONS})
    assert refused.value.response.status_code == 403


def test_python_preview(secured: Secured) -> None:
    def client(kind: str, *roles: str) -> Any:
        return getattr(preview, kind)(secured.endpoint, Token(secured.issuer.token(*roles)))

    with client("PersonalizerClient", "Shop.User") as user:
        ranked = user.rank({"actions": ACTIONS, "eventId": "e"})
        assert ranked["rewardActionId"] in {"salty", "sweet"}
    with client("PersonalizerAdministrationClient", "Shop.Reader") as reader:
        assert reader.get_policy()["arguments"].startswith("--sartor")
        with pytest.raises(HttpResponseError) as refused:
            reader.reset_policy()
    assert refused.value.status_code == 403
    assert events(secured.service) == (["e"], [])


def test_javascript(secured: Secured) -> None:
    good, wrong = secured.issuer.token("Shop.User"), secured.issuer.token("Shop.User", aud="api://else")
    by_host = secured.endpoint.replace("127.0.0.1", "default.sartor.test").removesuffix("/loops/default")
    done = subprocess.run(
        [javascript.node(), str(SCRIPT), by_host, secured.endpoint, good, wrong],
        env={**javascript.environment(), "NODE_EXTRA_CA_CERTS": secured.authority},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    received = json.loads(done.stdout)
    assert received["statuses"] == [201, 204, 204]
    assert received["preview"] == 201
    assert received["refused"] == {"status": 401, "code": "401"}
    assert events(secured.service) == (["a/b é", "preview"], [("a/b é", None), ("a/b é", 0.5)])


def test_a_certificate_of_nobody_is_not_trusted(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    client = python_client(secured, "Shop.User")
    client._client.config.retry_policy.policy.total = 0
    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        client.rank({"actions": ACTIONS})
    assert not secured.service.decisions()
