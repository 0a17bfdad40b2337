"""``kill -9`` of any process, or of all of them, loses no acknowledged event and learns none twice.

``SARTOR_KILL_ROUNDS`` says how many rounds to play (3 by default).
"""

import json
import os
import random
import threading
from pathlib import Path

import pytest

from sartor.settings import VW_ARGUMENTS
from tests.acceptance.service import Service, eventually

ROUNDS = int(os.environ.get("SARTOR_KILL_ROUNDS", "3"))
ENGINES = ("--sartor", VW_ARGUMENTS)
"""What the loop learns with, in turn."""

VICTIMS = ("api", "learn", "work", "all")


class Application(threading.Thread):
    """Ranks and rewards without pause, and remembers what was acknowledged. It never asks twice."""

    def __init__(self, service: Service, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._client = service.client()
        self._end = threading.Event()
        self.decided: set[str] = set()
        self.rewarded: dict[str, float] = {}

    def run(self) -> None:
        number = 0
        while not self._end.is_set():
            number += 1
            event_id = f"{self.name}-{number}"
            try:
                self._turn(event_id, number)
            except OSError:
                self._end.wait(0.01)

    def _turn(self, event_id: str, number: int) -> None:
        status, answer = self._client.rank(event_id, device=("mobile", "desktop")[number % 2])
        if status != 201:
            return
        self.decided.add(event_id)
        if number % 4 == 0:
            return  # never rewarded: settled at the end of its window
        value = float(answer["rewardActionId"] == "sports")
        if self._client.reward(event_id, value) == 204:
            self.rewarded[event_id] = value

    def finish(self) -> None:
        self._end.set()
        self.join(20)
        self._client.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_acknowledged_is_lost_or_learned_twice(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    service = Service(tmp_path / "data")
    try:
        service.start()
        arguments = ENGINES[seed % len(ENGINES)]
        service.run("loop", "policy", "default", arguments)
        service.set("rewardWaitTime=PT3S", "modelExportFrequency=PT1S")
        applications = [Application(service, name) for name in ("first", "second")]
        for application in applications:
            application.start()
        for victim in chance.sample(VICTIMS, len(VICTIMS)):
            _kill(service, victim, after_s=chance.uniform(0.2, 1.5))
        eventually(lambda: service.status("/health/ready") == 200, "ready")
        for application in applications:
            application.finish()
        _check(service, applications)
        assert service.json("loop", "policy", "default")["arguments"] == arguments
    finally:
        service.end()


def _kill(service: Service, victim: str, *, after_s: float) -> None:
    threading.Event().wait(after_s)
    service.kill(victim)
    if victim == "all":
        service.start()


def _check(service: Service, applications: list[Application]) -> None:
    decided = {event_id for application in applications for event_id in application.decided}
    rewarded = {event_id: value for one in applications for event_id, value in one.rewarded.items()}
    assert len(decided) > 50, "the test did too little to mean anything"
    eventually(lambda: _open(service) == 0, "every decision settled", within_s=20)
    service.kill("all")

    report = service.json("doctor", "--replay")
    assert report["healthy"], report
    (loop,) = report["loops"]
    assert loop["counts"]["outcomes"] == loop["counts"]["decisions"] >= len(decided)
    assert loop["compared"] > 0

    lines = [json.loads(line) for line in service.run("export", "default").stdout.splitlines()]
    settled = [line["EventId"] for line in lines]
    assert len(settled) == len(set(settled)), "a decision with two outcomes"
    assert decided <= set(settled)
    seen = {line["EventId"]: [one["v"] for one in line["o"]] for line in lines}
    assert {event_id: [value] for event_id, value in rewarded.items()}.items() <= seen.items()


def _open(service: Service) -> int:
    counts = service.json("loop", "show", "default")["counts"]
    return int(counts["decisions"] - counts["outcomes"])
