"""Which worlds there are, for what each may be used, and with which seeds.

Three groups:

* ``known``: the worlds of the lab, and those with a target of their own (the tutorial, iris, wine, breast
  cancer, digits). They may be used for choosing, with the seeds of choosing; they are reported with the seeds
  of reporting.
* ``choosing``: for choosing only, never reported.
* ``reporting``: reported only. Nothing may be chosen by them.

Seeds below 100 are for choosing, seeds from 100 on for reporting.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from benchmarks.quality import worlds_changing as g
from benchmarks.quality import worlds_choosing as c
from benchmarks.quality import worlds_tables as t
from benchmarks.quality import worlds_unseen as u
from benchmarks.quality.rescaled import RESCALINGS, RescaledWorld
from sartor.lab.registry import WORLDS as LAB
from sartor.lab.world import World

Group = Literal["known", "choosing", "reporting"]
GROUPS: tuple[Group, ...] = ("known", "choosing", "reporting")

CHOOSING_SEEDS = range(100)
FIRST_REPORTING_SEED = 100


class Entry(Struct, frozen=True):
    """A world of the comparison: how it is made, its group, and how many turns a run has."""

    kind: type[World[Any]]
    group: Group
    turns: int


def _list_entries() -> list[Entry]:
    known: dict[type[World[Any]], int] = dict.fromkeys(LAB.values(), 5_000)
    known |= {c.TutorialNumber: 3_000, t.Iris: 1_500, t.Wine: 1_500, t.BreastCancer: 1_500, t.Digits: 5_000}
    choosing = (
        c.Regions,
        c.Shelf,
        c.Flyers,
        c.RareClicks,
        c.Basket,
        c.Votes,
        c.Upheaval,
        c.LateVotes,
        c.NightlyVotes,
        c.Checkers,
        c.Customers,
    )
    reporting = (
        t.Segment,
        t.Banana,
        t.Phishing,
        t.Diabetes,
        u.Friedman,
        u.Rings,
        u.Loans,
        u.Newsroom,
        u.Vacancies,
        u.FiftyOffers,
        u.Members,
        g.RareSales,
        g.Orders,
        g.Reviews,
        g.Seasons,
        g.Takeover,
        g.LateSignups,
        g.BatchedSignups,
        g.Sensors,
    )
    return [
        *(Entry(kind, "known", turns) for kind, turns in known.items()),
        *(Entry(kind, "choosing", 5_000) for kind in choosing),
        *(Entry(kind, "reporting", 5_000) for kind in reporting),
    ]


CATALOGUE: Mapping[str, Entry] = {entry.kind.name: entry for entry in _list_entries()}


def select_worlds(names: list[str], groups: list[Group], /) -> list[str]:
    """Returns the worlds of some groups that bear some names; ``all`` stands for every name.

    Raises:
        SystemExit: a name is not in the catalogue, or not in these groups.
    """
    offered = [name for name, entry in CATALOGUE.items() if entry.group in groups]
    if names == ["all"]:
        return offered
    if unknown := [name for name in names if name not in offered]:
        raise SystemExit(f"There is no world {', '.join(unknown)}. Worlds: {', '.join(offered)}.")
    return names


def open_stream(name: str, /, *, seed: int) -> World[Any]:
    """Returns a new world of the catalogue; after ``@`` a name may say how its numbers are rescaled.

    Raises:
        SystemExit: there is no such world.
    """
    plain, _, rescaling = name.partition("@")
    if plain not in CATALOGUE or rescaling not in ("", *RESCALINGS):
        raise SystemExit(f"There is no world {name}. Worlds: {', '.join(CATALOGUE)}.")
    world = CATALOGUE[plain].kind(seed=seed)
    return RescaledWorld(world, rescaling) if rescaling else world
