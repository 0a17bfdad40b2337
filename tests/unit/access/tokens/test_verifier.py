"""Tokens against a real issuer: what is accepted, and everything that is not."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from sartor.access.roles import Grant
from sartor.access.tokens import keyset
from sartor.access.tokens.verifier import JwtVerifier
from sartor.errors import Unauthorized, Unavailable
from tests.unit.access.tokens.issuer import AUDIENCE, TokenIssuer, serving


class Time:
    """A clock that can be set; starts now, since the issuer's tokens do."""

    def __init__(self) -> None:
        self.now_s = time.time()

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    with serving(TokenIssuer()) as running:
        yield running


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def verifier(issuer: TokenIssuer, clock: Time) -> JwtVerifier:
    return JwtVerifier(issuer.trusted(), clock_s=clock)


def name_of(verifier: JwtVerifier, token: str | bytes) -> str:
    raw = token.encode() if isinstance(token, str) else token
    return asyncio.run(verifier.verify(raw)).name


def refused(verifier: JwtVerifier, token: str | bytes, why: str) -> None:
    with pytest.raises(Unauthorized, match=why):
        name_of(verifier, token)


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_good_token(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    caller = asyncio.run(verifier.verify(issuer.token("Sartor.Owner", "Shop.User", "Unknown").encode()))
    assert caller.name == "token of ada"
    assert caller.grants == (Grant("Owner"), Grant("User", "default"))


def test_roles_come_from_texts_arrays_and_objects(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    token = issuer.token(scp="read rank", realm={"groups": ["x", "other"]}, roles="Shop.Reader")
    caller = asyncio.run(verifier.verify(token.encode()))
    assert set(caller.grants) == {Grant("User"), Grant("Contributor", "other"), Grant("Reader", "default")}


def test_a_token_without_roles_has_a_holder_who_may_nothing(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    assert asyncio.run(verifier.verify(issuer.token().encode())).grants == ()


def test_several_audiences(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    assert name_of(verifier, issuer.token(aud=["api://else", AUDIENCE]))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aud": "api://else"}, "another service"),
        ({"aud": ["api://else"]}, "another service"),
        ({"aud": None}, "another service"),
        ({"aud": {"api://sartor": 1}}, "another service"),
        ({"iss": "https://else.example"}, "not trusted"),
        ({"iss": None}, "not trusted"),
        ({"iss": ["x"]}, "not trusted"),
        ({"exp": None}, "no time 'exp'"),
        ({"exp": "tomorrow"}, "no time 'exp'"),
        ({"exp": True}, "no time 'exp'"),
    ],
)
def test_claims_that_do_not_fit(
    verifier: JwtVerifier, issuer: TokenIssuer, changes: dict[str, object], why: str
) -> None:
    refused(verifier, issuer.token("Sartor.Owner", **changes), why)


@pytest.mark.parametrize(
    ("claim", "after_s", "why"),
    [("exp", -61, "expired"), ("nbf", 75, "not valid yet"), ("iat", 75, "not valid yet")],
)
def test_times_that_do_not_fit(
    verifier: JwtVerifier, issuer: TokenIssuer, clock: Time, claim: str, after_s: float, why: str
) -> None:
    refused(verifier, issuer.token("Sartor.Owner", **{claim: clock.now_s + after_s}), why)


def test_clocks_may_be_a_minute_apart_and_no_more(
    verifier: JwtVerifier, issuer: TokenIssuer, clock: Time
) -> None:
    token = issuer.token(exp=int(clock.now_s) + 100)
    clock.now_s += 159
    assert name_of(verifier, token)
    clock.now_s += 2
    refused(verifier, token, "expired")


def test_an_accepted_token_ends_in_time_all_the_same(
    verifier: JwtVerifier, issuer: TokenIssuer, clock: Time
) -> None:
    token = issuer.token(exp=int(clock.now_s) - 30)
    assert name_of(verifier, token)
    clock.now_s += 31
    refused(verifier, token, "expired")


def test_no_signature_is_no_token(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    claims = issuer.claims("Sartor.Owner")
    for alg in ("none", "None", "NONE"):
        for signature in ("", b64(b"x")):
            refused(verifier, f"{b64({'alg': alg})}.{b64(claims)}.{signature}", "not accepted|not a signed")


def test_a_public_key_is_no_shared_secret(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    """Key confusion: a token signed with HMAC, and the issuer's public key as the secret."""
    key = issuer.key
    assert isinstance(key, RSAKey)
    public = key.public_key
    head, body = b64({"alg": "HS256", "kid": key.kid}), b64(issuer.claims("Sartor.Owner"))
    for form in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1):
        secret = public.public_bytes(Encoding.PEM, form)
        mac = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
        refused(verifier, f"{head}.{body}.{b64(mac)}", "'HS256', which is not accepted")


def test_another_algorithm_of_the_same_key_is_not_pinned(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    assert isinstance(issuer.key, RSAKey)
    key = RSAKey.import_key(issuer.key.as_dict(private=True) | {"alg": "RS512"})
    kid = key.kid
    assert kid is not None
    token = jwt.encode({"alg": "RS512", "kid": kid}, issuer.claims("Sartor.Owner"), key, algorithms=["RS512"])
    refused(verifier, token, "'RS512', which is not accepted")


def test_a_stranger_who_uses_the_id_of_a_known_key(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    kid = issuer.key.kid
    assert kid is not None
    foreign_key = RSAKey.generate_key(2048, {"kid": kid})
    token = jwt.encode({"alg": "RS256", "kid": kid}, issuer.claims("Sartor.Owner"), foreign_key)
    refused(verifier, token, "signature")


def test_a_key_inside_the_token_is_not_looked_at(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    foreign_key = RSAKey.generate_key(2048, {"kid": "mine"})
    head = {
        "alg": "RS256",
        "kid": "mine",
        "jwk": foreign_key.as_dict(private=False),
        "jku": "http://127.0.0.1:1/",
    }
    token = jwt.encode(head, issuer.claims("Sartor.Owner"), foreign_key)
    refused(verifier, token, "does not publish|not a signed")
    assert set(issuer.requests) <= {"/.well-known/openid-configuration", "/keys"}


def test_a_changed_token(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    head, _, signature = issuer.token("Shop.Reader").split(".")
    refused(verifier, f"{head}.{b64(issuer.claims('Sartor.Owner'))}.{signature}", "signature")


@pytest.mark.parametrize(
    "token", [b"", b"x", b"a.b", b"a.b.c", b"a.b.c.d.e", b"..", b"\xff.\xfe.\xfd", b"e30.e30.", b"." * 20_000]
)
def test_what_is_no_token(verifier: JwtVerifier, token: bytes) -> None:
    refused(verifier, token, "not a signed|issuer")


def test_a_new_key_is_fetched_when_it_is_used(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    old = issuer.token("Shop.User")
    assert name_of(verifier, old)
    assert issuer.requests.count("/keys") == 1
    issuer.rotate()
    wait(verifier)
    assert name_of(verifier, issuer.token("Shop.User", sub="grace")) == "token of grace"
    assert issuer.requests.count("/keys") == 2
    assert name_of(verifier, issuer.token("Shop.User", sub="linus")) == "token of linus"
    assert issuer.requests.count("/keys") == 2


def wait(verifier: JwtVerifier, seconds: float = keyset.PAUSE_S) -> None:
    """Let time pass for the keys of the issuers."""
    for _, keys in verifier._issuers.values():
        keys._tried_s -= seconds
        keys._fetched_s -= seconds


def test_unknown_keys_do_not_make_us_ask_again_and_again(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    assert name_of(verifier, issuer.token())
    foreign_key = RSAKey.generate_key(2048)
    for number in range(20):
        token = jwt.encode({"alg": "RS256", "kid": f"unknown-{number}"}, issuer.claims(), foreign_key)
        refused(verifier, token, "does not publish")
    assert issuer.requests.count("/keys") == 1


def test_a_withdrawn_key_stops_when_the_keys_are_old(
    verifier: JwtVerifier, issuer: TokenIssuer, clock: Time
) -> None:
    token = issuer.token("Shop.User", exp=int(clock.now_s) + 3_600)
    assert name_of(verifier, token)
    issuer.rotate(keep=False)
    wait(verifier, keyset.FRESH_S)
    clock.now_s += 61
    refused(verifier, token, "does not publish")


def test_an_issuer_that_is_down(verifier: JwtVerifier, issuer: TokenIssuer, clock: Time) -> None:
    issuer.failing = True
    with pytest.raises(Unavailable):
        name_of(verifier, issuer.token())
    issuer.failing = False
    wait(verifier)
    assert name_of(verifier, issuer.token())
    issuer.failing = True
    wait(verifier, keyset.FRESH_S)
    assert name_of(verifier, issuer.token(sub="grace")), "known keys go on while the issuer is down"


def test_keys_too_old_are_refused_while_the_issuer_is_away(
    verifier: JwtVerifier, issuer: TokenIssuer, clock: Time
) -> None:
    token = issuer.token("Shop.User", exp=int(clock.now_s) + 3 * 86_400)
    assert name_of(verifier, token)
    issuer.failing = True
    clock.now_s += 86_400
    wait(verifier, 86_400)
    with pytest.raises(Unavailable, match="can't be fetched now"):
        name_of(verifier, token)
    with pytest.raises(Unavailable, match="can't be fetched now"):  # also before it is tried again
        name_of(verifier, token)
    issuer.failing = False
    wait(verifier)
    assert name_of(verifier, token) == "token of ada"


def test_a_key_set_of_another_shape_is_none(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    answer = issuer.answer
    issuer.answer = lambda path: b'{"keys": 5}' if path == "/keys" else answer(path)  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        name_of(verifier, issuer.token())


def test_a_discovery_document_of_another_issuer(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    issuer.said = {"issuer": "https://else.example"}
    with pytest.raises(Unavailable):
        name_of(verifier, issuer.token())


def test_keys_are_not_fetched_in_clear_text(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    issuer.said = {"jwks_uri": "http://keys.example/keys"}
    with pytest.raises(Unavailable):
        name_of(verifier, issuer.token())


def test_many_at_once_make_one_fetch(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    tokens = [issuer.token(sub=f"holder-{number}").encode() for number in range(20)]

    async def all_at_once() -> list[str]:
        return [caller.name for caller in await asyncio.gather(*map(verifier.verify, tokens))]

    assert asyncio.run(all_at_once()) == [f"token of holder-{number}" for number in range(20)]
    assert issuer.requests.count("/keys") == 1


def test_elliptic_keys_where_they_are_pinned(issuer: TokenIssuer) -> None:
    key = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
    issuer.keys = [key]
    token = jwt.encode({"alg": "ES256", "kid": "ec"}, issuer.claims(), key)
    assert name_of(JwtVerifier(issuer.trusted(algorithms=("ES256",))), token)
    refused(JwtVerifier(issuer.trusted()), token, "'ES256', which is not accepted")


def test_a_shared_secret_in_the_key_set_is_passed_over(issuer: TokenIssuer) -> None:
    secret = OctKey.import_key({"kty": "oct", "k": b64(b"s" * 32), "kid": "s"})
    published = json.dumps({"keys": [secret.as_dict(), issuer.key.as_dict(private=False)]}).encode()
    answer = issuer.answer
    issuer.answer = lambda path: published if path == "/keys" else answer(path)  # type: ignore[method-assign]
    verifier = JwtVerifier(issuer.trusted())
    assert name_of(verifier, issuer.token())
    (keys,) = (keys for _, keys in verifier._issuers.values())
    assert keys.find("s") is None


def test_a_key_that_is_costly_to_use_is_passed_over(verifier: JwtVerifier, issuer: TokenIssuer) -> None:
    modulus = ((1 << 16_383) | 1).to_bytes(2_048)
    huge = {"kty": "RSA", "kid": "huge", "use": "sig", "n": b64(modulus), "e": "AQAB"}
    published = json.dumps({"keys": [huge, issuer.key.as_dict(private=False)]}).encode()
    answer = issuer.answer
    issuer.answer = lambda path: published if path == "/keys" else answer(path)  # type: ignore[method-assign]
    assert name_of(verifier, issuer.token())
    (keys,) = (keys for _, keys in verifier._issuers.values())
    assert keys.find("huge") is None


def test_memory_has_an_end(verifier: JwtVerifier, issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.access.tokens.verifier._REMEMBERED", 3)
    for number in range(6):
        name_of(verifier, issuer.token(sub=str(number)))
    assert len(verifier._accepted) == 3
