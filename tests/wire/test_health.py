"""What health says to whom: no names without a key, of one loop with its key, everything to an owner."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sartor.access.roles import Caller, Grant
from sartor.errors import Unauthorized
from sartor.problems import Problem
from sartor.runtime.instance_state import ProcessState
from tests.wire.harness import OWNER_KEY, Reply, Service

PATH = "/health/ready"
MINE = Problem(
    "The log of this loop is damaged: /srv/data/loops/x/events.sqlite.", "id-of-default", "default", "x"
)
OTHER = Problem("The log of the neighbour is damaged.", "id-of-neighbour", "neighbour", "x")
MIRROR = Problem("The mirror failed.", "id-of-neighbour", "neighbour", "x", fatal=False)
STALLED = Problem(
    "The learn process has made no progress for 12 s, at the loop 'default'.", action="process_stalled"
)
LEARN = ProcessState(role="learn", pid=7, host="here", started_us=0, progressed_us=0, idle_s=12.3)


class Tokens:
    """Accepts tokens that are names of callers."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self._callers = callers

    async def verify(self, token: bytes, /, *, address: str = "") -> Caller:
        if token.decode() not in self._callers:
            raise Unauthorized
        return self._callers[token.decode()]


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service(
        token_verifier=Tokens(
            {
                "all": Caller(name="all", grants=(Grant("Reader"),)),
                "two": Caller(name="two", grants=(Grant("Reader", "default"), Grant("Reader", "neighbour"))),
                "user": Caller(name="user", grants=(Grant("User", "default"),)),
            }
        )
    )
    yield made
    made.close()


def ask(service: Service, *problems: Problem, key: str | None = None, token: str = "") -> Reply:
    service.problems, service.processes = list(problems), [LEARN]
    service.clock_s += 1
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return service.call("GET", PATH, key=key, headers=headers)


def test_without_a_key_no_name_no_path_and_no_reason(service: Service) -> None:
    assert ask(service).json() == {"status": "ready"}
    reply = ask(service, MINE)
    assert (reply.status, reply.json()) == (200, {"status": "degraded", "loopsWithProblems": 1})
    reply = ask(service, MINE, OTHER, STALLED)
    assert (reply.status, reply.json()["status"]) == (503, "unready")
    assert reply.json()["reasons"] == ["A process of the service makes no progress."]
    assert reply.message == "A process of the service makes no progress."
    reply = ask(service, MINE, OTHER)
    assert (reply.status, reply.json()["reasons"]) == (503, ["No loop can be served."])
    for word in (b"default", b"neighbour", b"/srv", b"damaged", b"here"):
        assert word not in reply.body


def test_a_key_of_a_loop_is_told_of_its_loop_alone(service: Service) -> None:
    reply = ask(service, OTHER, key="")
    assert (reply.status, reply.json()["status"]) == (200, "ready")
    assert reply.json()["loops"] == [{"name": "default", "status": "ready", "reasons": []}]
    reply = ask(service, MINE, key="")
    assert (reply.status, reply.code) == (503, "OperationNotAllowed")
    assert reply.json()["reasons"] == ["The log of this loop is damaged: events.sqlite."]
    reply = ask(service, MINE, OTHER, STALLED, key="")
    assert reply.json()["reasons"] == ["A process of the service makes no progress."]
    assert b"neighbour" not in reply.body
    assert b"/srv" not in reply.body


def test_an_owner_and_a_reader_of_everything_are_told_everything(service: Service) -> None:
    for reply in (
        ask(service, MINE, MIRROR, STALLED, key=OWNER_KEY),
        ask(service, MINE, MIRROR, STALLED, token="all"),
    ):
        told: dict[str, Any] = reply.json()
        assert (reply.status, told["status"], told["loopsInService"]) == (503, "unready", 2)
        assert told["reasons"] == [STALLED.message]
        assert told["loops"] == [
            {
                "name": "default",
                "status": "unready",
                "reasons": ["The log of this loop is damaged: events.sqlite."],
            },
            {"name": "neighbour", "status": "degraded", "reasons": ["The mirror failed."]},
        ]
        (process,) = told["processes"]
        assert (process["role"], process["pid"], process["secondsSinceProgress"]) == ("learn", 7, 12.3)


def test_a_reader_of_some_loops_is_told_of_these(service: Service) -> None:
    reply = ask(service, MINE, MIRROR, token="two")
    assert (reply.status, reply.json()["status"]) == (200, "degraded")
    told: dict[str, Any] = reply.json()
    assert [loop["status"] for loop in told["loops"]] == ["unready", "degraded"]
    assert ask(service, MINE, OTHER, token="two").status == 503


def test_who_may_read_nothing_is_told_as_much_as_nobody(service: Service) -> None:
    assert ask(service, MINE, token="user").json() == {"status": "degraded"}


def test_a_wrong_key_or_token_is_refused(service: Service) -> None:
    assert ask(service, MINE, key="f" * 32).status == 401
    assert ask(service, MINE, token="nobody").status == 401
    assert b"damaged" not in ask(service, MINE, key="f" * 32).body


def test_guessing_there_is_slowed_down_as_everywhere(service: Service) -> None:
    answers = [
        service.call("GET", PATH, key=f"{number:032x}", client="203.0.113.9").status for number in range(200)
    ]
    assert answers[0] == 401
    assert answers[-1] == 429
    assert service.call("GET", PATH, key="", client="203.0.113.9").status == 200


def test_whether_the_process_lives_is_told_to_anybody(service: Service) -> None:
    service.problems = [MINE, STALLED]
    for key in (None, "", "f" * 32):
        reply = service.call("GET", "/health/live", key=key)
        assert (reply.status, reply.json()) == (200, {"status": "live"})
