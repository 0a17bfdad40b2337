"""Processes that share counters see one another's counts; one that ended leaves no trace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sartor.access.shared_counters import MappedCounters, SharedCounters, SharedWindowCounter, WindowCounter
from sartor.errors import StoreUnavailable

SCRIPT = """
import sys
from pathlib import Path
from sartor.access.shared_counters import SharedCounters
counter = SharedCounters(Path(sys.argv[1])).counter_of("loop")
for line in sys.stdin:
    word, second = line.split()
    if word == "add":
        counter.add(int(second))
    print(counter.count(int(second)), flush=True)
"""


class Other:
    """A process that shares the counters."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", SCRIPT, str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, word: str, second: int) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word} {second}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_tally_counts_the_second_it_is_asked_for() -> None:
    counter = WindowCounter()
    assert counter.count(7) == 0
    for _ in range(3):
        counter.add(7)
    assert counter.count(7) == 3
    assert counter.count(8) == 0
    counter.add(8)
    assert (counter.count(8), counter.count(7)) == (1, 0)


def test_two_processes_count_together(tmp_path: Path) -> None:
    counters = SharedCounters(tmp_path / "rates")
    mine, another_loop, other = (
        counters.counter_of("loop"),
        counters.counter_of("another"),
        Other(tmp_path / "rates"),
    )
    try:
        assert other.say("add", 5) == 1
        mine.add(5)
        mine.add(5)
        assert mine.count(5) == 3
        assert other.say("count", 5) == 3
        assert another_loop.count(5) == 0
        assert (mine.count(6), other.say("count", 6)) == (0, 0)
    finally:
        other.end()
        mine.close()
        another_loop.close()
        counters.close()


def test_a_dead_process_gives_its_place_and_its_count_to_the_next(tmp_path: Path) -> None:
    counters = SharedCounters(tmp_path)
    mine = counters.counter_of("loop")
    for count in (1, 2):
        other = Other(tmp_path)
        assert other.say("add", 9) == count
        other.end()
    assert mine.count(9) == 2
    assert mine.count(10) == 0
    mine.close()
    counters.close()


def test_without_a_file_a_process_counts_for_itself(tmp_path: Path) -> None:
    counters = SharedCounters(tmp_path)
    (tmp_path / "loop").mkdir()
    counter = counters.counter_of("loop")
    counter.add(1)
    assert counter.count(1) == 1
    counter.close()
    counters.close()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "rates").write_text("")
    with pytest.raises(StoreUnavailable):
        SharedCounters(tmp_path / "rates")


def test_a_counter_that_is_not_used_holds_no_file_open(tmp_path: Path) -> None:
    counters = SharedCounters(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    made = [counters.counter_of(f"loop-{number}") for number in range(20)]
    assert len(os.listdir("/proc/self/fd")) == before
    assert made[0].count(1) == 0
    assert len(os.listdir("/proc/self/fd")) == before + 1
    made[0].close()
    counters.close()


def test_counters_of_a_second_that_is_over_make_room_and_those_of_this_one_stay(tmp_path: Path) -> None:
    now_s = 100.0
    mapped = MappedCounters(3, lambda: now_s)
    made = [SharedWindowCounter(tmp_path / f"{number}", place=0, mapped=mapped) for number in range(6)]
    for counter in made[:3]:
        counter.add(98)
    for counter in made[3:]:
        counter.add(100)
    assert len(mapped) == 3
    assert [counter.count(100) for counter in made[3:]] == [1, 1, 1]
    assert made[0].count(100) == 0  # mapped again, although all others count in this very second
    made[0].add(100)
    assert made[0].count(100) == 1
    assert [counter.count(100) for counter in made[3:]] == [1, 1, 1]
    for counter in made:
        counter.close()
    assert len(mapped) == 0
