"""The joined log as it is mirrored: the lines of an export, with their numbers and times."""

from collections.abc import Iterator

from sartor.dsjson import outcome_line
from sartor.ports import LoopStores
from sartor.service.audit import joined_log
from sartor.work.mirror import Copied


def read(logs: LoopStores, after: int, /) -> Iterator[Copied]:
    """The outcomes after a number, in order.

    Raises:
        Corrupt: an outcome of a decision that is not in the log.
    """
    for decision, logged in joined_log.pairs(logs, after=after):
        outcome = logged.outcome
        yield Copied(logged.seq, outcome.settled_at_us, outcome_line(decision, outcome))
