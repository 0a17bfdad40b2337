"""Long work in short transactions with pauses between them."""

import time

import pytest

from sartor.stores.throttled_transactions import LARGEST, ThrottledTransactions


class Machine:
    """A clock that work advances, and that counts the pauses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        self.paused_s = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)
        monkeypatch.setattr(time, "sleep", self._pause)

    def _pause(self, seconds: float) -> None:
        self.paused_s += seconds

    def takes(self, row_s: float, rows: int) -> int:
        self.now_s += row_s * rows
        return rows


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_each_step_is_followed_by_a_pause_as_long(machine: Machine) -> None:
    steps = ThrottledTransactions()
    for _ in range(5):
        steps.run(lambda rows: machine.takes(1e-5, rows))
    assert machine.paused_s == pytest.approx(machine.now_s)


@pytest.mark.parametrize("row_s", [1e-7, 1e-5, 1e-3])
def test_steps_grow_and_shrink_until_they_are_short(machine: Machine, row_s: float) -> None:
    steps = ThrottledTransactions()
    for _ in range(20):
        steps.run(lambda rows: machine.takes(row_s, rows))
    assert steps.rows == {1e-7: LARGEST, 1e-5: 250, 1e-3: 50}[row_s]


def test_all_is_done_in_order(machine: Machine) -> None:
    done: list[int] = []
    ThrottledTransactions().run_all(list(range(10_000)), done.extend)
    assert done == list(range(10_000))


def test_a_failure_is_raised_at_once(machine: Machine) -> None:
    def fail(_: object) -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - the one raised above
        ThrottledTransactions().run_all([1, 2], fail)
