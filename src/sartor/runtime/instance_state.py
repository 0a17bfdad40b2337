"""How an instance is: its processes, its problems, and what follows from them for those who ask."""

from typing import Literal

from msgspec import Struct

from sartor.problems import Problem, ProcessReport

Status = Literal["ready", "degraded", "unready"]
"""All is well; something is not, but requests are answered; nothing can be served, or nothing learned."""

NO_LOOP = Problem("No loop can be served: every one of them has a problem.", action="no_loop_served")


class ProcessState(ProcessReport, frozen=True, kw_only=True):
    """A process of the instance, as another one sees it: what it reports, and what its silence says.

    Attributes:
        idle_s: for how long it has made no progress, in seconds.
    """

    idle_s: float


class InstanceState(Struct, frozen=True, kw_only=True):
    """What is known of an instance now.

    Attributes:
        problems: those of the instance, its processes and its loops.
        processes: the processes that run.
        loops: how many loops are in service.
    """

    problems: tuple[Problem, ...] = ()
    processes: tuple[ProcessState, ...] = ()
    loops: int = 0

    @property
    def loops_with_problems(self) -> int:
        """How many loops have a problem."""
        return len({problem.loop_id for problem in self.problems if problem.loop_id})

    @property
    def reasons(self) -> list[Problem]:
        """Why the instance is unready; none: it is not. A loop's problem is no reason while another serves."""
        of_instance = [problem for problem in self.problems if problem.fatal and not problem.loop_id]
        broken = {problem.loop_id for problem in self.problems if problem.fatal and problem.loop_id}
        if not of_instance and broken and len(broken) >= self.loops:
            return [NO_LOOP]
        return of_instance

    @property
    def status(self) -> Status:
        """The status of the instance."""
        if self.reasons:
            return "unready"
        return "degraded" if self.problems else "ready"

    def of_loop(self, name: str, /) -> list[Problem]:
        """The problems of a loop."""
        return [problem for problem in self.problems if problem.loop == name]
