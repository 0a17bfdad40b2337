"""What checking signatures costs: bounded by address, and never at the expense of a good token."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from sartor.access.rate_table import RateTable
from sartor.access.tokens import verifier as verifier_module
from sartor.access.tokens.verifier import JwtVerifier
from sartor.errors import TooManyRequests, Unauthorized
from tests.unit.access.tokens.issuer import TokenIssuer, serving


@pytest.fixture(scope="module")
def issuer() -> Iterator[TokenIssuer]:
    with serving(TokenIssuer()) as running:
        yield running


@pytest.fixture
def verifier(issuer: TokenIssuer) -> JwtVerifier:
    return JwtVerifier(issuer.trusted())


def name_of(verifier: JwtVerifier, token: str | bytes) -> str:
    raw = token.encode() if isinstance(token, str) else token
    return asyncio.run(verifier.verify(raw)).name


def refused(verifier: JwtVerifier, token: bytes) -> None:
    with pytest.raises(Unauthorized, match="signature"):
        name_of(verifier, token)


def with_signatures(token: str, count: int) -> list[bytes]:
    """The token with so many other signatures, all of them wrong."""
    head, claims, _ = token.split(".")
    return [f"{head}.{claims}.{number:0342d}".encode() for number in range(count)]


class CountedChecks:
    """Counts the signatures that are checked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._check = verifier_module._check_signature
        monkeypatch.setattr(verifier_module, "_check_signature", self)

    def __call__(self, token: bytes, key: Any, algorithm: str) -> None:
        self.count += 1
        self._check(token, key, algorithm)


def test_the_same_token_is_checked_once(
    verifier: JwtVerifier, issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = CountedChecks(monkeypatch)
    good = issuer.token("Shop.User")
    (wrong,) = with_signatures(good, 1)
    for _ in range(5):
        assert name_of(verifier, good)
        refused(verifier, wrong)
    assert checks.count == 2
    verifier._issuers[issuer.url][1]._fetch()
    refused(verifier, wrong)
    assert checks.count == 3, "with the keys of now"


def test_refused_tokens_are_remembered_in_bounded_memory(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    for wrong in with_signatures(issuer.token(), verifier_module._REMEMBERED + 10):
        with pytest.raises((Unauthorized, TooManyRequests)):
            name_of(verifier, wrong)
    assert len(verifier._refused) <= verifier_module._REMEMBERED


def test_wrong_signatures_wait_for_one_another_and_hurt_nobody_else(
    verifier: JwtVerifier, issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six at once of an address that may have two checked at once, ten a second, and wait 0.25 s at most."""
    assert name_of(verifier, issuer.token())
    monkeypatch.setattr(verifier_module, "QUEUE_S", 0.25)
    verifier._checks = RateTable(burst=2, per_s=10, clock_s=lambda: 5.0)
    checks = CountedChecks(monkeypatch)

    async def try_all() -> list[str]:
        tries = [verifier.verify(one, address="192.0.2.1") for one in with_signatures(issuer.token(), 6)]
        others = [
            verifier.verify(issuer.token(jti="a").encode(), address="192.0.2.2"),
            verifier.verify(issuer.token(jti="b").encode(), address="2001:db8::1"),
        ]
        ended = await asyncio.gather(*tries, *others, return_exceptions=True)
        return [type(one).__name__ for one in ended]

    assert asyncio.run(try_all()) == ["Unauthorized"] * 4 + ["TooManyRequests"] * 2 + ["Caller"] * 2
    assert checks.count == 6


def test_good_tokens_use_up_no_checks(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    verifier._checks = RateTable(burst=2, per_s=1e-6, clock_s=lambda: 5.0)
    for number in range(20):
        assert name_of(verifier, issuer.token(jti=number))
