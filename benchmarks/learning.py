"""Measures settling and learning from the store against the bare engine on the same lines."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from vowpalwabbit.pyvw import pylibvw

from benchmarks import bare, machine, served_loop, workload
from benchmarks.report import Row
from sartor.dsjson import single_slot
from sartor.learn.trainer import Trainer
from sartor.log.settler import Settler
from sartor.management import loops
from sartor.ports import Loop, LoopStores
from sartor.records import LoggedDecision, Observation
from sartor.runtime.compose import engine_factory, open_stores
from sartor.settings import DEFAULT_ARGUMENTS, VW_ARGUMENTS

EVENTS = 30_000


def measure(folder: Path, /) -> list[Row]:
    """Rates of settling and of learning, and of two bare loops."""
    stores = open_stores(str(folder / "learning"))
    loops.create_loop(stores, "learning")
    loop = loops.set_policy(stores, "learning", VW_ARGUMENTS)
    with loops.open_loop(stores, loop) as logs, machine.run_on_core(machine.SERVICE_CORE):
        _append_events(logs)
        settle_s = _time_s(lambda: _settle(loop, logs))
        learn_s = _time_s(lambda: _learn(loop, logs))
        new_s = _time_s(lambda: _learn(replace(loop, arguments=DEFAULT_ARGUMENTS), logs))
        lines = list(_read_lines(logs))
        rates = {
            "workspace": EVENTS
            / _time_s(lambda: _learn_with_workspace(bare.open_workspace(loop.arguments), lines)),
            "bindings": EVENTS
            / _time_s(lambda: _learn_with_bindings(bare.open_workspace(loop.arguments), lines)),
        }
    new = Row(
        what="outcomes learned/s by a new loop",
        value=EVENTS / new_s,
        text=f"{EVENTS / new_s:,.0f} ({new_s / EVENTS * 1e6:,.0f} µs an outcome)",
        note=f"Learning settings `{DEFAULT_ARGUMENTS}`; the rows before are with `{VW_ARGUMENTS}`.",
    )
    return [*_build_rows(EVENTS / settle_s, EVENTS / learn_s, rates), new]


def _time_s(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _append_events(logs: LoopStores) -> None:
    for first in range(0, EVENTS, served_loop.BATCH):
        decided = workload.build_decisions(served_loop.BATCH, first=first)
        logs.events.append(decided)
        logs.events.append([Observation(event_id=d.event_id, reward=float(d.chosen % 2)) for d in decided])


def _settle(loop: Loop, logs: LoopStores) -> None:
    settler = Settler(logs.events, logs.outcomes)
    while settler.step(loop.settings, settings_version=loop.version):
        pass
    if (found := logs.outcomes.counts().learnable) != EVENTS:
        raise RuntimeError(f"{found} of {EVENTS} outcomes were settled.")


def _learn(loop: Loop, logs: LoopStores) -> None:
    trainer = Trainer(logs.events, logs.outcomes, logs.models, engine_factory())
    while trainer.step(loop, now_us=time.time_ns() // 1_000):
        pass


def _read_lines(logs: LoopStores) -> Iterator[str]:
    decided: dict[int, LoggedDecision] = {}
    after = 0
    while batch := logs.events.decisions(after=after, limit=served_loop.BATCH):
        decided |= {logged.seq: logged for logged in batch}
        after = batch[-1].seq
    after = 0
    while settled := logs.outcomes.outcomes(after=after, limit=served_loop.BATCH):
        for one in settled:
            yield single_slot.encode_outcome_line(decided[one.outcome.decision_seq], one.outcome).decode()
        after = settled[-1].seq


def _learn_with_workspace(workspace: Any, lines: list[str]) -> None:
    for line in lines:
        workspace.learn(line)


def _learn_with_bindings(workspace: Any, lines: list[str]) -> None:
    raw = pylibvw.vw
    for line in lines:
        examples = raw._parse(workspace, line)
        raw.learn_multi(workspace, examples)
        raw._finish_example_multi_ex(workspace, examples)


def _build_rows(settled: float, learned: float, bare_rates: dict[str, float]) -> list[Row]:
    both = 1.0 / (1.0 / settled + 1.0 / learned)
    ratio = learned / bare_rates["workspace"]
    return [
        Row(
            what="outcomes learned/s from the store ÷ bare VW",
            value=ratio,
            text=f"{ratio:.2f} ({learned:,.0f}/s of {bare_rates['workspace']:,.0f}/s)",
            at_least=0.5,
            goal="≥ 0.5",
            note=f"{EVENTS:,} outcomes of 10 actions: read from the store, joined with their decisions, "
            "learned and published; bare VW learns the same lines from memory with `Workspace.learn`.",
        ),
        Row(
            what="outcomes learned/s from the store ÷ bare VW on the raw bindings",
            value=learned / bare_rates["bindings"],
            text=f"{learned / bare_rates['bindings']:.2f} (of {bare_rates['bindings']:,.0f}/s)",
        ),
        Row(
            what="outcomes settled/s; settled and learned/s",
            value=both,
            text=f"{settled:,.0f}; {both:,.0f}",
        ),
    ]
