"""The control plane behind HTTP: the functions of this room, for the threads of an api process."""

import threading
import time
from collections.abc import Mapping, Sequence

from sartor.api.control import wire
from sartor.api.control.wire import (
    ActivityLine,
    CorrectionResult,
    DeletedLoop,
    ErasureReceipt,
    ErasureRequest,
    LoopKeys,
    LoopResource,
    UsageDay,
)
from sartor.dsjson.observations import format_timestamp
from sartor.estimators.scorecard_view import ScorecardView
from sartor.management import audit_log, erasure, lifecycle, loops, reward_corrections
from sartor.management import usage as consumption
from sartor.management.erasure_criteria import ErasureCriteria
from sartor.ports import Loop, Stores
from sartor.stores.audited import audited


class Counterpart:
    """Serves ``api.control.door.Door``. What touches the catalog goes one at a time."""

    def __init__(self, stores: Stores, by: str, /, *, lock: "threading.Lock") -> None:
        """Stand behind the door.

        Args:
            stores: their connections move between the threads that call.
            by: on whose behalf.
            lock: held while they are used; shared with others that use the same.
        """
        self._stores = audited(stores, by)
        self._lock = lock

    def acting_for(self, caller: str, /) -> "Counterpart":
        """The same, for another caller."""
        return Counterpart(self._stores, caller, lock=self._lock)

    def loops(self) -> Sequence[LoopResource]:
        """All loops in service, by name."""
        with self._lock:
            return [_resource(loop) for loop in self._stores.catalog.loops()]

    def loop(self, name: str, /) -> LoopResource:
        """One loop."""
        with self._lock:
            return _resource(loops.find_loop(self._stores, name))

    def create(self, name: str, terms: Mapping[str, object], /) -> LoopResource:
        """Make a loop on some terms."""
        with self._lock:
            return _resource(lifecycle.create(self._stores, name, terms=terms))

    def change(self, name: str, terms: Mapping[str, object], /) -> LoopResource:
        """Change some terms."""
        with self._lock:
            return _resource(lifecycle.set_terms(self._stores, name, terms))

    def delete(self, name: str, /) -> DeletedLoop:
        """Take a loop out of service."""
        with self._lock:
            return _gone(lifecycle.delete(self._stores, name))

    def keys(self, name: str, /) -> LoopKeys:
        """The keys of a loop."""
        with self._lock:
            loop = loops.find_loop(self._stores, name)
        return LoopKeys(loop.key1, loop.key2)

    def regenerate(self, name: str, /, *, second: bool) -> LoopKeys:
        """Replace one key."""
        with self._lock:
            loop = loops.rotate_key(self._stores, name, second=second)
        return LoopKeys(loop.key1, loop.key2)

    def deleted(self) -> Sequence[DeletedLoop]:
        """The loops that can be brought back."""
        with self._lock:
            return [_gone(loop) for loop in lifecycle.list_deleted(self._stores)]

    def recover(self, name: str, /, *, rename: str | None) -> LoopResource:
        """Bring a loop back."""
        with self._lock:
            return _resource(lifecycle.recover(self._stores, name, rename=rename))

    def purge(self, name: str, /) -> None:
        """Remove a deleted loop for good."""
        with self._lock:
            lifecycle.purge(self._stores, name)

    def usage(self, names: Sequence[str], /, *, first: str | None, last: str | None) -> Sequence[UsageDay]:
        """What was used of these loops."""
        begin, end = consumption.usage_days(first, last, today=consumption.today())
        with self._lock:
            asked = [loop for loop in self._stores.catalog.loops() if loop.name in names]
        days = consumption.read_usage(self._stores, asked, first=begin, last=end)
        return [UsageDay(loop=one.loop, day=one.day, ranks=one.ranks, rewards=one.rewards) for one in days]

    def score(self, name: str, /) -> ScorecardView:
        """What a loop earned, and what others would have earned."""
        from sartor.metrics.scorecard import current_scorecard  # it needs NumPy, which the other calls don't

        with self._lock:
            loop = loops.find_loop(self._stores, name)
        with loops.open_loop(self._stores, loop) as logs:
            return current_scorecard(logs).reading(now_us=time.time_ns() // 1_000)

    def activities(self, count: int, /, *, loop: str | None) -> Sequence[ActivityLine]:
        """The newest lines of the activity log, oldest of them first."""
        with self._lock:
            found = audit_log.read_newest(self._stores, count, loop=loop)
        return [wire.to_activity_line(one) for one in found]

    def correct(
        self, name: str, event_id: str, reward: float | None, /, *, slot: str | None
    ) -> CorrectionResult:
        """Replace a reward."""
        with self._lock:
            done = reward_corrections.correct_reward(self._stores, name, event_id, reward, slot=slot)
        return CorrectionResult(
            event_id=done.event_id,
            slot_id=done.slot_id,
            before=done.before,
            after=done.after,
            revision=done.revision,
        )

    def erase(self, name: str, asked: ErasureRequest, /) -> ErasureReceipt:
        """Erase what was decided for somebody. It reads the whole log; others go on meanwhile."""
        criteria = ErasureCriteria(where=asked.where, event_ids=asked.event_ids)
        with self._lock:
            loop = loops.find_loop(self._stores, name)
        receipt = erasure.erase_decisions(self._stores, loop, criteria)
        with self._lock:
            erasure.note_erasure(self._stores, loop, receipt)
        return ErasureReceipt(**{field: getattr(receipt, field) for field in receipt.__struct_fields__})


def _resource(loop: Loop) -> LoopResource:
    return LoopResource(
        name=loop.name,
        loop_id=loop.loop_id,
        created_at=format_timestamp(loop.created_at_us),
        version=loop.version,
        endpoint=f"/loops/{loop.name}",
        terms=loop.terms,
    )


def _gone(loop: Loop) -> DeletedLoop:
    return DeletedLoop(
        name=loop.name, loop_id=loop.loop_id, recoverable_until=format_timestamp(loop.recoverable_until_us)
    )
