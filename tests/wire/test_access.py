"""Who is let in, as seen from outside: by key and path, from allowed networks, within quotas, not too often."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from msgspec.structs import replace

from sartor.access.allowed_networks import AllowedNetworks
from sartor.access.quota import QuotaLimiter
from sartor.access.served_loops import ServedLoop
from sartor.access.shared_counters import WindowCounter
from sartor.access.throttle import FAILURES
from sartor.access.trusted_proxies import TrustedProxies
from sartor.settings import LoopTerms
from tests.wire.harness import OWNER_KEY, PREFIX, Reply, Service, person
from tests.wire.test_multislot import SEVERAL

UNBOUND = LoopTerms()


def serve(
    service: Service,
    *,
    networks: AllowedNetworks | None = None,
    terms: LoopTerms = UNBOUND,
    now_s: Callable[[], float] = lambda: 1000.0,
) -> None:
    """The harness's loop behind bounds."""
    rate_limiter = None
    if terms != UNBOUND:
        rate_limiter = QuotaLimiter(WindowCounter(), clock_s=now_s)
        rate_limiter.follow(terms)
        rate_limiter.refresh(lambda *_: 0)
    loop = replace(service.loop, terms=terms)
    service.loop_table.replace([ServedLoop(loop, service.writer, service.live, networks, rate_limiter)])


@pytest.fixture
def name(service: Service) -> str:
    return service.loop.name


def is_gateway(reply: Reply, status: int) -> bool:
    """The shape of the retired gateway: the status once more as the code (contract, section 0)."""
    assert reply.headers["content-type"].startswith("application/json")
    return (reply.status, reply.code, reply.headers["x-ms-error-code"]) == (status, str(status), str(status))


def test_a_loop_is_addressed_by_a_prefix_of_the_path(service: Service, name: str) -> None:
    ranked = service.call("POST", f"/loops/{name}{PREFIX}/rank", person(eventId="e/1"))
    assert ranked.status == 201
    assert service.call("POST", f"/loops/{name}{PREFIX}/events/e%2F1/reward", {"value": 1}).status == 204
    assert service.call("GET", f"/loops/{name}{PREFIX}/configurations/service").status == 200
    query = "api-version=2022-09-01-preview"
    assert service.call("POST", f"/loops/{name}/personalizer/rank?{query}", person()).status == 201
    assert len(service.decisions()) == 2


def test_a_key_opens_no_other_loop(service: Service, name: str) -> None:
    reply = service.call("POST", f"/loops/{name}-2{PREFIX}/rank", person())
    assert is_gateway(reply, 401)
    assert "another loop" in reply.message
    assert "www-authenticate" in reply.headers
    assert not service.decisions()


@pytest.mark.parametrize(
    "path", ["/loops", "/loops/", "/loops/articles", "/loops//personalizer/v1.0/rank/more"]
)
def test_there_is_nothing_else_under_loops(service: Service, path: str) -> None:
    assert service.call("GET", path).status == 404


def test_only_allowed_networks(service: Service) -> None:
    serve(service, networks=AllowedNetworks(("192.0.2.0/24",)))
    assert service.call("POST", f"{PREFIX}/rank", person(), client="192.0.2.9").status == 201
    for path, body in (("/rank", person()), ("/events/e/reward", {"value": 1}), ("/events/e/activate", b"")):
        reply = service.call("POST", PREFIX + path, body, client="198.51.100.1")
        assert is_gateway(reply, 403)
    assert is_gateway(service.call("GET", f"{PREFIX}/configurations/service", client="198.51.100.1"), 403)
    assert len(service.decisions()) == 1
    assert not service.observations()


def test_over_the_quota_of_a_second(service: Service) -> None:
    now = [1000.0]
    serve(service, terms=LoopTerms(ranks_per_second=2), now_s=lambda: now[0])
    assert [service.rank(person()).status for _ in range(2)] == [201, 201]
    reply = service.rank(person())
    assert is_gateway(reply, 429)
    assert reply.headers["retry-after"] == "1"
    assert reply.message.endswith("retry after 1 second.")
    assert len(service.decisions()) == 2
    assert service.reward("e", {"value": 1}).status == 204, "rewards have no quota"
    now[0] += 1
    assert service.rank(person()).status == 201


def test_ranks_for_several_slots_are_ranks() -> None:
    service = Service(arguments=SEVERAL)
    serve(service, terms=LoopTerms(ranks_per_second=1))
    body = person(slots=[{"id": "top", "baselineAction": "Person"}])
    path = "/personalizer/v1.1-preview.3/multislot/rank"
    assert service.call("POST", path, body).status == 201
    assert is_gateway(service.call("POST", path, body), 429)
    service.close()


def test_over_the_quota_of_a_month(service: Service) -> None:
    serve(service, terms=LoopTerms(ranks_per_month=1))
    assert service.rank(person()).status == 201
    reply = service.rank(person())
    assert is_gateway(reply, 429)
    assert int(reply.headers["retry-after"]) > 86_400
    assert f"retry after {reply.headers['retry-after']} seconds" in reply.message


@pytest.mark.parametrize("quota", ["ranks_per_second", "ranks_per_month"])
def test_a_rank_that_is_refused_costs_no_quota(service: Service, quota: str) -> None:
    serve(service, terms=LoopTerms(**{quota: 2}))  # type: ignore[arg-type]
    bodies: list[object] = [{}, {"actions": []}, b"{", person(eventId="")]
    for bad in bodies:
        assert service.rank(bad).status == 400
    service.stores.disk.failing = True
    assert service.rank(person()).status == 503
    service.stores.disk.failing = False
    assert [service.rank(person()).status for _ in range(3)] == [201, 201, 429]
    assert is_gateway(service.rank({}), 429), "over the quota nothing is looked at"
    assert len(service.decisions()) == 2


def test_a_slots_rank_that_is_refused_costs_no_quota() -> None:
    service = Service(arguments=SEVERAL)
    serve(service, terms=LoopTerms(ranks_per_second=1))
    path = "/personalizer/v1.1-preview.3/multislot/rank"
    assert service.call("POST", path, person(slots=[])).status == 400
    body = person(slots=[{"id": "top", "baselineAction": "Person"}])
    assert [service.call("POST", path, body).status for _ in range(2)] == [201, 429]
    service.close()


def test_a_burst_does_not_get_past_the_quota(service: Service) -> None:
    serve(service, terms=LoopTerms(ranks_per_second=3))

    async def burst() -> list[int]:
        # In several pieces: all are let in before the body of any is there.
        ranks = [service.send("POST", f"{PREFIX}/rank", person(), chunks=3) for _ in range(20)]
        return [reply.status for reply in await asyncio.gather(*ranks)]

    assert sorted(service.run(burst())) == [201] * 3 + [429] * 17
    assert len(service.decisions()) == 3


def test_guessing_keys_is_slowed_down(service: Service) -> None:
    def guess(key: str, client: str = "198.51.100.1") -> Reply:
        return service.call("POST", f"{PREFIX}/rank", person(), key=key, client=client)

    assert [guess(f"{number:032x}").status for number in range(FAILURES)] == [401] * FAILURES
    reply = guess("f" * 32)
    assert is_gateway(reply, 429)
    assert reply.headers["retry-after"] == "1"
    assert reply.message.endswith("retry after 1 second.")
    assert guess(service.loop.key1).status == guess(service.loop.key2).status == 201
    assert guess("f" * 32, client="198.51.100.2").status == 401
    service.clock_s += 1
    assert guess("d" * 32).status == 401
    assert guess("e" * 32).status == 429


def flood(service: Service, send: Callable[[int, str], Coroutine[Any, Any, Reply]]) -> Counter[int]:
    """20,000 wrong keys, and a good one after every tenth: the statuses of the wrong ones."""
    draw = random.Random(17)

    async def call_all() -> Counter[int]:
        statuses: Counter[int] = Counter()
        for number in range(20_000):
            statuses[(await send(number, f"{draw.getrandbits(128):032x}")).status] += 1
            if number % 10 == 0:
                good = await send(number, service.loop.key1 if number % 20 else service.loop.key2)
                assert good.status == 201
        return statuses

    return service.run(call_all())


def test_a_good_key_is_served_amid_a_flood_of_wrong_ones(service: Service) -> None:
    async def send(number: int, key: str) -> Reply:
        path = "/loops/default" if number % 3 else ""
        return await service.send("POST", f"{path}{PREFIX}/rank", person(), key=key, client="198.51.100.1")

    assert flood(service, send) == {401: FAILURES, 429: 20_000 - FAILURES}
    assert len(service.decisions()) == 2_000


def test_a_good_key_is_served_amid_a_flood_by_the_same_proxy(service: Service) -> None:
    service.app = TrustedProxies(service.app, ["10.0.0.0/8"])

    async def rank(number: int, key: str) -> Reply:
        headers = {"x-forwarded-for": "198.51.100.1"} if number % 2 else {}
        return await service.send(
            "POST", f"{PREFIX}/rank", person(), key=key, client="10.0.0.1", headers=headers
        )

    statuses = flood(service, rank)
    assert statuses == {401: 2 * FAILURES, 429: 20_000 - 2 * FAILURES}, "the client and the proxy itself"


def test_the_owner_key_is_served_amid_a_flood(service: Service) -> None:
    for number in range(1_000):
        reply = service.call("GET", "/sartor/v1/loops", key=f"{number:032x}", client="198.51.100.1")
        assert reply.status == (401 if number < FAILURES else 429)
        if number % 10 == 0:
            reply = service.call("GET", "/sartor/v1/loops", key=OWNER_KEY, client="198.51.100.1")
            assert reply.status == 200


def test_the_answers_do_not_say_how_a_key_begins(service: Service) -> None:
    """A key that is right but for its end is answered like one that is all wrong."""

    def answers(first: str, network: str) -> list[tuple[int, dict[str, str], bytes]]:
        replies = [
            service.call("POST", f"{PREFIX}/rank", key=f"{first}{number:03d}", client=f"{network}.{number % 9}")
            for number in range(200)
        ]
        return [(one.status, _without_ids(one.headers), one.body) for one in replies]

    assert answers(service.loop.key1[:29], "192.0.2") == answers("f" * 29, "198.51.100")


def _without_ids(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in ("retry-after", "www-authenticate")}


def test_no_key_is_no_guess(service: Service) -> None:
    for key in (None, " "):
        for _ in range(2 * FAILURES):
            reply = service.call("POST", f"{PREFIX}/rank", person(), key=key, client="198.51.100.1")
            assert is_gateway(reply, 401)
    reply = service.call("POST", f"{PREFIX}/rank?subscription-key=", person(), key=None, client="198.51.100.1")
    assert is_gateway(reply, 401)
    assert is_gateway(service.call("GET", f"{PREFIX}/model", key="wrong", client="198.51.100.1"), 401)


def test_an_application_with_a_replaced_key_burns_nobody(service: Service) -> None:
    old = service.loop.key2
    stranger = replace(service.loop, key2="0123456789abcdef" * 2)
    service.loop_table.replace([ServedLoop(stranger, service.writer, service.live)])
    for _ in range(10 * FAILURES):
        assert is_gateway(service.call("POST", f"{PREFIX}/rank", person(), key=old, client="192.0.2.1"), 401)
    mistyped = service.call("POST", f"{PREFIX}/rank", person(), key="mistyped", client="192.0.2.1")
    assert is_gateway(mistyped, 401)
    assert service.call("POST", f"{PREFIX}/rank", person(), client="192.0.2.1").status == 201
