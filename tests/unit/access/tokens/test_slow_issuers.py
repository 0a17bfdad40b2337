"""Issuers that are slow: they delay no token of another one, nor one whose key is at hand."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from sartor.access.tokens import keyset
from sartor.access.tokens.issuers import Issuer, TrustedIssuers
from sartor.access.tokens.verifier import MOST_WAITING, JwtVerifier
from sartor.errors import Unauthorized, Unavailable
from tests.unit.access.tokens.dripping import WAYS, dripping
from tests.unit.access.tokens.issuer import AUDIENCE, ROLES, TokenIssuer, serving

HTTP_WAYS = [way for way in WAYS if "TLS" not in way]


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    with serving(TokenIssuer()) as running:
        yield running


@pytest.fixture
def verifier(issuer: TokenIssuer) -> JwtVerifier:
    return JwtVerifier(issuer.trusted())


def name_of(verifier: JwtVerifier, token: str) -> str:
    return asyncio.run(verifier.verify(token.encode())).name


def let_pass(verifier: JwtVerifier, seconds: float) -> None:
    """Let time pass for the keys of the issuers."""
    for _, keys in verifier._issuers.values():
        keys._tried_s -= seconds
        keys._fetched_s -= seconds


def hang(issuer: TokenIssuer) -> threading.Event:
    """Let an issuer answer only when the event is set."""
    may_answer, answer = threading.Event(), issuer.answer

    def answer_late(path: str) -> bytes | None:
        assert may_answer.wait(30)
        return answer(path)

    issuer.answer = answer_late  # type: ignore[method-assign]
    return may_answer


def test_a_slow_issuer_delays_no_token_of_another_one(issuer: TokenIssuer) -> None:
    with serving(TokenIssuer()) as slow:
        may_answer = hang(slow)
        both = issuer.trusted().issuers + slow.trusted().issuers
        verifier = JwtVerifier(TrustedIssuers(issuers=both))

        async def verify_both() -> str:
            waiting = asyncio.create_task(verifier.verify(slow.token(sub="grace").encode()))
            await asyncio.sleep(0)
            first = await asyncio.wait_for(verifier.verify(issuer.token().encode()), 3)
            assert not waiting.done()
            may_answer.set()
            assert (await waiting).name == "token of grace"
            return first.name

        try:
            assert asyncio.run(verify_both()) == "token of ada"
        finally:
            may_answer.set()


@pytest.mark.parametrize("age_s", [0.0, keyset.FRESH_S / 2])
def test_a_token_with_a_known_key_does_not_wait_for_its_slow_issuer(
    verifier: JwtVerifier, issuer: TokenIssuer, age_s: float
) -> None:
    assert name_of(verifier, issuer.token())
    let_pass(verifier, max(age_s, keyset.PAUSE_S))
    known = issuer.token(sub="grace").encode()
    issuer.rotate()
    may_answer = hang(issuer)

    async def verify_both() -> str:
        waiting = asyncio.create_task(verifier.verify(issuer.token(sub="linus").encode()))
        await asyncio.sleep(0)
        first = await asyncio.wait_for(verifier.verify(known), 3)
        assert not waiting.done()
        may_answer.set()
        assert (await waiting).name == "token of linus"
        return first.name

    try:
        assert asyncio.run(verify_both()) == "token of grace"
    finally:
        may_answer.set()


def of_dripping(good: TokenIssuer, where: str) -> tuple[JwtVerifier, TokenIssuer]:
    """A verifier that trusts a good issuer and one that drips, and what signs the tokens of the latter."""
    slow = TokenIssuer()
    slow.url = f"http://{where}"
    trusted = Issuer(issuer=slow.url, audiences=(AUDIENCE,), roles=ROLES)
    return JwtVerifier(TrustedIssuers(issuers=(*good.trusted().issuers, trusted))), slow


@pytest.mark.parametrize("way", HTTP_WAYS)
def test_many_tokens_of_a_dripping_issuer_delay_no_other(
    issuer: TokenIssuer, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times as many as may wait: those beyond are answered at once, all of them when the fetch is cut."""
    monkeypatch.setattr(keyset, "FETCH_S", 2.0)
    with dripping(way, every_s=0.2) as (where, taken):
        verifier, slow = of_dripping(issuer, where)

        async def verify_all() -> Counter[str]:
            tokens = [slow.token(jti=number).encode() for number in range(3 * MOST_WAITING)]
            crowd = [asyncio.create_task(verifier.verify(token)) for token in tokens]
            await asyncio.sleep(0.01)
            assert sum(one.done() for one in crowd) == 2 * MOST_WAITING
            for number in range(20):
                assert (await verifier.verify(issuer.token(jti=number).encode())).name == "token of ada"
            assert sum(one.done() for one in crowd) == 2 * MOST_WAITING, "others did not wait for the fetch"
            ended = await asyncio.gather(*crowd, return_exceptions=True)
            return Counter(type(one).__name__ for one in ended)

        assert asyncio.run(verify_all()) == {"Unavailable": 3 * MOST_WAITING}
        assert len(taken) == 1
        with pytest.raises(Unavailable):  # at once: it was tried a moment ago
            name_of(verifier, slow.token())
        assert len(taken) == 1


def start_to_drip(verifier: JwtVerifier, issuer: TokenIssuer, where: str) -> None:
    """From now on the keys of an issuer are where somebody drips."""
    _, keys = verifier._issuers[issuer.url]
    keys._issuer = Issuer(
        issuer=issuer.url, audiences=(AUDIENCE,), roles=ROLES, jwks_uri=f"http://{where}/keys"
    )


@pytest.mark.parametrize("age_s", [keyset.REFRESH_S, keyset.FRESH_S, keyset.KEPT_S - 60])
@pytest.mark.parametrize("way", HTTP_WAYS)
def test_keys_at_hand_go_on_while_their_issuer_drips(
    verifier: JwtVerifier, issuer: TokenIssuer, way: str, age_s: float
) -> None:
    assert name_of(verifier, issuer.token())
    with dripping(way, every_s=0.5) as (where, taken):
        start_to_drip(verifier, issuer, where)
        let_pass(verifier, age_s)

        async def verify_all() -> float:
            began_s = time.monotonic()
            await verifier.verify(issuer.token(jti="first").encode())
            assert not verifier._fetches[issuer.url].done(), "it is being fetched"
            for number in range(50):
                await verifier.verify(issuer.token(jti=number).encode())
            return time.monotonic() - began_s

        assert asyncio.run(verify_all()) < keyset.FETCH_S
        assert len(taken) <= 1


def test_keys_at_hand_go_on_after_a_fetch_was_cut(
    verifier: JwtVerifier, issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert name_of(verifier, issuer.token())
    monkeypatch.setattr(keyset, "FETCH_S", 0.3)
    with dripping("its body", every_s=0.1) as (where, taken):
        start_to_drip(verifier, issuer, where)
        let_pass(verifier, keyset.FRESH_S)
        assert name_of(verifier, issuer.token(jti="a"))
        verifier._fetches[issuer.url].result(30)
        assert name_of(verifier, issuer.token(jti="b"))
        issuer.rotate()
        with pytest.raises(Unauthorized, match="does not publish"):
            name_of(verifier, issuer.token(jti="c"))
        assert len(taken) == 1


def test_an_issuer_that_recovers_is_heard(
    verifier: JwtVerifier, issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch that was cut is over: the next one finds the keys."""
    monkeypatch.setattr(keyset, "FETCH_S", 0.3)
    trusted = verifier._issuers[issuer.url][1]._issuer
    with dripping("its headers", every_s=0.1) as (where, _):
        start_to_drip(verifier, issuer, where)
        with pytest.raises(Unavailable):
            name_of(verifier, issuer.token())
    monkeypatch.setattr(keyset, "FETCH_S", 30.0)
    verifier._issuers[issuer.url][1]._issuer = trusted
    let_pass(verifier, keyset.PAUSE_S)
    assert name_of(verifier, issuer.token()) == "token of ada"
