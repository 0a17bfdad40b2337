"""Measures throughput and latency of one api process over HTTP, against the bare loop and a plain handler."""

import subprocess
import sys
from pathlib import Path

from benchmarks import bare, machine, probe, served_loop, server, workload, wrk
from benchmarks.report import Row
from benchmarks.server import Service
from sartor.settings import DEFAULT_ARGUMENTS, VW_ARGUMENTS

RANK = "/personalizer/v1.0/rank"
REWARD = f"/personalizer/v1.0/events/{workload.MARK}/reward"
SECONDS = 8
LEARNED_AT_LEAST = 1_000


def measure(folder: Path, /) -> tuple[list[Row], str, bytes]:
    """Measure all; also returns the learning settings and the bytes of the model that served."""
    ranks = workload.write_lines(workload.build_rank_bodies(), folder / "ranks")
    rewards = workload.write_lines(workload.build_reward_bodies(), folder / "rewards")
    with server.run_service(folder / "traffic") as service:
        arguments, blob = _train(service, ranks, rewards)
        log = folder / "log.jsonl"
        service.sartor("export", "default", "--output", str(log))
        key = service.key()
        rank = wrk.run_load(service.endpoint, RANK, ranks, key=key, prefix="r", seconds=SECONDS)
        latency = _measure_latency(service, rank.rate / 2, key)
        bytes_rank = _measure_bytes_per_event(service)
        reward = wrk.run_load(
            service.endpoint, REWARD, rewards, key=key, prefix="r", seconds=SECONDS, ids=rank.requests
        )
        costs = [
            *_measure_memory(service, "after that load"),
            *bytes_rank,
            *_measure_bytes_per_event(service, mixed=True),
        ]
    same_engine = _measure_with_vowpal_wabbit(folder, ranks, rewards)
    # The bare loops are those of Vowpal Wabbit, whatever engine a new loop has.
    model = bare.train_model(VW_ARGUMENTS, log, folder / "model.vw")
    rows = _build_ratio_rows(
        rank,
        reward,
        _measure_bare(ranks, model, VW_ARGUMENTS),
        _measure_plain(ranks, model, VW_ARGUMENTS, folder),
    )
    return (
        [*rows, _build_engine_row(rank, same_engine), *_build_latency_rows(latency, rank.rate / 2), *costs],
        arguments,
        blob,
    )


def _measure_with_vowpal_wabbit(folder: Path, ranks: Path, rewards: Path) -> wrk.Load:
    """The same load on a loop with the best settings for Vowpal Wabbit."""
    with server.run_service(folder / "vowpal-wabbit") as service:
        service.sartor("loop", "policy", "default", VW_ARGUMENTS)
        _train(service, ranks, rewards)
        return wrk.run_load(service.endpoint, RANK, ranks, key=service.key(), prefix="r", seconds=SECONDS)


def _train(service: Service, ranks: Path, rewards: Path) -> tuple[str, bytes]:
    served_loop.set_settings(service.data, modelExportFrequency="PT1S")
    key = service.key()
    seen = wrk.run_load(service.endpoint, RANK, ranks, key=key, prefix="t", seconds=1)
    wrk.run_load(service.endpoint, REWARD, rewards, key=key, prefix="t", seconds=1, ids=seen.requests)
    return served_loop.wait_for_model(service.data, learned=LEARNED_AT_LEAST)


def _measure_latency(service: Service, rate: float, key: str) -> probe.Latency:
    count = int(rate * SECONDS)
    requests = probe.build_rank_requests(workload.build_rank_bodies(), keys=[key], count=count, prefix="p")
    return probe.measure_latency(service.endpoint, requests, rate=rate)


def _measure_bare(ranks: Path, model: Path, arguments: str) -> dict[str, float]:
    return {kind: _measure_bare_rate(kind, ranks, model, arguments) for kind in bare.KINDS}


def _measure_bare_rate(kind: str, ranks: Path, model: Path, arguments: str) -> float:
    command = [sys.executable, "-m", "benchmarks.bare", kind, str(ranks), str(model), "4", arguments]
    alone = machine.pin_command(machine.SERVICE_CORE, command)
    return float(subprocess.run(alone, capture_output=True, text=True, timeout=60, check=True).stdout)


def _measure_plain(ranks: Path, model: Path, arguments: str, folder: Path) -> float:
    port = server.find_free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "benchmarks.plain_fastapi:app", "--port", str(port)]
    command += ["--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning"]
    env = {"PLAIN_ARGUMENTS": arguments, "PLAIN_MODEL": str(model)}
    with server.run_server(command, folder / "plain.log", url=f"{url}/openapi.json", env=env):
        return wrk.run_load(url, "/rank", ranks, key="none", prefix="f", seconds=SECONDS).rate


def _build_ratio_rows(rank: wrk.Load, reward: wrk.Load, loops: dict[str, float], plain: float) -> list[Row]:
    over = rank.rate / loops["workspace"]
    return [
        Row(
            what="ranks/s over HTTP",
            value=rank.rate,
            text=f"{rank.rate:,.0f}",
            note=f"wrk, 32 connections, {SECONDS} s; closed-loop p50 {rank.p50_us / 1e3:.1f} ms, p99 "
            f"{rank.p99_us / 1e3:.1f} ms at that rate.",
        ),
        Row(
            what="ranks/s over HTTP ÷ the bare loop",
            value=over,
            text=f"{over:.2f} (of {loops['workspace']:,.0f}/s)",
            at_least=0.50,
            goal="≥ 0.50",
            note="The bare loop decodes, predicts, samples and encodes in one process, with the `Workspace` "
            "of the vowpalwabbit package as its documentation shows it; the target is judged against this.",
        ),
        Row(
            what="ranks/s over HTTP ÷ the bare loop on the raw bindings",
            value=rank.rate / loops["bindings"],
            text=f"{rank.rate / loops['bindings']:.2f} (of {loops['bindings']:,.0f}/s)",
            note="The same loop with the bindings beneath `Workspace`, which Sartor's own engine uses: it is "
            "what the wire, the log and the process cost on top of the engine.",
        ),
        Row(
            what="ranks/s over HTTP ÷ plain FastAPI + vowpalwabbit",
            value=rank.rate / plain,
            text=f"{rank.rate / plain:.2f} (of {plain:,.0f}/s)",
            at_least=1.3,
            goal="≥ 1.3",
            note="`benchmarks/plain_fastapi.py`: same model, same load, same uvicorn; it logs nothing.",
        ),
        Row(
            what="rewards/s over HTTP ÷ ranks/s",
            value=reward.rate / rank.rate,
            text=f"{reward.rate / rank.rate:.2f} ({reward.rate:,.0f}/s)",
            at_least=1.5,
            goal="≥ 1.5",
            note="Rewards of the events ranked before, while the learn process learns them on the core of wrk.",
        ),
    ]


def _build_engine_row(default: wrk.Load, vowpal_wabbit: wrk.Load) -> Row:
    ratio = default.rate / vowpal_wabbit.rate
    return Row(
        what="ranks/s over HTTP of a new loop ÷ of one with Vowpal Wabbit",
        value=ratio,
        text=f"{ratio:.2f} (of {vowpal_wabbit.rate:,.0f}/s)",
        at_least=0.8,
        goal="≥ 0.8",
        note=f"Learning settings `{DEFAULT_ARGUMENTS}` and `{VW_ARGUMENTS}`.",
    )


def _build_latency_rows(latency: probe.Latency, rate: float) -> list[Row]:
    note = (
        f"{latency.requests:,} ranks at {rate:,.0f}/s from an open-loop probe (`benchmarks/probe.py`): "
        "requests are due at fixed times, and latency runs from the time a request was due, so that stalls "
        "count in full."
    )
    return [
        Row(
            what="rank latency at half of the top rate, p50",
            value=latency.p50_ms,
            text=f"{latency.p50_ms:.2f} ms",
            at_most=1.0,
            goal="≤ 1 ms",
            note=note,
        ),
        Row(
            what="rank latency at half of the top rate, p99",
            value=latency.p99_ms,
            text=f"{latency.p99_ms:.2f} ms",
            at_most=5.0,
            goal="≤ 5 ms",
        ),
    ]


def _measure_memory(service: Service, when: str) -> list[Row]:
    sizes = {role: machine.read_memory_mib(pid) for role, pid in service.pids.items()}
    text = ", ".join(f"{role} {rss:.0f} ({pss:.0f})" for role, (rss, pss) in sizes.items())
    return [
        Row(
            what=f"memory in MiB {when}, resident (proportional)",
            value=sum(pss for _, pss in sizes.values()),
            text=text,
        )
    ]


def _measure_bytes_per_event(service: Service, *, mixed: bool = False) -> list[Row]:
    with served_loop.open_loop(service.data) as (stores, loop, logs):
        stores.maintain(loop)
        reach = logs.events.horizon()
    events = reach.decisions + reach.observations
    size = served_loop.measure_folder_bytes(service.data) / events
    what = "ranks and rewards, settled and learned" if mixed else "ranks alone"
    return [
        Row(
            what=f"bytes on disk per event, {what}",
            value=size,
            text=f"{size:,.0f} ({reach.decisions:,} decisions, {reach.observations:,} observations)",
        )
    ]
