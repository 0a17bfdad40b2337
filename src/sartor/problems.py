"""What is wrong in a running instance: problems, and the report that each process posts about itself.

A process posts its report about once a second through the stores; api processes, the supervisor and ``sartor
doctor`` read them. So a process that hangs is noticed although it can't say so itself.
"""

import re
from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

_QUOTED_PATH = re.compile(r"""(?<=['"])/(?:[^'"\n]*/)?([^'"/\n]*)(?=['"])""")
_PATH = re.compile(r"""(?<![\w.:/'"])/(?:[^\s'":;,]+/)+([^\s'":;,/]*)""")

ProcessRole = Literal["api", "learn", "work"]


class Problem(Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        message: one or two sentences: what is wrong, where, and what to do. No secrets, no absolute paths: it
            is shown to whoever may read the loop.
        loop_id: the loop that it is about; empty: the process or the whole instance.
        loop: the name of that loop.
        action: its name in structured logs: ``learning_failed``.
        fatal: whether the loop (or without one, the process) can't do its work because of it.
    """

    message: str
    loop_id: str = ""
    loop: str = ""
    action: str = ""
    fatal: bool = True


class Damage(Struct, frozen=True, kw_only=True):
    """Something damaged in the stores of a loop.

    Attributes:
        loop_id: whose stores.
        loop: the name of that loop.
        kind: which part: ``outcomes``.
        message: what is wrong, in a sentence.
        remedy: what could be done about it, and what it costs; empty: nothing that is safe.
    """

    loop_id: str
    loop: str
    kind: str
    message: str
    remedy: str = ""


class ProcessReport(Struct, frozen=True, kw_only=True):
    """What a process says about itself.

    Attributes:
        role: what it does.
        pid: its number on its machine.
        host: the name of its machine.
        started_us: when it started.
        progressed_us: when it last finished a piece of its work. Compare it with earlier reports of the same
            process, not with a clock: clocks are set.
        busy_with: what it does since then, if it says so: the name of a loop.
        problems: what is wrong.
    """

    role: ProcessRole
    pid: int
    host: str
    started_us: int
    progressed_us: int
    busy_with: str = ""
    problems: tuple[Problem, ...] = ()


class ProcessReports(Protocol):
    """The reports of the processes of one instance, one for each. Cheap: a few small writes a second."""

    def post(self, report: ProcessReport, /) -> None:
        """Replace the report of this process.

        The first report of a learn process also removes those of other learn processes, which have ended.
        """

    def all(self) -> Sequence[ProcessReport]:
        """The reports of the processes that run, by role and pid; those known to have ended are left out."""

    def remove(self, report: ProcessReport, /) -> None:
        """Remove the report of a process that ends; idempotent."""


def strip_folders(text: str, /) -> str:
    """Returns a message without the folders of absolute paths in it: they are no caller's business."""
    return _PATH.sub(r"\1", _QUOTED_PATH.sub(r"\1", text))
