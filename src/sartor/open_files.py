"""How many files a process may have open, and how they are divided between clients and databases.

The kernel bounds the descriptors of a process (``ulimit -n``): softly, up to a hard limit that only an
administrator raises. Whatever needs many of them asks here, so that the parts never exceed the whole.
"""

import resource

from msgspec import Struct

from sartor.errors import InvalidSetting

NEEDED = 128
"""Fewer open files than that are too few for any process of an instance."""

MOST_CLIENTS = 10_000
"""How many connections of clients one process keeps open at most."""

MOST_DATABASES = 2_048
"""How many connections to databases one process keeps open at most: each takes about 0.1 MB of memory."""

FILES_PER_DATABASE = 4
"""A database, its write-ahead log, its shared memory, and the file beside it that holds the log's clock."""

MOST_COUNTERS = 1_024
"""How many counters of quotas one process keeps mapped at most."""

_OTHERS = 48
"""Standard streams, pipes, the listener, event loop, instance locks, and files that are open for a moment."""

_HIGHEST = 1_048_576
"""What a soft limit is raised to where the hard one is infinite, or absurd."""


class OpenFileShares(Struct, frozen=True):
    """How many connections to databases, connections of clients, and counters of quotas fit into the limit."""

    databases: int
    clients: int
    counters: int


def raise_limit() -> int:
    """Raise the soft limit of this process, and of those that it starts, to the hard one; returns it.

    Raises:
        InvalidSetting: the hard limit is too low for any process of an instance.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reachable = _HIGHEST if hard == resource.RLIM_INFINITY else min(hard, _HIGHEST)
    if reachable < NEEDED:
        raise InvalidSetting(
            f"This process may have {reachable} files open, but needs {NEEDED} at least, better 4096 or more: "
            "raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd, --ulimit nofile= of a container)."
        )
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
        return reachable
    return _HIGHEST if soft == resource.RLIM_INFINITY else min(soft, _HIGHEST)


def divide(limit: int | None = None, /) -> OpenFileShares:
    """Divide a number of open files, by default the soft limit of this process.

    Clients get half, counters of quotas an eighth, databases the rest, each as many as it has use for.
    """
    if limit is None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = _HIGHEST if soft == resource.RLIM_INFINITY else soft
    left = max(0, limit - _OTHERS)
    clients = max(16, min(MOST_CLIENTS, left // 2))
    counters = max(4, min(MOST_COUNTERS, left // 8))
    databases = max(4, min(MOST_DATABASES, (left - clients - counters) // FILES_PER_DATABASE))
    return OpenFileShares(databases, clients, counters)
