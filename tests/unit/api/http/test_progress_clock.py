"""Who is late, and what buys time."""

from sartor.api.http.progress_clock import ProgressClock


def test_nothing_is_late_that_does_not_have_to_move() -> None:
    clock = ProgressClock(patience_s=10, rate=100)
    assert not clock.is_late(1e9)
    clock.start(5)
    assert [clock.is_running, clock.is_late(15), clock.is_late(16)] == [True, False, True]
    clock.stop()
    assert [clock.is_running, clock.is_late(1e9)] == [False, False]


def test_who_keeps_the_rate_is_never_late() -> None:
    clock = ProgressClock(patience_s=10, rate=100)
    clock.start(0)
    for second in range(1, 1000):
        assert not clock.is_late(second)
        clock.add(100, second)


def test_who_is_slower_is_late_in_the_end() -> None:
    clock = ProgressClock(patience_s=10, rate=100)
    clock.start(0)
    late = []
    for second in range(1, 30):
        clock.add(50, second)
        late.append(clock.is_late(second))
    assert late.index(True) == 20


def test_what_came_fast_buys_no_time() -> None:
    clock = ProgressClock(patience_s=10, rate=100)
    clock.start(0)
    clock.add(1_000_000, 1)
    assert not clock.is_late(11)
    assert clock.is_late(11.1)
