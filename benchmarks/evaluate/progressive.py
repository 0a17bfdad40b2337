"""Scoring policies over a log, event by event, beside bare Vowpal Wabbit doing the same from a file.

Both decide, score and learn each event once, in order, on one core. Bare: the driver of Vowpal Wabbit in C++
reads the exported log and writes its predictions (``--dsjson -d FILE -p FILE``); it keeps no log, checks
nothing, and scores nothing.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from vowpalwabbit import Workspace

from benchmarks import machine, served_loop, workload
from benchmarks.report import Row
from sartor.dsjson import single_slot
from sartor.evaluation.batch import CandidateSpec, score_candidates
from sartor.evaluation.time_range import find_outcome_range
from sartor.learn.vw import create_engine
from sartor.management import loops
from sartor.ports import LoopStores
from sartor.records import Cursor, LoggedDecision, Outcome, Settlement
from sartor.runtime.compose import open_stores

EVENTS = 20_000
POLICIES = (
    "--cb_explore_adf --squarecb --cb_type mtr -q ::",
    "--cb_explore_adf --epsilon 0.2 --cb_type mtr -q ::",
    "--cb_explore_adf --epsilon 0.05 --cb_type mtr -q ::",
    "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::",
)


def measure(folder: Path, /) -> list[Row]:
    """Events a second and policy: one policy, four in one pass, four passes, and bare."""
    stores = open_stores(str(folder / "progressive"))
    loop = loops.create_loop(stores, "progressive")
    with loops.open_loop(stores, loop) as logs, machine.run_on_core(machine.SERVICE_CORE):
        lines = _fill(logs)
        path = folder / "log.dsjson"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        none_s = _time_sartor(logs, ())
        one_s = _time_sartor(logs, POLICIES[:1])
        together_s = _time_sartor(logs, POLICIES)
        apart_s = sum(_time_sartor(logs, (arguments,)) for arguments in POLICIES)
        bare_s = sum(_time_bare(arguments, path, folder / "predictions") for arguments in POLICIES)
    stores.close()
    return _rows(none_s=none_s, one_s=one_s, together_s=together_s, apart_s=apart_s, bare_s=bare_s)


def _fill(logs: LoopStores) -> list[bytes]:
    """Settled decisions, and their lines as exported."""
    lines = []
    for first in range(0, EVENTS, served_loop.BATCH):
        decided = workload.build_decisions(served_loop.BATCH, first=first)
        logs.events.append(decided)
        outcomes = []
        for place, decision in enumerate(decided, first + 1):
            outcome = Outcome(
                decision_seq=place,
                event_id=decision.event_id,
                reward=float(decision.chosen % 2),
                learnable=True,
                joined=(),
                settled_at_us=1,
                settings_version=1,
            )
            outcomes.append(outcome)
            lines.append(single_slot.encode_outcome_line(LoggedDecision(place, 1, decision), outcome))
        end = Cursor(first + served_loop.BATCH, 0)
        logs.outcomes.record(Settlement(outcomes=tuple(outcomes), unmatched=(), cursor=end))
    return lines


def _time_sartor(logs: LoopStores, arguments: Sequence[str]) -> float:
    reference = (
        CandidateSpec(name="Online", arguments="", source="Online"),
        CandidateSpec(name="Baseline", arguments="", source="Baseline"),
        CandidateSpec(name="Random", arguments="", source="Random"),
    )
    others = tuple(
        CandidateSpec(name=str(place), arguments=one, source="Custom") for place, one in enumerate(arguments)
    )
    outcomes = find_outcome_range(logs, start_us=0, end_us=2**53)
    started_s = time.perf_counter()
    result = score_candidates(logs, create_engine, outcomes, (*reference, *others))
    seconds = time.perf_counter() - started_s
    if result.summary.decisions != EVENTS:
        raise RuntimeError(f"{result.summary.decisions} of {EVENTS} events were scored.")
    return seconds


def _time_bare(arguments: str, log: Path, predictions: Path) -> float:
    started_s = time.perf_counter()
    Workspace(f"{arguments} --dsjson --quiet -d {log} -p {predictions}").finish()
    return time.perf_counter() - started_s


def _rows(*, none_s: float, one_s: float, together_s: float, apart_s: float, bare_s: float) -> list[Row]:
    count = len(POLICIES)
    rate, bare = count * EVENTS / together_s, count * EVENTS / bare_s
    return [
        Row(
            what=f"Evaluate: {count} policies in one pass, events/s and policy",
            value=rate,
            text=f"{rate:,.0f} ({rate / bare:.2f} × bare)",
            note=f"{EVENTS:,} events of 10 actions from the store on one core; decide, score (all estimators, "
            "windows, the three policies that are always shown, the audit of probabilities), learn.",
        ),
        Row(
            what="Evaluate: 1 policy, events/s",
            value=EVENTS / one_s,
            text=f"{EVENTS / one_s:,.0f}",
            note="The same with one policy, which bears the whole cost of reading.",
        ),
        Row(
            what="Evaluate: bare Vowpal Wabbit, events/s and policy",
            value=bare,
            text=f"{bare:,.0f}",
            note="Its own driver over the exported file, predictions into a file; it scores nothing.",
        ),
        Row(
            what=f"Evaluate: {count} passes over one, times as long",
            value=apart_s / together_s,
            text=f"{apart_s / together_s:.2f}",
            at_least=1.0,
            goal="above 1",
            note=f"{count} policies one after the other, beside all in one pass. Reading and what is always "
            f"shown take {none_s / EVENTS * 1e6:.0f} µs an event, a policy "
            f"{(together_s - none_s) / count / EVENTS * 1e6:.0f} µs.",
        ),
    ]


def main() -> None:
    """Measure this alone."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="sartor-bench-") as name:
        for row in measure(Path(name)):
            print(f"{row.what:56} {row.text:>24}   {row.note}")


if __name__ == "__main__":
    main()
