"""Measures how rank latency grows with actions, stored events and loops."""

import json
import time
from pathlib import Path

from benchmarks import machine, probe, served_loop, server, workload
from benchmarks.report import Row
from benchmarks.server import Service
from sartor.dsjson import context_json
from sartor.explore.decide import decide
from sartor.management import loops
from sartor.ports import Engine
from sartor.records import Action, RankInput
from sartor.runtime.compose import engine_factory, open_stores

RATE = 500.0
SECONDS = 4
ACTIONS = (3, 10, 50)
EVENTS = (10_000, 1_000_000)
LOOPS = (1, 100)
QUIET_TIMEOUT_S = 30.0


def measure(folder: Path, arguments: str, blob: bytes, /) -> list[Row]:
    """Three rows of latencies over HTTP, and one of the decision alone."""
    return [
        _measure_actions(folder, blob),
        _measure_decision(arguments, blob),
        _measure_events(folder, blob),
        *_measure_loops(folder, blob),
    ]


def _prepare(data: Path, names: tuple[str, ...], blob: bytes, *, events: int = 0) -> Path:
    stores = open_stores(str(data))
    for name in names:
        loop = loops.create_loop(stores, name)
        with loops.open_loop(stores, loop) as logs:
            served_loop.publish_model(loop, logs, blob)
            served_loop.append_decisions(logs, events)
    return data


def _measure_latency(service: Service, keys: list[str], *, actions: int = 10) -> probe.Latency:
    bodies = workload.build_rank_bodies(action_count=actions)
    count = int(RATE * SECONDS)
    requests = probe.build_rank_requests(bodies, keys=keys, count=count, prefix=f"g{actions}-")
    return probe.measure_latency(service.endpoint, requests, rate=RATE)


def _measure_actions(folder: Path, blob: bytes) -> Row:
    with server.run_service(_prepare(folder / "actions", ("default",), blob)) as service:
        keys = [service.key()]
        seen = {count: _measure_latency(service, keys, actions=count) for count in ACTIONS}
    return Row(
        what=f"rank latency with {', '.join(map(str, ACTIONS))} actions, p50 / p99",
        value=seen[ACTIONS[-1]].p50_ms,
        text="; ".join(map(str, seen.values())),
        note=f"Open-loop probe at {RATE:.0f}/s, as the other two rows of latency. A request holds at most 50 "
        "actions; for 200 see the decision alone.",
    )


def _measure_decision(arguments: str, blob: bytes) -> Row:
    engine = engine_factory()(arguments, blob)
    with machine.run_on_core(machine.SERVICE_CORE):
        taken = {count: _time_decision_us(engine, count) for count in (*ACTIONS, 200)}
    engine.close()
    return Row(
        what=f"deciding alone, {', '.join(map(str, taken))} actions",
        value=taken[200],
        text="; ".join(f"{us:,.0f} µs" for us in taken.values()),
        note="In process, no HTTP and no log: build the context, predict, draw, order; mean of many.",
    )


def _time_decision_us(engine: Engine, count: int) -> float:
    actions = tuple(
        Action(name, json.dumps([features]).encode()) for name, features in workload.list_actions(count)
    )
    request = RankInput(event_id="e", context=b'[{"device":"mobile","hour":3}]', actions=actions)
    rounds = 20_000 // count
    start = time.perf_counter()
    for _ in range(rounds):
        probabilities = engine.probabilities(context_json.encode_context(request.context, actions), count)
        decide(request, probabilities=probabilities, loop_id="l", model_id="m", settings_version=1)
    return (time.perf_counter() - start) / rounds * 1e6


def _measure_events(folder: Path, blob: bytes) -> Row:
    seen = {}
    for count in EVENTS:
        data = _prepare(folder / f"events-{count}", ("default",), blob, events=count)
        with server.run_service(data) as service:
            _wait_until_quiet(service)
            seen[count] = (_measure_latency(service, [service.key()]), service.ready_s)
    return Row(
        what=f"rank latency with {' and '.join(f'{count:,}' for count in EVENTS)} stored events, p50 / p99",
        value=seen[EVENTS[-1]][0].p50_ms,
        text="; ".join(f"{latency} (ready in {ready_s:.1f} s)" for latency, ready_s in seen.values()),
        note="Decisions put into the store directly, none of them settled yet.",
    )


def _wait_until_quiet(service: Service) -> None:
    """Wait until the learn process has read what was stored."""
    until = time.monotonic() + QUIET_TIMEOUT_S
    while time.monotonic() < until:
        before = machine.read_cpu_s(service.pids["learn"])
        time.sleep(1.0)
        if machine.read_cpu_s(service.pids["learn"]) - before < 0.2:
            return


def _measure_loops(folder: Path, blob: bytes) -> list[Row]:
    seen, sizes = {}, ""
    for count in LOOPS:
        names = ("default", *(f"loop-{i}" for i in range(1, count)))
        data = _prepare(folder / f"loops-{count}", names, blob)
        keys = [loop.key1 for loop in open_stores(str(data)).catalog.loops()]
        with server.run_service(data) as service:
            _wait_until_quiet(service)
            seen[count] = _measure_latency(service, keys)
            sizes = ", ".join(
                f"{role} {machine.read_memory_mib(pid)[0]:.0f}" for role, pid in service.pids.items()
            )
    return [
        Row(
            what=f"rank latency with {' and '.join(map(str, LOOPS))} loops, p50 / p99",
            value=seen[LOOPS[-1]].p50_ms,
            text="; ".join(map(str, seen.values())),
            note="Each loop has its own model; the probe sends to them in turn.",
        ),
        Row(what=f"memory in MiB with {LOOPS[-1]} loops, resident", value=None, text=sizes),
    ]
