"""What a caller may not see does not exist for it: on no route does an answer tell of another loop.

Two loops with unusual names. With what opens one of them, every route is called with the name of the other one,
and with a name that no loop has: the answers are alike, and none holds anything of the other loop.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sartor.access.roles import Caller, Grant
from sartor.access.served_loops import ServedLoop
from sartor.api.route_table import CONTROL_ROUTES, ROUTES
from sartor.api.routing.routes import Route
from sartor.errors import StoreUnavailable, Unauthorized
from sartor.evaluation.spec import EVALUATION, FEATURE_IMPORTANCE, job_id
from sartor.log.writer import Writer
from sartor.ports import Loop
from sartor.records import Cursor, Settlement
from sartor.testing.builders import make_decision, make_job, make_loop, make_model, make_outcome
from tests.wire.harness import OWNER_KEY, Reply, Service

MINE, OTHER, NOBODY = "mine-zq7", "theirs-xk4", "nobody-wv9"
OTHER_EVENT, NO_EVENT = "event-theirs-jd2", "event-nobody-ph5"
OTHER_MODEL, NO_MODEL = "model-theirs-rt6", "model-nobody-ls3"
OTHER_JOB, NO_JOB = "job-theirs-gb8", "job-nobody-mc1"
TENANT, GHOST, STRANGER = b"of-a-tenant", b"of-a-ghost", b"of-a-stranger"


class Tokens:
    """Three holders: of all roles on one loop, on a loop that is not there, and on none."""

    async def verify(self, token: bytes, /, *, address: str = "") -> Caller:
        roles = {
            TENANT: (Grant("Contributor", MINE), Grant("Reader", MINE)),
            GHOST: (Grant("Contributor", NOBODY),),
            STRANGER: (),
        }
        if token not in roles:
            raise Unauthorized
        return Caller(name=f"token {token.decode()}", grants=roles[token])


class TwoLoops(Service):
    """A service with two loops, each with a model, decisions, outcomes and jobs."""

    def __init__(self) -> None:
        super().__init__(token_verifier=Tokens())
        self.stores.catalog.delete(self.loop.name)
        self.loops = {name: make_loop(name) for name in (MINE, OTHER)}
        for name, loop in self.loops.items():
            self.stores.catalog.create(loop)
            self._fill(loop, "theirs" if name == OTHER else "mine")
        self.loop = self.loops[MINE]
        self.serve_both()

    def _fill(self, loop: Loop, whose: str) -> None:
        logs = self.stores.open(loop)
        event = OTHER_EVENT if whose == "theirs" else "event-mine"
        logs.events.append([make_decision(event), make_decision("open")])
        logs.outcomes.record(Settlement(outcomes=(make_outcome(1, event),), unmatched=(), cursor=Cursor(1, 0)))
        logs.models.publish(make_model(OTHER_MODEL if whose == "theirs" else "model-mine"), b"", live=True)
        for kind in (EVALUATION, FEATURE_IMPORTANCE):
            public_id = OTHER_JOB if whose == "theirs" else "job-mine"
            logs.jobs.put(make_job(job_id(kind, public_id), kind=kind))

    def serve_both(self) -> None:
        self.loop_table.replace(
            ServedLoop(loop, Writer(self.stores.open(loop).events, limit=100), self.live)
            for loop in self.loops.values()
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        other = self.loops[OTHER]
        return (OTHER, other.loop_id, other.key1, other.key2, OTHER_EVENT, OTHER_MODEL, OTHER_JOB)


@pytest.fixture
def service() -> Iterator[TwoLoops]:
    made = TwoLoops()
    yield made
    made.close()


def call(service: TwoLoops, route: Route, path: str, caller: str, body: object) -> Reply:
    headers = {"authorization": f"Bearer {caller}"} if caller.startswith("of-a-") else {}
    key = None if headers else caller
    return service.call(route.method, path, body, key=key, headers=headers)


_CHANGING = ("apim-request-id", "date", "x-envoy-upstream-service-time")


def seen(reply: Reply, *given: str) -> tuple[int, dict[str, str], str]:
    """What there is to see of an answer, but for the names that the caller gave itself."""
    headers = {
        name: value
        for name, value in reply.headers.items()
        if name not in _CHANGING and "took" not in name and "time" not in name
    }
    text = reply.body.decode()
    for name in given:
        text = text.replace(name, "…") if name != "1" else text
    return reply.status, headers, text


def body_of(route: Route) -> object:
    return b"" if route.request_example is None else msgspec.to_builtins(route.request_example)


def paths(route: Route, values: dict[str, str]) -> list[str]:
    """The path of a route in each of its versions."""
    path = route.path
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    return [
        f"{version.prefix}{path}" + (f"?api-version={version.name}" if version.in_query else "")
        for version in route.versions
    ]


def ids(route: Route, *, event: str, model: str, job: str, name: str = MINE) -> dict[str, str]:
    """Values for the names in a path of a route, each of the kind that it asks for."""
    found = {}
    for one in route.names:
        if one == "name":
            found[one] = name
        elif "event" in one.lower():
            found[one] = event
        elif "model" in one.lower() or "Model" in route.name:
            found[one] = model
        elif one == "which":
            found[one] = "1"
        else:
            found[one] = job
    return found


THEIRS = {"event": OTHER_EVENT, "model": OTHER_MODEL, "job": OTHER_JOB}
NOBODYS = {"event": NO_EVENT, "model": NO_MODEL, "job": NO_JOB}


def check_alike(
    service: TwoLoops, theirs: Reply, nobodys: Reply, given: tuple[str, ...], ghost: tuple[str, ...]
) -> None:
    assert seen(theirs, *given) == seen(nobodys, *ghost)
    assert not [secret for secret in service.secrets if secret in seen(theirs, *given)[2]]
    assert not [secret for secret in service.secrets if secret in json.dumps(theirs.headers)]
    assert not [secret for secret in service.secrets if secret in nobodys.body.decode()]


@pytest.mark.parametrize("caller", ["key", "of-a-tenant", "of-a-stranger", "wrong", ""])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.name} {route.versions[-1].name}")
def test_another_loop_on_the_wire(route: Route, caller: str) -> None:
    """By the path before the version, and by the host."""
    services = [TwoLoops(), TwoLoops()]
    credential = services[0].loop.key1 if caller == "key" else caller
    values = ids(route, event="event-mine", model="model-mine", job="job-mine")
    for path in paths(route, values):
        by_path = [
            call(service, route, f"/loops/{name}{path}", credential, body_of(route))
            for name, service in zip((OTHER, NOBODY), services, strict=True)
        ]
        check_alike(services[0], by_path[0], by_path[1], (OTHER,), (NOBODY,))
        assert by_path[0].status in (401, 403)
        if credential.startswith("of-a-"):
            headers = {"authorization": f"Bearer {credential}"}
            by_host = [
                service.call(
                    route.method,
                    path,
                    body_of(route),
                    key=None,
                    headers={**headers, "host": f"{name}.x.example"},
                )
                for name, service in zip((OTHER, NOBODY), services, strict=True)
            ]
            check_alike(services[0], by_host[0], by_host[1], (OTHER,), (NOBODY,))
    for service in services:
        service.close()


@pytest.mark.parametrize("caller", ["key", "of-a-tenant"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.name} {route.versions[-1].name}")
def test_ids_of_another_loop_on_the_wire(route: Route, caller: str) -> None:
    """One's own loop, with ids that only the other one has."""
    theirs, nobodys = TwoLoops(), TwoLoops()
    credential = theirs.loop.key1 if caller == "key" else caller
    pairs = zip(paths(route, ids(route, **THEIRS)), paths(route, ids(route, **NOBODYS)), strict=True)
    for path, ghost_path in pairs:
        replies = [
            call(one, route, f"/loops/{MINE}{each}", credential, body_of(route))
            for one, each in ((theirs, path), (nobodys, ghost_path))
        ]
        if route.name in ("Rank", "RankSlots"):  # with an event id that is made
            assert replies[0].status == replies[1].status
            continue
        check_alike(theirs, replies[0], replies[1], tuple(THEIRS.values()), tuple(NOBODYS.values()))
    theirs.close()
    nobodys.close()


@pytest.mark.parametrize("caller", ["key", "of-a-tenant", "of-a-stranger", "wrong", ""])
@pytest.mark.parametrize("route", CONTROL_ROUTES, ids=lambda route: route.name)
def test_another_loop_on_the_control_plane(route: Route, caller: str) -> None:
    theirs, nobodys = TwoLoops(), TwoLoops()
    credential = theirs.loop.key1 if caller == "key" else caller
    for name, ghost in ((OTHER, NOBODY), (MINE, MINE)):
        here, there = ids(route, **THEIRS, name=name), ids(route, **NOBODYS, name=ghost)
        if "loopId" in here:
            here["loopId"] = theirs.loops[OTHER].loop_id
        for path, ghost_path in zip(paths(route, here), paths(route, there), strict=True):
            replies = [
                call(one, route, each, credential, body_of(route))
                for one, each in ((theirs, path), (nobodys, ghost_path))
            ]
            given = (OTHER, *here.values()) if name == OTHER else tuple(THEIRS.values())
            if replies[0].status == 200 and name == MINE and route.method != "GET":
                continue  # it did something to one's own loop, with new keys or a receipt in the answer
            check_alike(theirs, replies[0], replies[1], given, (NOBODY, *NOBODYS.values()))
            if name == OTHER and route.names:
                assert replies[0].status in (401, 403), "and nothing is done"
    theirs.close()
    nobodys.close()


@pytest.mark.parametrize("route", CONTROL_ROUTES, ids=lambda route: route.name)
def test_a_role_on_a_loop_that_is_not_there(service: TwoLoops, route: Route) -> None:
    (path,) = paths(route, ids(route, **NOBODYS, name=NOBODY))
    reply = call(service, route, path, "of-a-ghost", body_of(route))
    assert not [secret for secret in (*service.secrets, MINE) if secret in reply.body.decode()]
    if "{name}" in route.path:
        assert (reply.status, reply.code) == (404, "LoopNotFound")
        assert reply.message == f"There is no loop '{NOBODY}'."


@pytest.mark.parametrize("is_taken", [False, True], ids=["its name is free", "another loop has its name"])
@pytest.mark.parametrize("route", [*ROUTES, *CONTROL_ROUTES], ids=lambda route: route.name)
def test_a_loop_that_was_deleted_a_moment_ago(service: TwoLoops, route: Route, is_taken: bool) -> None:
    """Its key still opens it in this process; whether another one has its name now is not to be seen."""
    service.stores.catalog.delete(MINE, recoverable_until_us=2**60)
    if is_taken:
        taken = replace(make_loop(MINE, loop_id="id-of-the-new-one"), key1="new-key-1", key2="new-key-2")
        service.stores.catalog.create(taken)
        service.stores.open(taken).events.append([make_decision("event-of-the-new-one")])
    for path in paths(route, ids(route, event="event-mine", model="model-mine", job="job-mine")):
        reply = call(service, route, path, service.loop.key1, body_of(route))
        text = reply.body.decode()
        secrets = (*service.secrets, "id-of-the-new-one", "new-key", "event-of-the-new-one")
        assert not [secret for secret in secrets if secret in text]
        if route in CONTROL_ROUTES and reply.status not in (403, 405):
            assert (reply.status, "{name}" in route.path) in ((200, False), (404, True)), text
            assert reply.status == 404 or json.loads(text) == []


@pytest.mark.parametrize("caller", ["key", "owner"])
@pytest.mark.parametrize("route", [*ROUTES, *CONTROL_ROUTES], ids=lambda route: route.name)
def test_a_loop_that_is_deleted_while_it_is_read(
    service: TwoLoops, route: Route, caller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is wrong with the service then: whoever asks for the loop hears that it is gone."""

    def fail(loop: Loop, **_: object) -> None:
        if service.stores.catalog.find_by_id(loop.loop_id) is not None:
            service.stores.catalog.delete(loop.name, recoverable_until_us=2**60)
        raise StoreUnavailable(f"{loop.name}/latest-time can't be written: No such file or directory.")

    for act in ("open", "usage", "erase"):
        monkeypatch.setattr(service.stores, act, fail)
    key = OWNER_KEY if caller == "owner" else service.loop.key1
    for path in paths(route, ids(route, event="event-mine", model="model-mine", job="job-mine")):
        reply = call(service, route, path, key, body_of(route))
        assert reply.status < 500, reply.body


@pytest.mark.parametrize("caller", ["key", "of-a-tenant", "of-a-stranger"])
def test_names_in_bodies_and_queries(caller: str) -> None:
    """Whether a name is taken, in service or deleted, is not to be found out by making or recovering a loop."""
    for deleted in (False, True):
        services = [TwoLoops(), TwoLoops()]
        replies: list[list[Reply]] = []
        for name, service in zip((OTHER, NOBODY), services, strict=True):
            other = service.loops[OTHER]
            if deleted:
                service.stores.catalog.delete(OTHER, recoverable_until_us=2**60)
            credential = service.loop.key1 if caller == "key" else caller
            headers = {"authorization": f"Bearer {caller}"} if caller != "key" else {}
            loop_id = other.loop_id if name == OTHER else "id-of-nobody-wv9"
            asked: list[tuple[str, str, object]] = [
                ("POST", "/sartor/v1/loops", {"name": name}),
                ("POST", f"/sartor/v1/deleted-loops/{loop_id}/recover", {"name": name}),
                ("POST", f"/sartor/v1/deleted-loops/{name}/recover", b""),
                ("DELETE", f"/sartor/v1/deleted-loops/{loop_id}", b""),
                ("GET", f"/sartor/v1/usage?loop={name}", b""),
                ("GET", f"/sartor/v1/loops?name={name}", b""),
            ]
            key = credential if caller == "key" else None
            replies.append([service.call(*one[:2], one[2], key=key, headers=headers) for one in asked])
        for theirs, nobodys in zip(*replies, strict=True):
            check_alike(services[0], theirs, nobodys, (OTHER,), (NOBODY,))
        for service in services:
            service.close()


def test_no_folder_of_the_machine_is_named(service: TwoLoops, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Loop) -> None:
        raise StoreUnavailable("/srv/data/loops/theirs-xk4/events.sqlite can't be read: I/O error.")

    monkeypatch.setattr(service.stores, "open", fail)
    reply = service.call("GET", "/personalizer/v1.0/logs/properties")
    assert reply.status == 503
    assert "/srv" not in reply.message
    assert OTHER not in reply.message


def test_the_owner_is_still_helped(service: TwoLoops) -> None:
    reply = service.call("GET", f"/sartor/v1/loops/{NOBODY}", key=OWNER_KEY)
    assert (reply.status, reply.code) == (404, "LoopNotFound")
    assert f"Loops: {MINE}, {OTHER}." in reply.message
    assert service.call("DELETE", f"/sartor/v1/loops/{OTHER}", key=OWNER_KEY).status == 200
    reply = service.call("POST", f"/sartor/v1/deleted-loops/{NOBODY}/recover", key=OWNER_KEY)
    assert OTHER in reply.message


def test_activities_are_those_of_the_loop_alone(service: TwoLoops) -> None:
    """Not those of an earlier loop of that name, nor of one whose name is the id of this one."""
    namesake = make_loop(service.loops[MINE].loop_id)
    assert service.call("POST", "/sartor/v1/loops", {"name": namesake.name}, key=OWNER_KEY).status == 201
    assert service.call("DELETE", f"/sartor/v1/loops/{MINE}", key=OWNER_KEY).status == 200
    assert service.call("POST", "/sartor/v1/loops", {"name": MINE}, key=OWNER_KEY).status == 201
    new = service.stores.catalog.find(MINE)
    service.loop_table.replace([ServedLoop(new, service.writer, service.live)])
    lines: list[dict[str, Any]] = json.loads(
        service.call("GET", f"/sartor/v1/loops/{MINE}/activities", key=new.key1).body
    )
    assert [(one["action"], one["loopId"]) for one in lines] == [("create", new.loop_id)]
    every = json.loads(service.call("GET", f"/sartor/v1/loops/{MINE}/activities", key=OWNER_KEY).body)
    assert [one["action"] for one in every] == ["delete", "create"], "the owner sees both loops of that name"
