"""Executors of evaluations: the cores of this machine, or the workers of an existing Dask cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from sartor.errors import InvalidSetting

LOCAL = "local"
CONNECT_TIMEOUT_S = 10.0
"""How long a scheduler may take to answer."""

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class Executor:
    """Runs a function on several tasks in parallel. Made by ``open_executor``."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        """How many tasks run at once."""

    def map(self, function: Callable[[_Task], _Result], tasks: Sequence[_Task], /) -> list[_Result]:
        """Returns the results, in order. A single task runs in this process."""
        if len(tasks) == 1:
            return [function(tasks[0])]
        from joblib import Parallel, delayed

        results: list[_Result] = Parallel(n_jobs=min(len(tasks), self.workers))(
            delayed(function)(task) for task in tasks
        )
        return results


@contextmanager
def open_executor(where: str = LOCAL, /) -> Iterator[Executor]:
    """Opens an executor, for as long as it is entered.

    Args:
        where: ``local``: a process for each core. ``dask://HOST:PORT``: the scheduler of a Dask cluster. Its
            workers must have Sartor installed and see the data folder under the same path.

    Raises:
        InvalidSetting: another kind of executor, or its package is not installed, or its scheduler doesn't
            answer.
    """
    import joblib

    scheme, _, address = where.partition("://")
    if where == LOCAL:
        with joblib.parallel_config(backend="loky"):
            yield Executor(joblib.effective_n_jobs(-1))
    elif scheme == "dask" and address:
        with _dask_client(f"tcp://{address}"), joblib.parallel_config(backend="dask"):
            yield Executor(joblib.effective_n_jobs(-1))
    else:
        raise InvalidSetting(f"Can't compute at {where!r}: specify {LOCAL}, or dask://HOST:PORT.")


@contextmanager
def _dask_client(address: str) -> Iterator[object]:
    try:
        from distributed import Client
    except ImportError as error:
        raise InvalidSetting("Dask support is not installed: pip install 'sartor[dask]'.") from error
    try:
        client: AbstractContextManager[object] = Client(address, timeout=CONNECT_TIMEOUT_S)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise InvalidSetting(f"No Dask scheduler answers at {address}: {error}.") from error
    with client as connected:
        yield connected
