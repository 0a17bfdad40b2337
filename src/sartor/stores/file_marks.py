"""Marks of database files: whether anything was committed, found out without opening them.

A commit writes to the write-ahead log, a checkpoint to the database: sizes and times of change of the two tell.
Times are coarse, and a commit becomes visible only some time after it was written, when the disk has it; so a
mark of files that were written a moment ago is equal to no other.
"""

import os
import time
from collections.abc import Hashable, Sequence
from pathlib import Path

RECENT_S = 5.0
"""For how long after a write of a file its mark differs from every other one."""


class FileMarks:
    """Marks of some databases together; one costs about five microseconds for each."""

    def __init__(self, paths: Sequence[Path], /) -> None:
        """``paths``: the databases. None of them need exist."""
        self._paths = paths
        self._files: list[str] = []

    def read(self) -> Hashable:
        """Returns a mark. If it equals one that was returned before, nothing was committed in between.

        Read it before the databases: what is committed meanwhile changes the next mark.
        """
        if not self._files:  # not before: most stores that are opened are never watched
            self._files = [file for path in self._paths for file in (str(path), f"{path}-wal")]
        mark: list[object] = []
        latest_ns = 0
        for file in self._files:
            try:
                found = os.stat(file)
            except OSError:  # no write-ahead log is the rule for a database that nobody has open
                mark.append(None)
                continue
            mark.append((found.st_ino, found.st_size, found.st_mtime_ns))
            latest_ns = max(latest_ns, found.st_mtime_ns)
        # Also where the clock was set back, and the time of change lies in the future.
        if time.time_ns() - latest_ns < RECENT_S * 1e9:
            mark.append(object())
        return tuple(mark)
