"""An evaluation from spec to result: the policies in groups, side by side, and what came of them together."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sartor.errors import NoLogsInRange, StoreUnavailable
from sartor.evaluation.batch import (
    BatchResult,
    BatchTask,
    CandidateSpec,
    decode_result,
    run_batch,
    without_keys,
)
from sartor.evaluation.executor import LOCAL, open_executor
from sartor.evaluation.feature_importance import ImportanceMeasurement, measure_importance
from sartor.evaluation.progress import FEATURES, POLICIES, announce_stages, finish_stage, start_stage
from sartor.evaluation.result import build_result
from sartor.evaluation.spec import EvaluationResult, EvaluationSpec
from sartor.evaluation.time_range import OutcomeRange, find_outcome_range
from sartor.loops import SEVERAL_SLOTS
from sartor.ports import Loop, LoopStores
from sartor.settings import AZURE_ARGUMENTS, DEFAULT_ARGUMENTS

_IMPORTANCE = 60_000
"""How many decisions are made to weigh features, beside an evaluation: about ten seconds on one core."""

_ATTEMPTS = 3
"""How often an evaluation is begun whose log is amended meanwhile: it must not keep what was taken back."""


def run_evaluation(
    logs: LoopStores,
    loop: Loop,
    spec: EvaluationSpec,
    /,
    *,
    job_id: str,
    where: str,
    compute: str = LOCAL,
    progress: Path | None = None,
) -> EvaluationResult:
    """Score all policies of a spec over the log, and keep their models in the loop's blob store.

    Each event is read once for a group of policies; there are as many groups as can run side by side.

    Args:
        logs: the loop's stores.
        loop: the loop.
        spec: what is asked.
        job_id: names the models that are kept.
        where: the data folder, for other processes.
        compute: see ``compute.computing``.
        progress: the folder for the progress; see ``progress.py``.

    Raises:
        NoLogsInRange: no settled decision lies in the time.
        InvalidPolicy: the arguments of a policy are not accepted.
        StoreUnavailable: outcomes were amended again and again meanwhile; the job is begun anew later.
    """
    candidates = list_candidates(spec, loop)
    with open_executor(compute) as place:
        for _ in range(_ATTEMPTS):
            announce_stages(progress, POLICIES, FEATURES)
            read = find_outcome_range(logs, start_us=spec.start_us, end_us=spec.end_us)
            groups = split_batches(loop, candidates, place.workers)
            files = start_stage(progress, POLICIES, parts=len(groups))
            orders = [
                BatchTask(
                    where=where,
                    loop=without_keys(loop),
                    span=read,
                    candidates=group,
                    progress=file,
                )
                for group, file in zip(groups, files, strict=True)
            ]
            batch_results = [decode_result(batch_result) for batch_result in place.map(run_batch, orders)]
            finish_stage(progress, POLICIES)
            if not batch_results[0].summary.decisions:
                raise NoLogsInRange
            weighed = measure_importance(
                logs, loop, read, place, where=where, progress=progress, budget=_IMPORTANCE
            )
            if logs.outcomes.counts().revision == read.revision:
                return _result(logs, loop, spec, read, batch_results, weighed, job_id=job_id)
    raise StoreUnavailable("Outcomes are amended again and again while they are evaluated.")


def _result(
    logs: LoopStores,
    loop: Loop,
    spec: EvaluationSpec,
    read: OutcomeRange,
    batch_results: Sequence[BatchResult],
    weighed: ImportanceMeasurement,
    *,
    job_id: str,
) -> EvaluationResult:
    found = [scored for batch_result in batch_results for scored in batch_result.scores]
    order = {
        one.name: place for place, one in enumerate((*reference_candidates(loop), *list_candidates(spec, loop)))
    }
    found.sort(key=lambda scored: order[scored.name])
    return build_result(logs, loop, spec, read, found, batch_results[0].summary, weighed, job_id=job_id)


def list_candidates(spec: EvaluationSpec, loop: Loop, /) -> list[CandidateSpec]:
    """The policies that need an engine: those asked for, and candidates where a better one is sought."""
    asked = [CandidateSpec(name=one.name, arguments=one.arguments, source="Custom") for one in spec.policies]
    if not spec.find_optimal:
        return asked
    taken = {one.name.casefold() for one in asked}
    return [
        *asked,
        *(
            CandidateSpec(name=name, arguments=arguments, source="OfflineExperimentation")
            for name, arguments in default_candidates(several_slots=loop.has_several_slots).items()
            if name.casefold() not in taken
        ),
    ]


def reference_candidates(loop: Loop, /) -> tuple[CandidateSpec, ...]:
    """The policies that the log itself tells of."""
    return (
        CandidateSpec(name="Online", arguments=loop.arguments, source="Online"),
        CandidateSpec(name="Baseline", arguments="", source="Baseline"),
        CandidateSpec(name="Random", arguments="", source="Random"),
    )


def split_batches(
    loop: Loop, candidates: Sequence[CandidateSpec], most: int, /
) -> list[tuple[CandidateSpec, ...]]:
    """At most so many groups of nearly equal size; the first also has those that need no engine."""
    count = max(1, min(most, len(candidates)))
    made = [tuple(candidates[start::count]) for start in range(count)]
    return [(*reference_candidates(loop), *made[0]), *made[1:]]


CANDIDATES: Mapping[str, str] = {
    "Default": DEFAULT_ARGUMENTS,
    "Azure": AZURE_ARGUMENTS,
    "Greedy": "--cb_explore_adf --epsilon 0.05 --cb_type mtr -q ::",
    "SquareCB": "--cb_explore_adf --squarecb --gamma_scale 100 --cb_type mtr -q ::",
    "RegCB": "--cb_explore_adf --regcbopt --mellowness 0.01 --cb_type mtr -q ::",
    "Linear": "--cb_explore_adf --squarecb --cb_type mtr",
}
"""By name. They differ in how they explore, in how fast they learn, and in which features they cross."""


def default_candidates(*, several_slots: bool) -> Mapping[str, str]:
    """The same for a loop of several slots, or of one."""
    if not several_slots:
        return CANDIDATES
    return {name: text.replace("--cb_explore_adf", SEVERAL_SLOTS) for name, text in CANDIDATES.items()}
