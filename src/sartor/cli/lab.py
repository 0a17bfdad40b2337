"""``sartor lab``: plays a simulated world against a running service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data

if TYPE_CHECKING:
    from sartor.lab.report import PlayReport

World = Annotated[
    str,
    typer.Option(
        "--world", envvar="SARTOR_WORLD", help="Which world to play; --list prints their names.", metavar="NAME"
    ),
]
Iterations = Annotated[
    int | None,
    typer.Option(
        "--iterations",
        envvar="SARTOR_ITERATIONS",
        min=1,
        help="How many events to rank and reward; by default what the world suggests.",
        show_default=False,
    ),
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        envvar=["SARTOR_ENDPOINT", "PERSONALIZER_ENDPOINT"],
        help="Where the service listens; by default where 'sartor serve' last did.",
        metavar="URL",
        show_default=False,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar=["SARTOR_KEY", "PERSONALIZER_KEY"],
        help="A key of the loop to play against; by default the first key of 'default'.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option("--seed", envvar="SARTOR_SEED", help="The seed of the simulated users.")]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", envvar="SARTOR_PLOT", help="Draw the learning curve into this file.", metavar="FILE.png"
    ),
]
Listed = Annotated[
    bool, typer.Option("--list", envvar="SARTOR_LIST", help="List the worlds and exit.", show_default=False)
]


def lab(
    world: World = "tutorial",
    iterations: Iterations = None,
    endpoint: Endpoint = None,
    key: Key = None,
    seed: Seed = 0,
    plot: Plot = None,
    list_: Listed = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Play a simulated world against a running service, and compare what was earned with what was possible.

    A world simulates users: it generates contexts and actions, asks the service, and sends rewards.
    """
    if list_:
        _print_worlds(as_json=as_json)
        return
    where, known = _find_service(endpoint, key, data)
    report = _play(world, iterations, where, known, seed, quiet=as_json)
    if plot is not None:
        from sartor.lab.plot import draw_curve

        draw_curve(report, plot)
    if as_json:
        formatting.print_json(report)
    else:
        formatting.print_lines(f"{_describe(report)}\n")


def _print_worlds(*, as_json: bool) -> None:
    from sartor.lab.registry import WORLDS

    rows = [(name, (kind.__doc__ or "").strip().splitlines()[0]) for name, kind in WORLDS.items()]
    if as_json:
        formatting.print_json([{"name": name, "description": text} for name, text in rows])
    else:
        formatting.print_table(("WORLD", "DESCRIPTION"), rows)


def _find_service(endpoint: str | None, key: str | None, data: str) -> tuple[str, str]:
    if endpoint is not None and key is not None:
        return endpoint, key
    from sartor.management import loops
    from sartor.runtime import compose
    from sartor.runtime.instance_lock import InstanceLock

    where = endpoint or InstanceLock(compose.data_folder(data)).endpoint()
    if key is not None:
        return where, key
    with compose.open_instance(data) as stores:
        return where, loops.find_loop(stores, "default").key1


def _play(
    world: str, iterations: int | None, endpoint: str, key: str, seed: int, *, quiet: bool
) -> "PlayReport":
    from rich.progress import Progress

    from sartor.lab import play
    from sartor.lab.registry import open_world

    turns = iterations or open_world(world, seed=seed).turns
    with Progress(disable=quiet, transient=True) as progress:
        task = progress.add_task(world, total=turns)
        return play.play_world(
            world,
            endpoint=endpoint,
            key=key,
            iterations=turns,
            seed=seed,
            progress=lambda _: progress.advance(task),
        )


def _describe(report: "PlayReport") -> str:
    reference = report.reference
    return "\n".join(
        (
            f"{report.world}: {report.iterations} turns; the reward is {report.reward_is}.",
            f"  mean reward              {report.mean_reward:.4f}",
            f"  expected mean reward     {report.mean_expected:.4f}",
            f"  random choices           {reference.random:.4f}",
            f"  best without context     {reference.best_fixed:.4f}",
            f"  best possible            {reference.best:.4f}",
            f"  share of the best        {report.share_of_best:.1%} "
            f"(first quarter {report.first_quarter.share_of_best:.1%}, "
            f"last quarter {report.last_quarter.share_of_best:.1%})",
            f"  regret                   {report.regret:.2f}",
        )
    )
