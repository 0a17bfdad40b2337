"""Which connections are admitted, and which are closed to make room."""

from sartor.api.http.connection_limits import ConnectionLimits, Timeouts


class FakeConnection:
    def __init__(self, since_s: float, *, has_sent_request: bool = False) -> None:
        self.waiting_since_s = since_s
        self.has_sent_request = has_sent_request
        self.is_closed = False
        self.checked_s: list[float] = []

    def close_if_late(self, now_s: float, /) -> None:
        self.checked_s.append(now_s)

    def close(self) -> None:
        self.is_closed = True


WORKING = float("inf")


def limits_with(*connections: FakeConnection) -> ConnectionLimits:
    made = ConnectionLimits(Timeouts(body_s=1, body_bytes=1), max_connections=len(connections))
    assert all(made.admit(connection) for connection in connections)
    return made


def test_the_one_that_never_sent_a_request_and_waited_longest_is_closed_first() -> None:
    idle, early, late = FakeConnection(1, has_sent_request=True), FakeConnection(2), FakeConnection(3)
    full = limits_with(idle, late, early)
    assert full.admit(FakeConnection(4))
    assert [idle.is_closed, early.is_closed, late.is_closed] == [False, True, False]
    assert len(full) == 3


def test_who_has_sent_request_goes_only_when_no_one_else_can() -> None:
    idle, working = FakeConnection(5, has_sent_request=True), FakeConnection(WORKING, has_sent_request=True)
    full = limits_with(idle, working)
    assert full.admit(FakeConnection(6))
    assert idle.is_closed
    assert not working.is_closed


def test_none_is_admitted_while_all_are_being_served() -> None:
    full = limits_with(FakeConnection(WORKING), FakeConnection(WORKING))
    assert not full.admit(FakeConnection(1))
    assert len(full) == 2


def test_room_is_made_for_several_at_once() -> None:
    connections = [FakeConnection(number) for number in range(200)]
    assert limits_with(*connections).admit(FakeConnection(999))
    assert [connection.is_closed for connection in connections] == [True] * 4 + [False] * 196


def test_releasing_twice_is_releasing_once() -> None:
    connection = FakeConnection(1)
    full = limits_with(connection)
    full.release(connection)
    full.release(connection)
    assert len(full) == 0


def test_every_connection_is_checked() -> None:
    connections = [FakeConnection(1), FakeConnection(WORKING)]
    limits_with(*connections).check_all(17.0)
    assert [connection.checked_s for connection in connections] == [[17.0], [17.0]]
