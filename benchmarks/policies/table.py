"""The results as a page of Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.policies.compare import Game, Standing, by_world


def page(
    games: Sequence[Game], standings: Sequence[Standing], machine: Mapping[str, str], /, *, iterations: int
) -> str:
    """The page: how it was made, the standings, and the shares world by world."""
    seeds = sorted({game.seed for game in games})
    said = ", ".join(f"{name} {value}" for name, value in machine.items())
    return "\n".join(
        (
            "# Learning settings compared",
            "",
            f"Share of the best possible expected reward, {iterations:,} turns in each world, seeds {seeds[0]} "
            f"to {seeds[-1]}; each reward is learned as soon as it is known. Made by `python -m "
            "benchmarks.policies`.",
            "",
            f"Machine: {said}.",
            "",
            *_standings(standings),
            "",
            "## World by world",
            "",
            *_worlds(games, [standing.candidate for standing in standings]),
            "",
        )
    )


def _standings(standings: Iterable[Standing]) -> Iterable[str]:
    yield "| candidate | share | ± | last quarter | worst world | mean rank | least probability | µs |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for s in standings:
        yield (
            f"| {s.candidate} | {s.share:.3f} | {s.error:.3f} | {s.last_quarter:.3f} | {s.worst_world:.2f} "
            f"| {s.rank:.1f} | {s.least_probability:.1g} | {s.predict_us:.0f} |"
        )
    yield ""
    yield "| candidate | learning settings |"
    yield "| --- | --- |"
    for s in standings:
        yield f"| {s.candidate} | `{s.arguments}` |"


def _worlds(games: Sequence[Game], names: Sequence[str]) -> Iterable[str]:
    shares = {name: by_world(games, name) for name in names}
    worlds = list(shares[names[0]])
    yield f"| candidate | {' | '.join(worlds)} |"
    yield f"| --- |{' ---: |' * len(worlds)}"
    for name in names:
        yield f"| {name} | " + " | ".join(f"{shares[name][world]:.2f}" for world in worlds) + " |"
