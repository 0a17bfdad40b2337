"""What is wanted, and whether it was reached."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from benchmarks.quality.contestants import OURS
from benchmarks.quality.rescaled import RESCALINGS
from benchmarks.quality.standings import (
    Comparison,
    Standing,
    Standings,
    WorldRun,
    average_learners,
    compare_with_peers,
)
from benchmarks.report import Row


def list_rows(standings: Standings, /, *, lab: Sequence[WorldRun], unseen: Sequence[WorldRun]) -> list[Row]:
    """Returns the targets that these standings can speak about.

    Args:
        standings: of all worlds.
        lab: the worlds of the lab.
        unseen: the worlds that nothing was chosen by.
    """
    return [
        *_list_lab(standings, [world for world in lab if OURS in standings.get(world, {})]),
        *_list_single_worlds(standings),
        *_list_against_peers(standings, unseen, measure="share", called="share of the best possible"),
        *_list_against_peers(standings, unseen, measure="above_random", called="the same above chance"),
        *_list_start(standings),
        *_list_invariance(standings),
    ]


def _list_lab(standings: Standings, lab: Sequence[WorldRun]) -> Iterator[Row]:
    if not lab:
        return
    shares = {world.world: standings[world][OURS].share for world in lab}
    worst = min(shares, key=lambda name: shares[name])
    yield _at_least("worlds of the lab, 5,000 turns: mean share", fmean(shares.values()), 0.86)
    yield _at_least("the worst of them", shares[worst], 0.65, note=worst)


def _list_single_worlds(standings: Standings) -> Iterator[Row]:
    for world, measure, what, least in (
        (WorldRun("tutorial-number", 3_000), "last_third", "tutorial, the last 1,000 of 3,000", 0.96),
        (WorldRun("wine", 1_500), "last_quarter", "wine, the last quarter of 1,500", 0.96),
        (WorldRun("breast-cancer", 1_500), "last_quarter", "breast cancer, the last quarter of 1,500", 0.96),
        (WorldRun("digits", 5_000), "last_quarter", "digits, the last quarter of 5,000", 0.85),
    ):
        if found := standings.get(world, {}).get(OURS):
            yield _at_least(what, getattr(found, measure), least)


def _list_against_peers(
    standings: Standings, unseen: Sequence[WorldRun], *, measure: str, called: str
) -> Iterator[Row]:
    found = compare_all(standings, unseen, measure=measure)
    if not found:
        return
    ratios = [one.ratio for one in found]
    worst = min(found, key=lambda one: one.ratio)
    yield _at_least(f"beside the best peer of each unseen world, {called}: mean", fmean(ratios), 0.97)
    good = sum(ratio >= 0.95 for ratio in ratios) / len(ratios)
    yield _at_least(f"{called}: share of worlds at 0.95 or more", good, 0.9)
    behind = f"{worst.world}, {worst.best_peer} is ahead"
    yield _at_least(f"{called}: the worst", worst.ratio, 0.85, note=behind)
    means = average_learners(standings, unseen, measure)
    ours = means.pop(OURS, None)
    if ours is not None and means:
        next_best = max(means, key=lambda name: means[name])
        yield _at_least(
            f"{called}: ahead of the best single peer in the mean",
            ours - means[next_best],
            0.0,
            note=f"{ours:.3f}; {next_best} {means[next_best]:.3f}",
        )


def compare_all(standings: Standings, worlds: Sequence[WorldRun], /, *, measure: str) -> list[Comparison]:
    """Returns the comparisons of those worlds that ours and a peer have played."""
    found = [compare_with_peers(standings.get(w, {}), world=w.world, measure=measure) for w in worlds]
    return [one for one in found if one is not None]


def _list_start(standings: Standings) -> Iterator[Row]:
    found = {world: by[OURS] for world, by in standings.items() if OURS in by and "@" not in world.world}
    if not found:
        return

    def excess(one: Standing) -> float:
        return one.start_gain / max(one.start_error, 1e-12)

    worst = min(found, key=lambda world: excess(found[world]))
    yield _at_least(
        "the first tenth of a run against a uniform choice, in standard errors: the worst world",
        excess(found[worst]),
        -1.96,
        note=f"{worst.world}, {found[worst].start_gain:+.3f} ± {found[worst].start_error:.3f}",
    )


def _list_invariance(standings: Standings) -> Iterator[Row]:
    changes = find_changes(standings)
    if changes:
        worst = max(changes, key=lambda key: abs(changes[key]))
        yield Row(
            what="numbers in other units: the largest change of a share",
            value=abs(changes[worst]),
            text=f"{abs(changes[worst]):.3f} ({worst[0]}, {worst[1]})",
            at_most=0.01,
            goal="≤ 0.01",
        )


def find_changes(standings: Standings, /) -> dict[tuple[str, str], float]:
    """Returns by how much our share changes, by world and by what is done to its numbers."""
    return {
        (world.world, rescaling): standings[told][OURS].share - by[OURS].share
        for world, by in standings.items()
        if OURS in by
        for rescaling in RESCALINGS
        if (told := WorldRun(f"{world.world}@{rescaling}", world.turns)) in standings
    }


def _at_least(what: str, value: float, least: float, *, note: str = "") -> Row:
    text = f"{value:.3f} ({note})" if note else f"{value:.3f}"
    goal = "> 0" if least == 0 else f"≥ {least:g}"
    return Row(what=what, value=value, text=text, at_least=least, goal=goal)
