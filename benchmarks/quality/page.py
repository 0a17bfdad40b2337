"""The page ``docs/design/quality.md``: the recipe, the targets, and the tables."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from msgspec import Struct

from benchmarks.quality.catalogue import CATALOGUE
from benchmarks.quality.contestants import CONTESTANTS, OURS, PEER_NAMES
from benchmarks.quality.plan import LONG_TURNS
from benchmarks.quality.rescaled import RESCALINGS
from benchmarks.quality.standings import Standings, WorldRun, average_learners, compare_with_peers
from benchmarks.quality.targets import compare_all, find_changes, list_rows
from benchmarks.report import format_table
from sartor.lab.registry import WORLDS as LAB
from sartor.settings import DEFAULT_ARGUMENTS

PAGE = Path(__file__).parents[2] / "docs" / "design" / "quality.md"
_TEMPLATE = Path(__file__).with_name("page.md")


class PageWorlds(Struct, frozen=True):
    """The worlds of the page by their group, each with its usual length."""

    lab: tuple[WorldRun, ...]
    named: tuple[WorldRun, ...]
    unseen: tuple[WorldRun, ...]


def group_worlds() -> PageWorlds:
    """Returns the worlds that are reported: of the lab, those with a target of their own, the unseen."""

    def select(group: str, *, lab: bool) -> tuple[WorldRun, ...]:
        entries = CATALOGUE.items()
        return tuple(
            WorldRun(name, e.turns) for name, e in entries if e.group == group and (name in LAB) == lab
        )

    return PageWorlds(select("known", lab=True), select("known", lab=False), select("reporting", lab=False))


def format_quality_page(
    standings: Standings, machine: Mapping[str, str], /, *, day: str, seeds: Sequence[int]
) -> str:
    """Format the page."""
    worlds = group_worlds()
    return _TEMPLATE.read_text().format(
        machine=f"Measured on {day}: " + ", ".join(f"{name} {value}" for name, value in machine.items()) + ".",
        seeds=f"{seeds[0]} to {seeds[-1]}",
        targets=format_table(list_rows(standings, lab=worlds.lab, unseen=worlds.unseen)),
        behind=_tell_behind(standings, worlds.unseen),
        contestants="\n".join(_list_contestants()),
        means="\n".join(_list_means(standings, worlds)),
        unseen=_format_worlds(standings, worlds.unseen, "above_random"),
        unseen_share=_format_worlds(standings, worlds.unseen, "share"),
        named=_format_worlds(standings, worlds.named, "last_quarter"),
        lab=_format_worlds(standings, worlds.lab, "share"),
        short=_format_worlds(standings, worlds.unseen, "above_random_500"),
        long=_format_worlds(standings, [w for w in standings if w.turns == LONG_TURNS], "above_random"),
        start="\n".join(_list_starts(standings)),
        invariance="\n".join(_list_changes(standings)),
        peers=str(len(PEER_NAMES)),
        count=str(len(seeds)),
        error=average_learners(standings, worlds.unseen, "share_error").get(OURS, 0.0),
        choosing=", ".join(f"`{name}`" for name, entry in CATALOGUE.items() if entry.group == "choosing"),
        reporting=", ".join(f"`{world.world}`" for world in worlds.unseen),
    )


def _tell_behind(standings: Standings, worlds: Sequence[WorldRun]) -> str:
    """A sentence about the worlds in which ours is behind."""
    found = compare_all(standings, worlds, measure="above_random")
    behind = sorted((one for one in found if one.ratio < 0.95), key=lambda one: one.ratio)
    level = f"level or ahead in {count_ahead(standings, worlds)} of {len(found)} unseen worlds"
    ahead = f"Beside the best peer ours is {level}"
    if not behind:
        return f"{ahead}, and nowhere behind by more than 5 %."
    named = ", ".join(f"`{one.world}` ({one.ratio:.2f} of what {one.best_peer} earns)" for one in behind)
    return f"{ahead}. Above chance it is behind by more than 5 % in {len(behind)}: {named}."


def _list_contestants() -> Iterator[str]:
    yield "| name | what it is | learning settings |"
    yield "| --- | --- | --- |"
    for name, one in CONTESTANTS.items():
        default = "; the default of new loops" if one.arguments == DEFAULT_ARGUMENTS else ""
        yield f"| {name} | {one.what}{default} | {f'`{one.arguments}`' if one.arguments else ''} |"


def _list_means(standings: Standings, worlds: PageWorlds) -> Iterator[str]:
    heads = ("learner", "unseen: above chance", "share", "beside the best", "lab: share", "µs a decision")
    yield f"| {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * (len(heads) - 1)}"
    above = average_learners(standings, worlds.unseen, "above_random")
    share = average_learners(standings, worlds.unseen, "share")
    lab = average_learners(standings, worlds.lab, "share")
    times = average_learners(standings, worlds.unseen, "decide_us")
    for name in sorted(above, key=lambda one: -above[one]):
        beside = fmean(_list_ratios(standings, worlds.unseen, name))
        of_lab = f"{lab[name]:.3f}" if name in lab else ""
        figures = f"{above[name]:.3f} | {share[name]:.3f} | {beside:.3f} | {of_lab} | {times[name]:.0f}"
        yield f"| {name} | {figures} |"


def _list_ratios(standings: Standings, worlds: Sequence[WorldRun], name: str) -> list[float]:
    """What a learner earns above chance beside the best of all learners, ours included, by world."""
    ratios = []
    for world in worlds:
        by_learner = standings[world]
        best = max(one.above_random for one in by_learner.values())
        ratios.append(max(0.0, by_learner[name].above_random / best) if best > 0 else 1.0)
    return ratios


def _format_worlds(standings: Standings, worlds: Sequence[WorldRun], measure: str) -> str:
    """A line for each world, a column for each learner, and how ours stands beside the best peer."""
    names = [OURS, *PEER_NAMES]
    names = [name for name in names if any(name in standings.get(world, {}) for world in worlds)]
    lines = [
        f"| world | {' | '.join(names)} | beside the best peer |",
        f"| --- |{' ---: |' * (len(names) + 1)}",
    ]
    for world in worlds:
        by_learner = standings.get(world, {})
        cells = [f"{getattr(by_learner[name], measure):.2f}" if name in by_learner else "" for name in names]
        found = compare_with_peers(by_learner, world=world.world, measure=measure)
        ratio = f"{found.ratio:.2f}" if found else ""
        lines.append(f"| {world.world} | {' | '.join(cells)} | {ratio} |")
    return "\n".join(lines)


def _list_starts(standings: Standings) -> Iterator[str]:
    yield "| world | first tenth less uniform | ± |"
    yield "| --- | ---: | ---: |"
    found = [(w, by[OURS]) for w, by in standings.items() if OURS in by and "@" not in w.world]
    for world, one in sorted(found, key=lambda pair: pair[1].start_gain / max(1e-12, pair[1].start_error))[:12]:
        yield f"| {world.world}, {world.turns:,} turns | {one.start_gain:+.3f} | {one.start_error:.3f} |"


def _list_changes(standings: Standings) -> Iterator[str]:
    changes = find_changes(standings)
    yield f"| world | {' | '.join(RESCALINGS)} |"
    yield f"| --- |{' ---: |' * len(RESCALINGS)}"
    for world in dict.fromkeys(world for world, _ in changes):
        cells = [f"{changes[world, name]:+.3f}" if (world, name) in changes else "" for name in RESCALINGS]
        yield f"| {world} | {' | '.join(cells)} |"


def count_ahead(standings: Standings, worlds: Sequence[WorldRun], /) -> int:
    """Returns in how many worlds ours earns at least what the best peer does, above chance."""
    return sum(one.ratio >= 1 for one in compare_all(standings, worlds, measure="above_random"))
