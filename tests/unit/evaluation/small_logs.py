"""Logs of a small world for the tests of this folder."""

from sartor.lab.fill_log import fill_log
from sartor.lab.registry import open_world
from sartor.learn.vw import create_engine
from sartor.ports import Loop, LoopStores
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores

GREEDY = "--cb_explore_adf --epsilon 0.2 --cb_type mtr -q ::"
SQUARE = "--cb_explore_adf --squarecb --cb_type mtr -q ::"
LINEAR = "--cb_explore_adf --epsilon 0.1 --cb_type mtr"

MINUTE_US = 60_000_000


def fill(logs: LoopStores, loop: Loop, clock: Clock, *, turns: int, uniform: bool = False) -> None:
    """Fills a log with decisions and rewards of the tutorial world, ten a minute."""
    decider = None if uniform else create_engine(GREEDY)
    world = open_world("tutorial")
    for first in range(0, turns, 10):
        fill_log(logs, world, decider, loop_id=loop.loop_id, turns=10, first=first)
        clock.advance(60)
    if decider is not None:
        decider.close()


def make_small_log(turns: int = 300, *, uniform: bool = False) -> tuple[Loop, LoopStores, Clock]:
    """A loop with a log in memory, its stores and their clock."""
    clock, loop = Clock(), make_loop(arguments=SQUARE)
    logs = MemoryStores(clock_us=clock).open(loop)
    fill(logs, loop, clock, turns=turns, uniform=uniform)
    return loop, logs, clock
