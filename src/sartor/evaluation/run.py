"""An evaluation from spec to result: batches of policies are scored in parallel, and their scores combined."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sartor.errors import NoLogsInRange, StoreUnavailable
from sartor.evaluation.batch import BatchResult, BatchTask, CandidateSpec, run_batch
from sartor.evaluation.executor import LOCAL, open_executor
from sartor.evaluation.feature_importance import measure_importance
from sartor.evaluation.progress import FEATURES, POLICIES, announce_stages
from sartor.evaluation.progressive_validation import CandidateScore
from sartor.evaluation.result import build_result
from sartor.evaluation.spec import EvaluationResult, EvaluationSpec
from sartor.evaluation.tasks import run_stage, split_evenly, without_keys
from sartor.evaluation.time_range import find_outcome_range
from sartor.learn.engines import for_several_slots
from sartor.ports import Loop, LoopStores
from sartor.settings import AZURE_ARGUMENTS, DEFAULT_ARGUMENTS, VW_ARGUMENTS

_IMPORTANCE_BUDGET = 80_000
"""How many decisions are made to measure features within an evaluation: 3 to 40 s on one core."""

_ATTEMPTS = 3
"""How often an evaluation is tried whose log is amended meanwhile: it must not keep what was taken back."""


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
    """Scores all policies of a spec over the log, and keeps their models in the loop's blob store.

    Each event is read once for a batch of policies; there are as many batches as can run at once.

    Args:
        logs: the loop's stores.
        loop: the loop.
        spec: what to evaluate.
        job_id: names the models that are kept.
        where: the folder or URL of the stores, for other processes.
        compute: see ``executor.open_executor``.
        progress: the folder for the progress; see ``progress.py``.

    Raises:
        NoLogsInRange: no settled decision lies in the time.
        InvalidPolicy: the arguments of a policy are not accepted.
        StoreUnavailable: outcomes kept being amended meanwhile; the job is tried again later.
    """
    candidates = list_candidates(spec, loop)
    with open_executor(compute) as executor:
        for _ in range(_ATTEMPTS):
            announce_stages(progress, POLICIES, FEATURES)
            outcomes = find_outcome_range(logs, start_us=spec.start_us, end_us=spec.end_us)
            tasks = [
                BatchTask(
                    where=where,
                    loop=without_keys(loop),
                    outcomes=outcomes,
                    candidates=batch,
                )
                for batch in split_batches(loop, candidates, executor.workers)
            ]
            results = run_stage(executor, run_batch, tasks, stage=POLICIES, progress=progress)
            if not results[0].summary.decisions:
                raise NoLogsInRange
            importance = measure_importance(
                logs, loop, outcomes, executor, where=where, progress=progress, budget=_IMPORTANCE_BUDGET
            )
            if logs.outcomes.counts().revision == outcomes.revision:
                scores = _order_scores(results, (*reference_candidates(loop), *candidates))
                summary = results[0].summary
                return build_result(logs, loop, spec, outcomes, scores, summary, importance, job_id=job_id)
    raise StoreUnavailable("Outcomes are amended again and again while they are evaluated.")


def _order_scores(results: Sequence[BatchResult], candidates: Sequence[CandidateSpec]) -> list[CandidateScore]:
    """Returns the scores of all batches in the order of the candidates."""
    by_name = {score.name: score for result in results for score in result.scores}
    return [by_name[candidate.name] for candidate in candidates]


def list_candidates(spec: EvaluationSpec, loop: Loop, /) -> list[CandidateSpec]:
    """Lists the policies that need an engine: those of the spec, and others where a better one is searched."""
    given = [CandidateSpec(name=one.name, arguments=one.arguments, source="Custom") for one in spec.policies]
    if not spec.find_optimal:
        return given
    taken = {one.name.casefold() for one in given}
    return [
        *given,
        *(
            CandidateSpec(name=name, arguments=arguments, source="OfflineExperimentation")
            for name, arguments in searched_policies(several_slots=loop.has_several_slots).items()
            if name.casefold() not in taken
        ),
    ]


def reference_candidates(loop: Loop, /) -> tuple[CandidateSpec, ...]:
    """Returns the policies that need no engine and are always shown."""
    return (
        CandidateSpec(name="Online", arguments=loop.effective_arguments, source="Online"),
        CandidateSpec(name="Baseline", arguments="", source="Baseline"),
        CandidateSpec(name="Random", arguments="", source="Random"),
    )


def split_batches(
    loop: Loop, candidates: Sequence[CandidateSpec], most: int, /
) -> list[tuple[CandidateSpec, ...]]:
    """Splits candidates into at most ``most`` batches; the first also has those that need no engine."""
    first, *others = split_evenly(candidates, most)
    return [(*reference_candidates(loop), *first), *others]


SEARCHED_POLICIES: Mapping[str, str] = {
    "Default": DEFAULT_ARGUMENTS,
    "VowpalWabbit": VW_ARGUMENTS,
    "Azure": AZURE_ARGUMENTS,
    "Greedy": "--cb_explore_adf --epsilon 0.05 --cb_type mtr -q ::",
    "SquareCB": "--cb_explore_adf --squarecb --gamma_scale 100 --cb_type mtr -q ::",
    "RegCB": "--cb_explore_adf --regcbopt --mellowness 0.01 --cb_type mtr -q ::",
    "Linear": "--cb_explore_adf --squarecb --cb_type mtr",
    "Prepared": "--cb_explore_adf --squarecb --cb_type mtr -q :: --prepare",
}
"""The policies tried by a search, by name: other exploration, learning rates, crossed or prepared features."""


def searched_policies(*, several_slots: bool) -> Mapping[str, str]:
    """Returns the policies that a search tries, by name, for a loop of several slots, or of one."""
    if not several_slots:
        return SEARCHED_POLICIES
    return {name: for_several_slots(text) for name, text in SEARCHED_POLICIES.items()}
