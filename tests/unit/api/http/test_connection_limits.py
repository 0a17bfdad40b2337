"""The gate: who is let in, and who has to go."""

from sartor.api.http.connection_limits import ConnectionLimits, Timeouts


class Guest:
    def __init__(self, since_s: float, *, has_asked: bool = False) -> None:
        self.waiting_since_s = since_s
        self.has_asked = has_asked
        self.left = False
        self.checked_s: list[float] = []

    def check(self, now_s: float, /) -> None:
        self.checked_s.append(now_s)

    def close(self) -> None:
        self.left = True


WORKING = float("inf")


def gate(*guests: Guest) -> ConnectionLimits:
    made = ConnectionLimits(Timeouts(body_s=1, body_bytes=1), most=len(guests))
    assert all(made.admit(guest) for guest in guests)
    return made


def test_the_one_that_never_asked_and_waited_longest_goes_first() -> None:
    resting, early, late = Guest(1, has_asked=True), Guest(2), Guest(3)
    full = gate(resting, late, early)
    assert full.admit(Guest(4))
    assert [resting.left, early.left, late.left] == [False, True, False]
    assert len(full) == 3


def test_who_has_asked_goes_only_when_no_one_else_can() -> None:
    resting, working = Guest(5, has_asked=True), Guest(WORKING, has_asked=True)
    full = gate(resting, working)
    assert full.admit(Guest(6))
    assert resting.left
    assert not working.left


def test_no_one_is_let_in_while_all_are_being_served() -> None:
    full = gate(Guest(WORKING), Guest(WORKING))
    assert not full.admit(Guest(1))
    assert len(full) == 2


def test_room_is_made_for_several_at_once() -> None:
    crowd = [Guest(number) for number in range(200)]
    assert gate(*crowd).admit(Guest(999))
    assert [guest.left for guest in crowd] == [True] * 4 + [False] * 196


def test_leaving_twice_is_leaving_once() -> None:
    guest = Guest(1)
    full = gate(guest)
    full.release(guest)
    full.release(guest)
    assert len(full) == 0


def test_a_sweep_asks_everyone() -> None:
    crowd = [Guest(1), Guest(WORKING)]
    gate(*crowd).sweep(17.0)
    assert [guest.checked_s for guest in crowd] == [[17.0], [17.0]]
