"""Criteria of an erasure: decisions with certain values among their features, or certain event ids."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from sartor.errors import InvalidRequest
from sartor.ports import EventLog
from sartor.records import Decision

_BATCH = 500


class ErasureCriteria(Struct, frozen=True, kw_only=True, rename="camel"):
    """All of ``where`` must hold for a decision, or its id be one of ``event_ids``.

    ``where``: paths of features and their values, ``user.id`` and ``42``. A path is looked for in the context,
    in every action and in every slot; a number or a boolean is compared with the value that the text denotes.
    """

    where: dict[str, str] = {}
    event_ids: tuple[str, ...] = ()

    def check(self) -> None:
        """Check that the criteria are not empty.

        Raises:
            InvalidRequest: they are, or a path is empty.
        """
        if not self.where and not self.event_ids:
            raise InvalidRequest("Specify a feature and its value, or event ids.")
        if not all(self.where):
            raise InvalidRequest("The path of a feature is empty.")

    def matches(self, decision: Decision, /) -> bool:
        """Whether a decision meets the criteria."""
        if decision.event_id in self.event_ids:
            return True
        if not self.where:
            return False
        blobs = [decision.context, *(action.features for action in decision.actions)]
        blobs += [slot.features for slot in decision.slots]
        features = [item for blob in blobs for item in msgspec.json.decode(blob)]
        return all(any(_contains(item, path, value) for item in features) for path, value in self.where.items())

    def find(self, events: EventLog, /) -> Iterator[int]:
        """Yields the numbers of the decisions that meet the criteria, in order. It reads the whole log."""
        after = 0
        while batch := events.decisions(after=after, limit=_BATCH):
            yield from (one.seq for one in batch if self.matches(one.decision))
            after = batch[-1].seq


def _contains(value: object, path: str, wanted: str) -> bool:
    if not isinstance(value, dict):
        return False
    for name, inner in value.items():
        if name == path and _equals(inner, wanted):
            return True
        if path.startswith(f"{name}.") and _contains(inner, path[len(name) + 1 :], wanted):
            return True
    return False


def _equals(value: object, wanted: str) -> bool:
    if isinstance(value, list):
        return any(_equals(item, wanted) for item in value)
    if isinstance(value, bool) or value is None:
        return wanted == {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        try:
            return value == float(wanted)
        except ValueError:
            return False
    return value == wanted
