"""Bearer tokens of a real issuer, as seen from outside: which roles open what, and how a loop is named."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sartor.access.throttle import FAILURES
from sartor.access.tokens.issuers import Issuer, TrustedIssuers
from sartor.access.tokens.verifier import JwtVerifier
from tests.unit.access.tokens.dripping import dripping
from tests.unit.access.tokens.issuer import AUDIENCE, TokenIssuer, serving
from tests.wire.harness import PREFIX, Reply, Service, person

NAMED = f"/loops/default{PREFIX}"
V1 = "/sartor/v1"


class Inside:
    """A service that trusts an issuer, and calls it with tokens."""

    def __init__(self, service: Service, issuer: TokenIssuer) -> None:
        self.service = service
        self.issuer = issuer

    def __call__(self, token: str, method: str, path: str, body: object = b"", **more: Any) -> Reply:
        headers = {"authorization": f"Bearer {token}", **more.pop("headers", {})}
        return self.service.call(method, path, body, key=None, headers=headers, **more)

    def may(self, role: str, method: str, path: str, body: object = b"") -> int:
        """The status of a request by somebody with a role."""
        return self(self.issuer.token(role), method, path, body).status


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    with serving(TokenIssuer()) as issuer:
        service = Service(token_verifier=JwtVerifier(issuer.trusted()))
        yield Inside(service, issuer)
        service.close()


def refused(reply: Reply, status: int) -> bool:
    assert (reply.status, reply.code) == (status, str(status)), reply.body
    return True


@pytest.mark.parametrize(
    ("method", "path", "body", "roles"),
    [
        ("POST", f"{NAMED}/rank", person(), "User Contributor Owner"),
        ("POST", f"{NAMED}/events/e/reward", {"value": 1}, "User Contributor Owner"),
        ("POST", f"{NAMED}/events/e/activate", b"", "User Contributor Owner"),
        ("GET", f"{NAMED}/evaluations", b"", "Reader Contributor Owner"),
        ("GET", f"{NAMED}/configurations/policy", b"", "Reader Contributor Owner"),
        ("GET", f"{NAMED}/logs/properties", b"", "Reader Contributor Owner"),
        ("GET", f"{NAMED}/model", b"", "Contributor Owner"),
        ("GET", f"{NAMED}/configurations/service", b"", "Contributor Owner"),
        ("GET", f"{NAMED}/metrics/learning".replace("v1.0", "v1.1-preview.3"), b"", "Reader Contributor Owner"),
        ("DELETE", f"{NAMED}/configurations/policy", b"", "Contributor Owner"),
        ("GET", f"{V1}/loops/default", b"", "Reader Contributor Owner"),
        ("GET", f"{V1}/loops/default/usage", b"", "Reader Contributor Owner"),
        ("GET", f"{V1}/loops/default/keys", b"", "Contributor Owner"),
        ("PATCH", f"{V1}/loops/default", {}, "Contributor Owner"),
        ("PUT", f"{V1}/loops/default/events/e/reward", {"value": 1}, "User Contributor Owner"),
        ("GET", f"{V1}/activities", b"", "Owner"),
        ("GET", f"{V1}/deleted-loops", b"", "Owner"),
    ],
)
def test_roles_open_what_they_should_and_nothing_else(
    inside: Inside, method: str, path: str, body: object, roles: str
) -> None:
    for role in ("Reader", "User", "Contributor", "Owner"):
        name = "Sartor.Owner" if role == "Owner" else f"Shop.{role}"
        status = inside.may(name, method, path, body)
        assert (status != 403) == (role in roles.split()), f"{role}: {status}"
        assert status != 401
    assert inside.may("Unknown", method, path, body) == 403


def test_a_role_on_one_loop_is_none_on_another(inside: Inside) -> None:
    token = inside.issuer.token(realm={"groups": ["other"]})
    assert refused(inside(token, "POST", f"{NAMED}/rank", person()), 403)
    assert refused(inside(token, "GET", f"{V1}/loops/default"), 403)
    assert inside(token, "GET", f"{V1}/loops/other").status == 404, "there is none yet; the role is there"


def test_a_loop_is_named_by_the_path_or_by_the_host(inside: Inside) -> None:
    token = inside.issuer.token("Shop.User")
    at = {"host": "default.sartor.example:5000"}
    assert inside(token, "POST", f"{PREFIX}/rank", person(), headers=at).status == 201
    assert inside(token, "POST", f"{PREFIX}/rank", person(), headers={"host": "DEFAULT.x"}).status == 201
    reply = inside(token, "POST", f"{PREFIX}/rank", person(), headers={"host": "sartor.example"})
    assert refused(reply, 403)
    assert "/loops/{name}" in reply.message
    assert refused(inside(token, "POST", f"{PREFIX}/rank", person()), 403)
    both = inside(token, "POST", f"/loops/other{PREFIX}/rank", person(), headers=at)
    assert refused(both, 403), "the path goes before the host"


def test_a_key_goes_before_a_token(inside: Inside) -> None:
    headers = {"authorization": "Bearer nonsense"}
    assert inside.service.call("POST", f"{PREFIX}/rank", person(), headers=headers).status == 201


def test_a_token_that_is_not_valid(inside: Inside) -> None:
    for token in ("nonsense", inside.issuer.token("Sartor.Owner", aud="api://else"), ""):
        for path in (f"{NAMED}/rank", f"{V1}/loops"):
            reply = inside(token, "POST", path, person())
            assert refused(reply, 401)
            assert "Bearer" in reply.headers["www-authenticate"]
    reply = inside.service.call(
        "POST", f"{NAMED}/rank", person(), key=None, headers={"authorization": "Basic x"}
    )
    assert refused(reply, 401)


def test_an_issuer_that_is_down_is_not_the_callers_fault(service: Service) -> None:
    with serving(TokenIssuer()) as issuer:
        issuer.failing = True
        other = Service(token_verifier=JwtVerifier(issuer.trusted()))
        reply = Inside(other, issuer)(issuer.token("Shop.User"), "POST", f"{NAMED}/rank", person())
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        other.close()


def test_without_issuers_no_token_is_accepted(service: Service, inside: Inside) -> None:
    headers = {"authorization": f"Bearer {inside.issuer.token('Sartor.Owner')}"}
    assert service.call("POST", f"{NAMED}/rank", person(), key=None, headers=headers).status == 401


def test_a_dripping_issuer_holds_up_nobody_else(inside: Inside) -> None:
    """Requests with keys and with tokens of another issuer, on both planes, while its tokens wait."""
    with dripping("its headers", every_s=0.5) as (where, taken):
        slow = TokenIssuer()
        slow.url = f"http://{where}"
        trusted = (*inside.issuer.trusted().issuers, Issuer(issuer=slow.url, audiences=(AUDIENCE,)))
        service = Service(token_verifier=JwtVerifier(TrustedIssuers(issuers=trusted)))

        async def rank(issuer: TokenIssuer, number: int) -> int:
            headers = {"authorization": f"Bearer {issuer.token('Sartor.Owner', jti=number)}"}
            path = f"{NAMED}/rank" if number % 2 else f"{V1}/loops"
            body, method = (person(), "POST") if number % 2 else (b"", "GET")
            return (await service.send(method, path, body, key=None, headers=headers)).status

        async def call_all() -> list[int]:
            crowd = [asyncio.create_task(rank(slow, number)) for number in range(50)]
            await asyncio.sleep(0.01)
            for number in range(10):
                assert await rank(inside.issuer, number) in (200, 201)
                assert (await service.send("POST", f"{PREFIX}/rank", person())).status == 201
                assert (await service.send("GET", f"{PREFIX}/configurations/policy")).status == 200
            assert not any(one.done() for one in crowd)
            return await asyncio.gather(*crowd)

        assert service.run(call_all()) == [503] * 50
        assert len(taken) == 1
        service.close()


def test_guessing_tokens_is_slowed_down(inside: Inside) -> None:
    client = "198.51.100.7"
    statuses = [
        inside(f"a.b.{number}", "POST", f"{NAMED}/rank", person(), client=client).status
        for number in range(FAILURES + 1)
    ]
    assert statuses == [401] * FAILURES + [429]


def test_a_good_token_is_served_amid_a_flood_of_wrong_ones(inside: Inside) -> None:
    """New ones too, which nobody has seen before."""
    client, (head, claims, _) = "198.51.100.8", inside.issuer.token("Shop.User").split(".")
    statuses: Counter[int] = Counter()
    for number in range(1_000):
        wrong = f"{head}.{claims}.{number:0342d}"
        statuses[inside(wrong, "POST", f"{NAMED}/rank", person(), client=client).status] += 1
        if number % 100 == 0:
            new = inside.issuer.token("Shop.User", jti=number)
            for _ in range(2):
                assert inside(new, "POST", f"{NAMED}/rank", person(), client=client).status == 201
    assert statuses == {401: FAILURES, 429: 1_000 - FAILURES}


def test_the_activity_log_names_the_holder(inside: Inside) -> None:
    policy = {"name": "of grace", "arguments": "--cb_explore_adf"}
    token = inside.issuer.token("Shop.Contributor", sub="grace")
    assert inside(token, "PUT", f"{NAMED}/configurations/policy", policy).status == 200
    line = inside.service.stores.audit.last(1)[0].entry
    assert (line.by, line.action) == ("token of grace", "update")
