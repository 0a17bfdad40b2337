"""Each loop has a lock of its own, and none is left when nobody needs it."""

import threading

from sartor.api.loop_locks import LoopLocks


def test_one_loop_takes_turns_and_others_go_on() -> None:
    locks = LoopLocks()
    entered = threading.Event()

    def wait_for_a() -> None:
        with locks.hold("a"):
            entered.set()

    with locks.hold("a"):
        second = threading.Thread(target=wait_for_a)
        second.start()
        with locks.hold("b"):
            assert len(locks) == 2
        assert not entered.wait(0.05)
    second.join(10)
    assert entered.is_set()
    assert len(locks) == 0


def test_a_holder_that_fails_gives_it_back() -> None:
    locks = LoopLocks()
    for _ in range(2):
        try:
            with locks.hold("a"):
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    assert len(locks) == 0
