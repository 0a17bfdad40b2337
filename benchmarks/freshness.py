"""Measures the time from an acknowledged reward to the first rank by a model that has learned it."""

import random
import time
from pathlib import Path

import requests

from benchmarks import served_loop, server, workload
from benchmarks.probe import quantile
from benchmarks.report import Row
from benchmarks.workload import MARK
from sartor.ports import LoopStores

PROBES = 40
PAUSE_S = 0.01
TIMEOUT_S = 20.0


def measure(folder: Path, /) -> list[Row]:
    """Two quantiles over all probes."""
    with server.run_service(folder / "freshness") as service:
        served_loop.set_settings(service.data, modelExportFrequency="PT1S")
        with served_loop.open_loop(service.data) as (_, _, logs), requests.Session() as session:
            session.headers["Ocp-Apim-Subscription-Key"] = service.key()
            prober = _Prober(session, f"{service.endpoint}/personalizer/v1.0", logs)
            source = random.Random(11)
            taken = [prober.probe(f"probe-{i}", pause_s=source.random()) for i in range(PROBES)]
    note = (
        f"{PROBES} probes at random moments, modelExportFrequency PT1S. After its reward is acknowledged, a "
        "probe ranks every 10 ms and looks up, in the log, which model decided; the time ends with the answer "
        "of the first rank whose model has learned that reward."
    )
    return [
        _build_row("p50", quantile(taken, 0.5), 1.0, note),
        _build_row("p99", quantile(taken, 0.99), 3.0, ""),
    ]


def _build_row(name: str, value: float, goal: float, note: str) -> Row:
    return Row(
        what=f"reward acknowledged → model with it serves, {name}",
        value=value,
        text=f"{value:.2f} s",
        at_most=goal,
        goal=f"≤ {goal:.0f} s",
        note=note,
    )


class _Prober:
    """Ranks and rewards, and reads in the log which model decided."""

    def __init__(self, session: requests.Session, endpoint: str, logs: LoopStores) -> None:
        self._session = session
        self._endpoint = endpoint
        self._logs = logs
        self._body = workload.build_rank_bodies(variants=1)[0]
        self._read = 0
        self._last_outcome = {"N/A": 0}

    def probe(self, event_id: str, /, *, pause_s: float) -> float:
        """Send a rank and a reward; returns the seconds until a model that has learned the reward serves."""
        time.sleep(pause_s)
        self._rank(event_id)
        url = f"{self._endpoint}/events/{event_id}/reward"
        self._session.post(url, json={"value": 1.0}, timeout=5).raise_for_status()
        acknowledged = time.perf_counter()
        number = 0
        while time.perf_counter() - acknowledged < TIMEOUT_S:
            self._rank(f"{event_id}-{number}")
            answered = time.perf_counter()
            if self._is_learned(event_id):
                return answered - acknowledged
            number += 1
            time.sleep(PAUSE_S)
        raise RuntimeError(f"The reward of {event_id} did not reach a serving model in {TIMEOUT_S} s.")

    def _rank(self, event_id: str) -> None:
        body = self._body.replace(MARK, event_id)
        headers = {"Content-Type": "application/json"}
        answer = self._session.post(f"{self._endpoint}/rank", data=body, headers=headers, timeout=5)
        answer.raise_for_status()

    def _is_learned(self, event_id: str) -> bool:
        """Whether the last rank was decided by a model that has learned the outcome of this event."""
        learned = self._count_learned(self._find_last_model())
        return any(learned >= outcome.seq for outcome in self._logs.outcomes.outcomes_of(event_id))

    def _find_last_model(self) -> str:
        model_id = ""
        for logged in self._logs.events.decisions(after=self._read, limit=1_000):
            self._read, model_id = logged.seq, logged.decision.model_id
        return model_id

    def _count_learned(self, model_id: str) -> int:
        if model_id not in self._last_outcome:
            self._last_outcome |= {m.model_id: m.last_outcome for m in self._logs.models.history()}
        return self._last_outcome[model_id]
