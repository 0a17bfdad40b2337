"""``sartor evaluate`` estimates what other policies would have earned; ``sartor apply`` uses one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Compute, Data, LoopName, WaitingJobs, parse_time
from sartor.errors import JobNotFinished

if TYPE_CHECKING:
    from sartor.evaluation.report import EvaluationReport
    from sartor.evaluation.spec import EvaluationSpec, PolicySpec
    from sartor.ports import Loop, Stores
    from sartor.records import Job

_FAR_US = 2**53

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        envvar="SARTOR_FROM",
        help="Only decisions made at this time or later (UTC); by default from the first one.",
        metavar="TIME",
        show_default=False,
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        envvar="SARTOR_TO",
        help="Only decisions made before this time (UTC); by default up to the last one.",
        metavar="TIME",
        show_default=False,
    ),
]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        envvar="SARTOR_POLICY",
        help="A policy to compare, for example linear='--cb_explore_adf --squarecb'; at most 10.",
        metavar="NAME=ARGUMENTS",
        show_default=False,
    ),
]
Search = Annotated[
    bool,
    typer.Option(
        "--search", envvar="SARTOR_SEARCH", help="Try other learning settings too.", show_default=False
    ),
]
Name = Annotated[
    str, typer.Option("--name", envvar="SARTOR_EVALUATION_NAME", help="The name of the evaluation.")
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
        help="Show an existing evaluation instead of starting one.",
        metavar="ID",
        show_default=False,
    ),
]
Listed = Annotated[
    bool,
    typer.Option(
        "--list", envvar="SARTOR_LIST", help="List this loop's evaluations and exit.", show_default=False
    ),
]
Wait = Annotated[
    bool,
    typer.Option("--wait/--no-wait", envvar="SARTOR_WAIT", help="Wait for the result, or return at once."),
]
Page = Annotated[
    Path | None,
    typer.Option(
        "--report",
        envvar="SARTOR_REPORT",
        help="Write the report to this file, a self-contained HTML page.",
        metavar="FILE.html",
        show_default=False,
    ),
]
EvaluationId = Annotated[str, typer.Argument(help="The id of a finished evaluation.", metavar="EVALUATION")]
PolicyName = Annotated[str, typer.Argument(help="The name of one of its policies.", metavar="POLICY")]


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
    waiting_jobs: WaitingJobs = DEFAULTS.waiting_jobs,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Estimate from the log what other policies would have earned.

    Each policy starts empty, and is asked, scored and taught event by event. A running service computes it in
    the background; where none runs, this command does. Where the log can't answer, it says why and gives no
    number.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = loops.find_loop(stores, name)
        if list_:
            _print_evaluations(stores, loop, as_json=as_json)
            return
        evaluation_id = show or id_ or datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        if show is None:
            spec = _build_spec(title, policies or [], from_, to, search=search)
            _create(stores, name, evaluation_id, spec, waiting_jobs)
        job = _find_job(stores, loop, evaluation_id, data, compute, wait=wait, quiet=as_json)
    _print_job(job, evaluation_id, page, as_json=as_json)


def _create(stores: "Stores", name: str, evaluation_id: str, spec: "EvaluationSpec", most_waiting: int) -> None:
    from sartor.evaluation import jobs

    jobs.create_evaluation(stores, name, evaluation_id, spec, most_waiting=most_waiting)


def _build_spec(
    title: str, policies: Sequence[str], from_: str | None, to: str | None, *, search: bool
) -> "EvaluationSpec":
    from sartor.evaluation.spec import EvaluationSpec

    start_us, end_us = parse_time(from_), parse_time(to)
    return EvaluationSpec(
        name=title,
        start_us=0 if start_us is None else start_us,
        end_us=_FAR_US if end_us is None else end_us,
        policies=tuple(map(_parse_policy, policies)),
        find_optimal=search,
    )


def _parse_policy(text: str) -> "PolicySpec":
    from sartor.evaluation.spec import PolicySpec

    name, separator, arguments = text.partition("=")
    if not separator or not name.strip():
        raise typer.BadParameter(f"{text!r} is not NAME=ARGUMENTS.", param_hint="--policy")
    return PolicySpec(name=name.strip(), arguments=arguments)


def _find_job(
    stores: "Stores", loop: "Loop", evaluation_id: str, data: str, compute: str, *, wait: bool, quiet: bool
) -> "Job":
    from rich.console import Console
    from rich.progress import Progress

    from sartor.evaluation import jobs as evaluations
    from sartor.evaluation.spec import EVALUATION, job_id
    from sartor.jobs.launcher import wait_for_job
    from sartor.management import loops

    with loops.open_loop(stores, loop) as logs:
        job = evaluations.find_job(logs, EVALUATION, evaluation_id)
    if not wait:
        return job
    with Progress(disable=quiet, transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("evaluating", total=1.0)
        return wait_for_job(
            stores,
            loop,
            job_id(EVALUATION, evaluation_id),
            where=data,
            compute=compute,
            tell=lambda job: progress.update(task, completed=job.progress),
        )


def _print_job(job: "Job", evaluation_id: str, page: Path | None, *, as_json: bool) -> None:
    if job.state != "succeeded":
        _print_unfinished(job, evaluation_id, page, as_json=as_json)
        return
    import msgspec

    from sartor.evaluation.report import EvaluationReport
    from sartor.evaluation.spec import EvaluationResult, decode_job

    result = decode_job(job.result, EvaluationResult)
    report = msgspec.json.decode(result.report, type=EvaluationReport)
    if page is not None:
        _write_page(page, report)
    if as_json:
        formatting.print_json({"id": evaluation_id, "status": job.state, "report": report})
    else:
        _print_report(report, evaluation_id, page)


def _print_unfinished(job: "Job", evaluation_id: str, page: Path | None, *, as_json: bool) -> None:
    reason = job.description or f"{job.progress:.0%} done"
    if job.state in ("failed", "canceled") or page is not None:
        raise JobNotFinished(f"The evaluation {evaluation_id} is {job.state}: {reason}")
    summary = {"id": evaluation_id, "status": job.state, "progress": job.progress}
    formatting.print_result(
        summary, f"The evaluation {evaluation_id} is {job.state} ({reason}).", as_json=as_json
    )


def _write_page(page: Path, report: "EvaluationReport") -> None:
    from sartor.evaluation.html.page import render_report

    formatting.write_file(page, render_report(report).encode())


def _print_report(report: "EvaluationReport", evaluation_id: str, page: Path | None) -> None:
    from sartor.evaluation.report import list_leads

    for lead in list_leads(report):
        formatting.print_text(f"{formatting.escape_markup(lead)}\n")
    formatting.print_text(f"[bold]{formatting.escape_markup(report.verdict)}[/bold]")
    formatting.print_text(
        f"{report.decisions:,} settled decisions; reward per decision (evaluation {evaluation_id}):\n"
    )
    for note in report.notes or ():
        formatting.print_text(f"{formatting.escape_markup(note)}\n")
    rows = [
        (
            one.name + (f" [{one.slot}]" if one.slot else ""),
            _format_number(one.value),
            _format_interval(one.gaussian),
            _format_interval(one.anytime),
            "–" if one.source == "Online" else _format_number(one.gain, sign=True),
            "–" if one.diagnostics is None else f"{one.diagnostics.effective_sample_size:,.0f}",
        )
        for one in report.table
    ]
    formatting.print_table(("POLICY", "VALUE", "95 %", "95 % ANYTIME", "GAIN", "EFFECTIVE"), rows)
    for one in report.table:
        if not one.answerable:
            formatting.print_text(
                f"\n{formatting.escape_markup(one.name)}: the log can't answer this, because "
                f"{formatting.escape_markup('; '.join(one.reasons))}."
            )
    if not report.calibration.believable:
        formatting.print_text(f"\n{formatting.escape_markup(report.calibration.sentence)}")
    if page is not None:
        formatting.print_text(f"\nThe report is in {formatting.escape_markup(str(page))}.")


def _format_number(value: float | None, *, sign: bool = False) -> str:
    return "–" if value is None else f"{value:{'+' if sign else ''}.4f}"


def _format_interval(interval: object) -> str:
    from sartor.estimators.interval import Interval

    return f"{interval.lower:.4f} … {interval.upper:.4f}" if isinstance(interval, Interval) else "–"


def _print_evaluations(stores: "Stores", loop: "Loop", *, as_json: bool) -> None:
    from sartor.evaluation.jobs import count_ahead
    from sartor.evaluation.spec import EVALUATION, EvaluationSpec, decode_job, public_id
    from sartor.management import loops

    with loops.open_loop(stores, loop) as logs:
        found = logs.jobs.jobs()
    ahead = count_ahead(found)
    rows = [
        {
            "id": public_id(job.job_id),
            "name": decode_job(job.spec, EvaluationSpec).name,
            "status": job.state,
            "progress": job.progress,
            "description": job.description or _describe_place(ahead.get(job.job_id)),
        }
        for job in found
        if job.kind == EVALUATION
    ]
    if as_json:
        formatting.print_json(rows)
    else:
        formatting.print_table(("ID", "NAME", "STATUS", "", ""), [list(row.values()) for row in rows])


def _describe_place(ahead: int | None) -> str:
    return "" if ahead is None else f"{ahead} of this loop before it"


def apply(
    name: LoopName,
    evaluation: EvaluationId,
    policy: PolicyName,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Replace a loop's learning settings and model with those of an evaluated policy.

    The model that the policy learned in the evaluation serves at once, and training continues from it.
    """
    from sartor.evaluation import jobs
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        model = jobs.apply_policy(stores, name, evaluation, policy)
    formatting.print_result(
        {"loop": name, "evaluation": evaluation, "policy": policy, "model": model.model_id},
        f"The loop {name!r} now uses {policy!r}; model {model.model_id} serves.",
        as_json=as_json,
    )
