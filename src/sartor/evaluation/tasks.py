"""Tasks over a loop's log that are computed by other processes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sartor.evaluation.executor import Executor
from sartor.evaluation.progress import PartProgress, finish_stage, start_stage
from sartor.evaluation.time_range import OutcomeRange
from sartor.management import loops
from sartor.ports import EngineFactory, Loop, LoopStores
from sartor.runtime import compose

_Item = TypeVar("_Item")
_Task = TypeVar("_Task", bound="LogTask")
_Result = TypeVar("_Result")


class LogTask(Struct, frozen=True, kw_only=True):
    """Which outcomes of which loop to read; subclasses say what to compute of them.

    ``where``: the folder or URL of the stores. ``progress``: the path of a file for the share that is done, or
    "". A task is sent to other processes and machines, so its loop carries no keys: see ``without_keys``.
    """

    where: str
    loop: Loop
    outcomes: OutcomeRange
    progress: str = ""


class TaskContext(Struct, frozen=True, kw_only=True):
    """What a task is computed with, in the process that computes it."""

    logs: LoopStores
    create_engine: EngineFactory
    progress: PartProgress


@contextmanager
def open_task(task: LogTask, /) -> Iterator[TaskContext]:
    """Opens the stores of a task's loop, for as long as it is entered.

    Raises:
        InvalidSetting: there is no data folder at ``where``.
        StoreUnavailable: the log can't be read.
    """
    with compose.open_instance(task.where) as stores, loops.open_loop(stores, task.loop) as logs:
        progress = PartProgress(task.progress)
        yield TaskContext(logs=logs, create_engine=compose.engine_factory(), progress=progress)


def run_stage(
    executor: Executor,
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    /,
    *,
    stage: str,
    progress: Path | None,
) -> list[_Result]:
    """Runs the tasks of a stage of a job, each with a file for its progress; returns their results in order."""
    files = start_stage(progress, stage, parts=len(tasks))
    started = [replace(task, progress=file) for task, file in zip(tasks, files, strict=True)]
    results = executor.map(function, started)
    finish_stage(progress, stage)
    return results


def without_keys(loop: Loop, /) -> Loop:
    """Returns the loop without its API keys: reading its log needs none."""
    return replace(loop, key1="", key2="")


def split_evenly(items: Sequence[_Item], most: int, /) -> list[tuple[_Item, ...]]:
    """Splits items into at most ``most`` groups whose sizes differ by one at most; one group at least."""
    count = max(1, min(most, len(items)))
    return [tuple(items[start::count]) for start in range(count)]
