"""The served loops of one api process, kept in step with the catalog and with the models that go live."""

import logging
from collections.abc import Callable

from msgspec import Struct

from sartor.access.allowed_networks import AllowedNetworks
from sartor.access.quota import QuotaLimiter
from sartor.access.served_loops import LoopTable, ServedLoop
from sartor.access.shared_counters import WindowCounter
from sartor.deploy.live import LiveModel
from sartor.errors import SartorError
from sartor.log.writer import Writer
from sartor.ports import EngineFactory, Loop, LoopStores, Stores

_log = logging.getLogger(__name__)


class _OpenLoop(Struct):
    """Behind one served loop: the loop as it is now, its stores, and what lasts when its settings change."""

    loop: Loop
    logs: LoopStores
    writer: Writer
    live: LiveModel
    rate_limiter: QuotaLimiter
    networks: AllowedNetworks | None = None
    trouble: str = ""
    unread: str = ""

    def follow(self, loop: Loop) -> None:
        """Take over the loop as it is now."""
        if self.networks is None or loop.terms.allowed_networks != self.loop.terms.allowed_networks:
            self.networks = (
                AllowedNetworks(loop.terms.allowed_networks) if loop.terms.allowed_networks else None
            )
        self.rate_limiter.follow(loop.terms)
        self.loop = loop

    @property
    def served_loop(self) -> ServedLoop:
        """What stands in front of it."""
        terms = self.loop.terms
        has_quota = terms.quota_per_second or terms.quota_per_month
        return ServedLoop(
            self.loop, self.writer, self.live, self.networks, self.rate_limiter if has_quota else None
        )


class LoopTableSync:
    """Opens and closes served loops as loops come and go; the table changes at once, between two requests."""

    def __init__(
        self,
        stores: Stores,
        factory: EngineFactory,
        loop_table: LoopTable,
        /,
        *,
        limit: int,
        tally_of: Callable[[str], WindowCounter] = lambda _: WindowCounter(),
    ) -> None:
        """Prepare.

        Args:
            stores: what the instance keeps.
            factory: makes the engines that rank.
            loop_table: where the served loops are shown.
            limit: how many events of a loop may wait for a commit.
            tally_of: counts the ranks of the loop with this id, by the second.
        """
        self._tally_of = tally_of
        self._stores = stores
        self._factory = factory
        self._loop_table = loop_table
        self._limit = limit
        self._places: dict[str, _OpenLoop] = {}
        self._seen: int | None = None
        self._trouble = ""

    def sync(self) -> None:
        """Follow the catalog and the registries once; costs microseconds while nothing changes."""
        try:
            self._follow_catalog()
            self._trouble = ""
        except SartorError as error:
            self._trouble = _told(self._trouble, error, "catalog_not_followed")
        for place in self._places.values():
            self._refresh(place)
            self._read_meter(place)

    def _follow_catalog(self) -> None:
        version = self._stores.catalog.version()
        if version == self._seen:
            return
        loops = self._stores.catalog.loops()
        gone = self._places.keys() - {loop.loop_id for loop in loops}
        left = [self._places.pop(loop_id) for loop_id in gone]
        try:
            for loop in loops:
                self._place(loop)
        finally:  # one loop that can't be opened must not keep the others from opening or closing
            self._show()
            for place in left:
                _close(place)
        self._seen = version

    def _show(self) -> None:
        self._loop_table.replace(place.served_loop for place in self._places.values())

    def _place(self, loop: Loop) -> None:
        if loop.loop_id in self._places:
            self._places[loop.loop_id].follow(loop)
        else:
            self._places[loop.loop_id] = self._opened(loop)

    def _opened(self, loop: Loop) -> _OpenLoop:
        logs = self._stores.open(loop)
        place = _OpenLoop(
            loop=loop,
            logs=logs,
            writer=Writer(logs.events, limit=self._limit),
            live=LiveModel(logs.models, self._factory),
            rate_limiter=QuotaLimiter(self._tally_of(loop.loop_id)),
        )
        place.follow(loop)
        self._refresh(place)
        return place

    def _refresh(self, place: _OpenLoop) -> None:
        try:
            place.live.refresh()
            place.trouble = ""
        except SartorError as error:
            place.trouble = _told(place.trouble, error, "model_not_loaded")

    def _read_meter(self, place: _OpenLoop) -> None:
        def used(from_us: int, to_us: int) -> int:
            days = self._stores.usage(place.loop, from_us=from_us, to_us=to_us)
            return sum(day.decisions for day in days)

        try:
            place.rate_limiter.refresh(used)
        except SartorError as error:
            place.unread = _told(place.unread, error, "usage_not_read")

    def troubles(self) -> list[str]:
        """Why this process can't serve as it should; empty when it can. It tries a write."""
        places = self._places.values()
        found = [self._trouble, *(place.trouble or place.live.problem or "" for place in places)]
        try:
            self._stores.check_writable()
        except SartorError as error:
            found.append(error.message)
        return [sentence for sentence in found if sentence]

    def close(self) -> None:
        """Commit what is waiting, and close every served loop."""
        self._loop_table.replace(())
        for place in self._places.values():
            _close(place)
        self._places.clear()


def _told(before: str, error: SartorError, action: str) -> str:
    # Ten times a second the same sentence helps nobody.
    if before != error.message:
        _log.error("%s", error.message, extra={"action": action})
    return error.message


def _close(place: _OpenLoop) -> None:
    place.writer.flush_now()
    place.live.close()
    place.rate_limiter.close()
    place.logs.close()
