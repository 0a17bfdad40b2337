"""What an api process knows of the health of the whole instance: its own problems and those of the others."""

import os
from collections.abc import Callable, Iterator
from typing import Protocol

from sartor.errors import SartorError
from sartor.problems import Problem
from sartor.runtime.instance_state import InstanceState
from sartor.runtime.instance_watch import InstanceWatch


class FollowedTable(Protocol):
    """The loops of this process; ``loop_table_sync.LoopTableSync`` is one."""

    @property
    def loops_in_service(self) -> int:
        """How many loops are in service, served or not."""

    def list_problems(self) -> list[Problem]:
        """What is wrong with the catalog and with the loops in this process."""


class InstanceHealth:
    """Call ``look`` about once a second; ``state`` is what is known since."""

    def __init__(
        self, table: FollowedTable, watch: InstanceWatch, /, *, check_writable: Callable[[], None]
    ) -> None:
        """Prepare.

        Args:
            table: the loops of this process.
            watch: of the other processes.
            check_writable: raises ``StoreUnavailable`` if nothing can be committed now.
        """
        self._table = table
        self._watch = watch
        self._check_writable = check_writable

    def look(self) -> list[Problem]:
        """Look at the other processes; returns the problems of this one, for its own report."""
        self._watch.look()
        return self._table.list_problems()

    def state(self) -> InstanceState:
        """The health of the instance now. Tries a write."""
        return InstanceState(
            problems=tuple(dict.fromkeys(self._find_problems())),
            processes=tuple(self._watch.processes()),
            loops=self._table.loops_in_service,
        )

    def _find_problems(self) -> Iterator[Problem]:
        yield from self._table.list_problems()
        try:
            self._check_writable()
        except SartorError as error:
            yield Problem(error.message, action="disk_not_writable")
        yield from self._watch.find_problems()
        for process in self._watch.processes():
            if process.pid != os.getpid() and process.role != "api":
                yield from process.problems
