"""``sartor evaluate``: what other policies would have earned, told from the log."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Compute, Data, LoopName
from sartor.errors import JobNotFinished, StoreUnavailable

if TYPE_CHECKING:
    from sartor.evaluation.report import EvaluationReport
    from sartor.evaluation.spec import EvaluationSpec, PolicySpec
    from sartor.ports import Loop, Stores
    from sartor.records import Job

_FAR_US = 2**53
_TIME = "%Y-%m-%dT%H:%M:%S"

From = Annotated[
    datetime | None,
    typer.Option(
        "--from",
        envvar="SARTOR_FROM",
        help="Decisions from this time on (UTC); by default from the first one.",
        formats=["%Y-%m-%d", _TIME],
        metavar="TIME",
        show_default=False,
    ),
]
To = Annotated[
    datetime | None,
    typer.Option(
        "--to",
        envvar="SARTOR_TO",
        help="Decisions before this time (UTC); by default up to the last one.",
        formats=["%Y-%m-%d", _TIME],
        metavar="TIME",
        show_default=False,
    ),
]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        envvar="SARTOR_POLICY",
        help="A policy to compare, for example linear='--cb_explore_adf --squarecb'; up to 10 of them.",
        metavar="NAME=ARGUMENTS",
        show_default=False,
    ),
]
Search = Annotated[
    bool,
    typer.Option(
        "--search", envvar="SARTOR_SEARCH", help="Try some other learning settings too.", show_default=False
    ),
]
Name = Annotated[
    str, typer.Option("--name", envvar="SARTOR_EVALUATION_NAME", help="What the evaluation is called.")
]
Id = Annotated[
    str | None,
    typer.Option(
        "--id",
        envvar="SARTOR_EVALUATION_ID",
        help="The id of the new evaluation; by default the time.",
        metavar="ID",
        show_default=False,
    ),
]
Show = Annotated[
    str | None,
    typer.Option(
        "--show",
        envvar="SARTOR_SHOW",
        help="Show an evaluation that was asked for before, in place of a new one.",
        metavar="ID",
        show_default=False,
    ),
]
Listed = Annotated[
    bool,
    typer.Option(
        "--list", envvar="SARTOR_LIST", help="List the evaluations of the loop, and end.", show_default=False
    ),
]
Wait = Annotated[
    bool,
    typer.Option("--wait/--no-wait", envvar="SARTOR_WAIT", help="Wait for the result, or come back later."),
]
Page = Annotated[
    Path | None,
    typer.Option(
        "--report",
        envvar="SARTOR_REPORT",
        help="Write the report into this file: one page that needs nothing else.",
        metavar="FILE.html",
        show_default=False,
    ),
]


def evaluate(
    name: LoopName,
    policies: Policies = None,
    from_: From = None,
    to: To = None,
    search: Search = False,
    title: Name = "evaluation",
    id_: Id = None,
    show: Show = None,
    list_: Listed = False,
    wait: Wait = True,
    page: Page = None,
    compute: Compute = DEFAULTS.compute,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Tell from the log what other policies would have earned: each starts empty, decides, is scored, learns.

    A running service computes it in the background; where none runs, this command does. Where the log can't
    answer, it says why and gives no number.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = loops.find_loop(stores, name)
        if list_:
            _list(stores, loop, as_json=as_json)
            return
        evaluation_id = show or id_ or datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        if show is None:
            _ask(stores, name, evaluation_id, _spec(title, policies or [], from_, to, search=search))
        job = _job(stores, loop, evaluation_id, data, compute, wait=wait, quiet=as_json)
    _tell(job, evaluation_id, page, as_json=as_json)


def _ask(stores: "Stores", name: str, evaluation_id: str, spec: "EvaluationSpec") -> None:
    from sartor.evaluation import jobs as evaluations

    evaluations.create_evaluation(stores, name, evaluation_id, spec)


def _spec(
    title: str, policies: Sequence[str], from_: datetime | None, to: datetime | None, *, search: bool
) -> "EvaluationSpec":
    from sartor.evaluation.spec import EvaluationSpec

    return EvaluationSpec(
        name=title,
        start_us=0 if from_ is None else _us(from_),
        end_us=_FAR_US if to is None else _us(to),
        policies=tuple(map(_policy, policies)),
        find_optimal=search,
    )


def _us(time: datetime) -> int:
    return round(time.replace(tzinfo=UTC).timestamp() * 1_000_000)


def _policy(text: str) -> "PolicySpec":
    from sartor.evaluation.spec import PolicySpec

    name, separator, arguments = text.partition("=")
    if not separator or not name.strip():
        raise typer.BadParameter(f"{text!r} is not NAME=ARGUMENTS.", param_hint="--policy")
    return PolicySpec(name=name.strip(), arguments=arguments)


def _job(
    stores: "Stores", loop: "Loop", evaluation_id: str, data: str, compute: str, *, wait: bool, quiet: bool
) -> "Job":
    from rich.console import Console
    from rich.progress import Progress

    from sartor.evaluation import jobs as evaluations
    from sartor.evaluation.spec import EVALUATION, job_id
    from sartor.jobs.waiting import wait_for_job as wait_for
    from sartor.management import loops

    with loops.open_loop(stores, loop) as logs:
        job = evaluations.find_job(logs, EVALUATION, evaluation_id)
    if not wait:
        return job
    with Progress(disable=quiet, transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("evaluating", total=1.0)
        return wait_for(
            stores,
            loop,
            job_id(EVALUATION, evaluation_id),
            where=data,
            compute=compute,
            tell=lambda job: progress.update(task, completed=job.progress),
        )


def _tell(job: "Job", evaluation_id: str, page: Path | None, *, as_json: bool) -> None:
    if job.state != "succeeded":
        _tell_unfinished(job, evaluation_id, page, as_json=as_json)
        return
    import msgspec

    from sartor.evaluation.report import EvaluationReport
    from sartor.evaluation.spec import decode_evaluation_result

    result = decode_evaluation_result(job.result)
    report = msgspec.json.decode(result.report, type=EvaluationReport)
    if page is not None:
        _write(page, report)
    if as_json:
        printing.json({"id": evaluation_id, "status": job.state, "report": report})
    else:
        _print(report, evaluation_id, page)


def _tell_unfinished(job: "Job", evaluation_id: str, page: Path | None, *, as_json: bool) -> None:
    reason = job.description or f"{job.progress:.0%} done"
    if job.state in ("failed", "canceled") or page is not None:
        raise JobNotFinished(f"The evaluation {evaluation_id} is {job.state}: {reason}")
    summary = {"id": evaluation_id, "status": job.state, "progress": job.progress}
    printing.result(summary, f"The evaluation {evaluation_id} is {job.state} ({reason}).", as_json=as_json)


def _write(page: Path, report: "EvaluationReport") -> None:
    from sartor.evaluation.html.page import render_report

    try:
        page.write_text(render_report(report), encoding="utf-8")
    except OSError as error:
        raise StoreUnavailable(f"{page} can't be written: {error.strerror}.") from error


def _print(report: "EvaluationReport", evaluation_id: str, page: Path | None) -> None:
    printing.say(f"[bold]{_plain(report.verdict)}[/bold]")
    printing.say(f"{report.decisions:,} settled decisions; reward per decision (evaluation {evaluation_id}):\n")
    rows = [
        (
            one.name + (f" [{one.slot}]" if one.slot else ""),
            _number(one.value),
            _range(one.gaussian),
            _range(one.anytime),
            "–" if one.source == "Online" else _number(one.gain, sign=True),
            "–" if one.health is None else f"{one.health.effective_sample_size:,.0f}",
        )
        for one in report.table
    ]
    printing.table(("POLICY", "VALUE", "95 %", "95 % ANYTIME", "GAIN", "EFFECTIVE"), rows)
    for one in report.table:
        if not one.answerable:
            printing.say(f"\n{_plain(one.name)}: the log can't answer this, because {'; '.join(one.reasons)}.")
    if not report.calibration.believable:
        printing.say(f"\n{report.calibration.sentence}")
    if page is not None:
        printing.say(f"\nThe report is in {page}.")


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _number(value: float | None, *, sign: bool = False) -> str:
    return "–" if value is None else f"{value:{'+' if sign else ''}.4f}"


def _range(interval: object) -> str:
    from sartor.estimators.interval import Interval

    return f"{interval.lower:.4f} … {interval.upper:.4f}" if isinstance(interval, Interval) else "–"


def _list(stores: "Stores", loop: "Loop", *, as_json: bool) -> None:
    from sartor.evaluation.spec import EVALUATION, decode_evaluation_spec, public_id
    from sartor.management import loops

    with loops.open_loop(stores, loop) as logs:
        jobs = logs.jobs.jobs(kind=EVALUATION)
    rows = [
        {
            "id": public_id(job.job_id),
            "name": decode_evaluation_spec(job.spec).name,
            "status": job.state,
            "progress": job.progress,
            "description": job.description,
        }
        for job in jobs
    ]
    if as_json:
        printing.json(rows)
    else:
        printing.table(("ID", "NAME", "STATUS", "", ""), [list(row.values()) for row in rows])
