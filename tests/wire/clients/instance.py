"""A real Sartor for the clients: every process, stores on disk, and loops in the state that a test needs."""

import itertools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import requests

from sartor.management import loops
from sartor.ports import Loop, LoopStores
from sartor.records import LoggedDecision
from sartor.runtime import compose
from sartor.settings import WITHOUT_MIXTURE
from tests.acceptance.client import Client
from tests.acceptance.service import Service, eventually

SEVERAL_SLOTS = "--ccb_explore_adf --epsilon 0.2 --cb_type mtr -q ::"
_FEW = 20
_BATCH = 3
_LIKED = {"desktop": "finance", "mobile": "sports"}
_ALL = 1_000_000


class Instance:
    """One instance with as many loops as the tests need; the tests share it and spoil only their own loops."""

    def __init__(self, folder: Path) -> None:
        self._service = Service(folder)
        try:
            self._service.start()
        except BaseException:
            self._service.end()
            raise
        self._stores = compose.open_stores(str(folder))
        self._names = (f"loop-{number}" for number in itertools.count(1))
        self._spare: list[Loop] = []

    @property
    def endpoint(self) -> str:
        return self._service.endpoint

    def loop(self, *, arguments: str | None = None) -> Loop:
        """A new loop that is served under these learning settings, and explores as the retired service did."""
        loop = loops.create_loop(self._stores, next(self._names))
        loop = loops.change_settings(self._stores, loop.name, WITHOUT_MIXTURE)
        if arguments is not None:
            loop = loops.set_policy(self._stores, loop.name, arguments)
        refused = 403 if arguments == SEVERAL_SLOTS else 400
        eventually(lambda: self._status_of_bad_rank(loop) == refused, "the new loop")
        return loop

    def _status_of_bad_rank(self, loop: Loop) -> int:
        headers = {"Ocp-Apim-Subscription-Key": loop.key1}
        address = f"{self.endpoint}/personalizer/v1.0/rank"
        return requests.post(address, json={}, headers=headers, timeout=10).status_code

    def taught(self, events: int) -> Loop:
        """A loop with a log of settled events and a model that learned them all."""
        loop = self._fed(events)
        eventually(partial(self._has_learned, loop, events), "a model of all events")
        return loop

    def spare(self) -> Loop:
        """A loop with a log and a model, for one test alone. They are made some at a time."""
        if not self._spare:
            self._spare = [self._fed(_FEW) for _ in range(_BATCH)]
            for loop in self._spare:
                eventually(partial(self._has_learned, loop, _FEW), "a model of all events")
        return self._spare.pop()

    def _fed(self, events: int) -> Loop:
        """A loop with settled events, all of them decided without a model; the model comes afterwards.

        No reward is sent before the last decision is made. The first reward makes a model within milliseconds,
        and how many decisions that model made would depend on the machine: a log in which it made most of them
        has almost no exploration, and is too small to tell what features are worth.
        """
        loop = self.loop()
        client = Client(self.endpoint, loop.key1)
        devices = [list(_LIKED)[number % len(_LIKED)] for number in range(events)]
        answers = [client.rank(device=device)[1] for device in devices]
        for device, answer in zip(devices, answers, strict=True):
            client.reward(answer["eventId"], float(answer["rewardActionId"] == _LIKED[device]))
        return loops.change_settings(self._stores, loop.name, {"modelExportFrequency": "PT1S"})

    def _has_learned(self, loop: Loop, events: int) -> bool:
        with self.logs(loop) as logs:
            live = logs.models.live()
        return live is not None and live.learned >= events

    def now(self, loop: Loop) -> Loop:
        """The loop as it is in the catalog."""
        return loops.find_loop(self._stores, loop.name)

    def logs(self, loop: Loop) -> AbstractContextManager[LoopStores]:
        return loops.open_loop(self._stores, loop)

    def decisions(self, loop: Loop, event_id: str) -> Sequence[LoggedDecision]:
        """The decisions of an event, in order."""
        with self.logs(loop) as logs:
            found = logs.events.decisions(after=0, limit=_ALL)
        return [logged for logged in found if logged.decision.event_id == event_id]

    def observations(self, loop: Loop, event_id: str) -> list[tuple[str | None, float | None]]:
        """Slot and value of each reward of an event, in order; an activation has no value."""
        with self.logs(loop) as logs:
            found = [logged.observation for logged in logs.events.observations(after=0, limit=_ALL)]
        return [(one.slot, one.reward) for one in found if one.event_id == event_id]

    def close(self) -> None:
        self._stores.close()
        self._service.end()
