"""An evaluation from spec to result: the policies in groups, side by side, and what came of them together."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sartor.errors import NoLogsInRange
from sartor.evaluations import EvaluationResult, EvaluationSpec
from sartor.ports import Loop, LoopStores
from sartor.service.evaluation.candidates import CANDIDATES
from sartor.service.evaluation.compute import LOCAL, computing
from sartor.service.evaluation.group import Entrant, Order, carry_out, opened, without_keys
from sartor.service.evaluation.importance import importance
from sartor.service.evaluation.result import result
from sartor.service.evaluation.span import span

_IMPORTANCE = 60_000
"""How many decisions are made to weigh features, beside an evaluation: about ten seconds on one core."""


def evaluate(
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
    """Score all policies of a spec over the log, and keep the models that they learned on the loop's shelf.

    Each event is read once for a group of policies; there are as many groups as can run side by side.

    Args:
        logs: the loop's stores.
        loop: the loop.
        spec: what is asked.
        job_id: names the models that are kept.
        where: the data folder, for other processes.
        compute: see ``compute.computing``.
        progress: a folder in which each group tells its progress.

    Raises:
        NoLogsInRange: no settled decision lies in the time.
        InvalidPolicy: the arguments of a policy are not accepted.
    """
    read = span(logs, start_us=spec.start_us, end_us=spec.end_us)
    with computing(compute) as place:
        orders = [
            Order(
                where=where,
                loop=without_keys(loop),
                span=read,
                entrants=entrants,
                progress="" if progress is None else str(progress / str(number)),
            )
            for number, entrants in enumerate(groups(loop, entrants_of(spec), place.workers))
        ]
        ballots = [opened(ballot) for ballot in place.each(carry_out, orders)]
        if not ballots[0].summary.decisions:
            raise NoLogsInRange
        weighed = importance(logs, loop, read, place, where=where, progress=progress, budget=_IMPORTANCE)
    found = [scored for ballot in ballots for scored in ballot.scored]
    order = {one.name: place for place, one in enumerate((*free(loop), *entrants_of(spec)))}
    found.sort(key=lambda scored: order[scored.name])
    return result(logs, loop, spec, read, found, ballots[0].summary, weighed, job_id=job_id)


def entrants_of(spec: EvaluationSpec, /) -> list[Entrant]:
    """The policies that need an engine: those asked for, and candidates where a better one is sought."""
    asked = [Entrant(name=one.name, arguments=one.arguments, source="Custom") for one in spec.policies]
    if not spec.find_optimal:
        return asked
    taken = {one.name.casefold() for one in asked}
    return [
        *asked,
        *(
            Entrant(name=name, arguments=arguments, source="OfflineExperimentation")
            for name, arguments in CANDIDATES.items()
            if name.casefold() not in taken
        ),
    ]


def free(loop: Loop, /) -> tuple[Entrant, ...]:
    """The policies that the log itself tells of."""
    return (
        Entrant(name="Online", arguments=loop.arguments, source="Online"),
        Entrant(name="Baseline", arguments="", source="Baseline"),
        Entrant(name="Random", arguments="", source="Random"),
    )


def groups(loop: Loop, entrants: Sequence[Entrant], most: int, /) -> list[tuple[Entrant, ...]]:
    """At most so many groups of nearly equal size; the first also has those that need no engine."""
    count = max(1, min(most, len(entrants)))
    made = [tuple(entrants[start::count]) for start in range(count)]
    return [(*free(loop), *made[0]), *made[1:]]


@contextmanager
def progress_folder() -> Iterator[Path]:
    """A folder for the progress of groups, on this machine, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="sartor-progress-") as folder:
        yield Path(folder)


def share_done(folder: Path, /) -> float:
    """The share that is done, 0 to 1, of the groups that have told anything."""
    shares = []
    for told in folder.iterdir():
        try:
            shares.append(float(told.read_text()))
        except (OSError, ValueError):
            continue
    return sum(shares) / len(shares) if shares else 0.0
