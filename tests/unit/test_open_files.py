"""Open files: the limit is raised as far as it goes, and divided so that the parts fit."""

import subprocess
import sys

import pytest

from sartor import open_files
from sartor.open_files import FILES_PER_DATABASE, NEEDED, divide

RAISE = (
    "import resource; from sartor import open_files; print(open_files.raise_limit(), *resource.getrlimit(7))"
)


def raise_limit(soft: int, hard: int) -> subprocess.CompletedProcess[str]:
    command = ["prlimit", f"--nofile={soft}:{hard}", sys.executable, "-c", RAISE]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("limit", [NEEDED, 200, 256, 1_024, 4_096, 20_000, 1_048_576])
def test_the_parts_are_no_more_than_the_whole(limit: int) -> None:
    shares = divide(limit)
    used = shares.databases * FILES_PER_DATABASE + shares.clients + shares.counters
    assert used + 40 <= limit
    assert shares.clients >= 32
    assert shares.databases >= 7


def test_with_files_enough_everything_has_as_many_as_it_has_use_for() -> None:
    shares = divide(1_048_576)
    assert (shares.databases, shares.clients) == (open_files.MOST_DATABASES, open_files.MOST_CLIENTS)


def test_a_thousand_loops_stay_open_under_a_usual_hard_limit() -> None:
    assert divide(20_000).databases >= 1_800


def test_a_soft_limit_becomes_the_hard_one() -> None:
    assert raise_limit(200, 900).stdout.split() == ["900", "900", "900"]


def test_a_limit_that_is_too_low_is_refused_with_the_number_that_is_needed() -> None:
    refused = raise_limit(100, 100)
    assert refused.returncode != 0
    assert f"needs {NEEDED} at least" in refused.stderr
