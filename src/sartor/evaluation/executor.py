"""Where evaluations compute: the cores of this machine, or the workers of a cluster that is there already."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from sartor.errors import InvalidSetting

LOCAL = "local"
PATIENCE_S = 10.0
"""For how long a scheduler may be silent."""

_Order = TypeVar("_Order")
_Answer = TypeVar("_Answer")


class Executor:
    """Runs functions side by side. Made by ``computing``."""

    def __init__(self, where: str, workers: int) -> None:
        self._where = where
        self.workers = workers
        """How many run at once."""

    def map(self, function: Callable[[_Order], _Answer], orders: Sequence[_Order], /) -> list[_Answer]:
        """The answers, in order. One order alone is carried out here, without another process."""
        if len(orders) == 1:
            return [function(orders[0])]
        from joblib import Parallel, delayed

        answers: list[_Answer] = Parallel(n_jobs=min(len(orders), self.workers))(
            delayed(function)(order) for order in orders
        )
        return answers


@contextmanager
def open_executor(where: str = LOCAL, /) -> Iterator[Executor]:
    """A place to compute, for as long as it is entered.

    Args:
        where: ``local``: a process for each core. ``dask://HOST:PORT``: the scheduler of a Dask cluster. Its
            workers must have Sartor installed and see the data folder under the same path.

    Raises:
        InvalidSetting: another kind of place, or the package for it is not installed.
    """
    import joblib

    scheme, _, address = where.partition("://")
    if where == LOCAL:
        with joblib.parallel_config(backend="loky"):
            yield Executor(where, joblib.effective_n_jobs(-1))
    elif scheme == "dask" and address:
        with _dask_client(f"tcp://{address}"), joblib.parallel_config(backend="dask"):
            yield Executor(where, joblib.effective_n_jobs(-1))
    else:
        raise InvalidSetting(f"Can't compute at {where!r}: say {LOCAL}, or dask://HOST:PORT.")


@contextmanager
def _dask_client(address: str) -> Iterator[object]:
    try:
        from distributed import Client
    except ImportError as error:
        raise InvalidSetting("Computing on Dask needs its package: pip install 'sartor[dask]'.") from error
    try:
        client: AbstractContextManager[object] = Client(address, timeout=PATIENCE_S)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise InvalidSetting(f"No Dask scheduler answers at {address}: {error}.") from error
    with client as connected:
        yield connected
