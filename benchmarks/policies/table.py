"""The results as a page of Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.policies.compare import CandidateSummary, Run, group_by_world


def format_page(
    runs: Sequence[Run],
    summaries: Sequence[CandidateSummary],
    machine: Mapping[str, str],
    /,
    *,
    iterations: int,
) -> str:
    """Format the page: how it was measured, the summaries, and the shares world by world."""
    seeds = sorted({game.seed for game in runs})
    description = ", ".join(f"{name} {value}" for name, value in machine.items())
    return "\n".join(
        (
            "# Learning settings compared",
            "",
            f"Share of the best possible expected reward, {iterations:,} turns in each world, seeds {seeds[0]} "
            f"to {seeds[-1]}; each reward is learned as soon as it is known. Made by `python -m "
            "benchmarks.policies`.",
            "",
            f"Machine: {description}.",
            "",
            *_format_summaries(summaries),
            "",
            "## World by world",
            "",
            *_format_worlds(runs, [summary.candidate for summary in summaries]),
            "",
        )
    )


def _format_summaries(summaries: Iterable[CandidateSummary]) -> Iterable[str]:
    yield "| candidate | share | ± | last quarter | worst world | mean rank | least probability | µs |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for s in summaries:
        yield (
            f"| {s.candidate} | {s.share:.3f} | {s.error:.3f} | {s.last_quarter:.3f} | {s.worst_world:.2f} "
            f"| {s.rank:.1f} | {s.least_probability:.1g} | {s.predict_us:.0f} |"
        )
    yield ""
    yield "| candidate | learning settings |"
    yield "| --- | --- |"
    for s in summaries:
        yield f"| {s.candidate} | `{s.arguments}` |"


def _format_worlds(runs: Sequence[Run], names: Sequence[str]) -> Iterable[str]:
    shares = {name: group_by_world(runs, name) for name in names}
    worlds = list(shares[names[0]])
    yield f"| candidate | {' | '.join(worlds)} |"
    yield f"| --- |{' ---: |' * len(worlds)}"
    for name in names:
        yield f"| {name} | " + " | ".join(f"{shares[name][world]:.2f}" for world in worlds) + " |"
