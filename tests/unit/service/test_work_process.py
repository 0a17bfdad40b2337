"""Background tasks: one that fails stops nothing else, and is logged once."""

import logging

import pytest

from sartor.errors import StoreUnavailable
from sartor.service.work_process import BackgroundTask


class Task:
    """Counts its calls; raises what a test asks for."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None

    def __call__(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreUnavailable("The disk is full."), "The disk is full."),
        (ZeroDivisionError("a bug"), "ZeroDivisionError: a bug"),
    ],
)
def test_a_task_that_fails_is_called_again_and_logged_once(
    caplog: pytest.LogCaptureFixture, error: Exception, reason: str
) -> None:
    caplog.set_level(logging.INFO)
    call = Task()
    task = BackgroundTask("Housekeeping", call)
    call.error = error
    for _ in range(3):
        task.run_if_due()
    call.error = None
    task.run_if_due()
    assert call.calls == 4
    assert [record.getMessage() for record in caplog.records] == [
        f"Housekeeping: {reason}",
        "Housekeeping: recovered.",
    ]


def test_a_task_rests_between_two_calls() -> None:
    call = Task()
    task = BackgroundTask("Housekeeping", call, every_s=60)
    task.run_if_due()
    assert call.calls == 0
