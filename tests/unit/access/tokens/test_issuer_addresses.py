"""Where an issuer's keys are fetched: not where it, or whoever answers for it, wants to send us."""

import asyncio
from collections.abc import Iterator

import pytest

from sartor.access.tokens.verifier import JwtVerifier
from sartor.errors import Unavailable
from tests.unit.access.tokens.issuer import TokenIssuer, serving
from tests.unit.redirecting_server import STATUSES, redirected


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    with serving(TokenIssuer()) as running:
        yield running


def verify(verifier: JwtVerifier, token: str) -> str:
    return asyncio.run(verifier.verify(token.encode())).name


@pytest.mark.parametrize(
    "address",
    [
        "https://169.254.169.254/keys",
        "https://localhost/keys",
        "https://10.0.0.1/keys",
        "http://localhost:1/keys",
    ],
)
def test_an_issuer_does_not_send_us_into_our_own_network(
    issuer: TokenIssuer, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.said = {"jwks_uri": address}
    with pytest.raises(Unavailable):
        verify(JwtVerifier(issuer.trusted()), issuer.token())
    assert "DestinationRefused" in caplog.text


def test_keys_at_the_issuers_own_host_are_fetched_wherever_that_is(issuer: TokenIssuer) -> None:
    issuer.said = {"jwks_uri": f"{issuer.url}/other/keys"}
    assert verify(JwtVerifier(issuer.trusted()), issuer.token()) == "token of ada"
    assert issuer.requests[-1] == "/other/keys"


@pytest.mark.parametrize("status", STATUSES)
def test_an_issuer_that_sends_elsewhere(issuer: TokenIssuer, status: int) -> None:
    with redirected(status) as (server, elsewhere):
        verifier = JwtVerifier(issuer.trusted(jwks_uri=f"{server.url}/keys"))
        with pytest.raises(Unavailable):
            verify(verifier, issuer.token())
        assert len(server.received) == 1
        assert elsewhere.received == []
