"""The progress of a job is that of all its parts; those that have not started count too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.evaluation.progress import (
    FEATURES,
    POLICIES,
    PartProgress,
    announce_stages,
    finish_stage,
    progress_folder,
    read_progress,
    start_stage,
)


@pytest.fixture
def folder() -> Iterator[Path]:
    with progress_folder() as made:
        yield made


def test_a_part_that_has_written_nothing_counts(folder: Path) -> None:
    files = start_stage(folder, FEATURES, parts=4)
    assert read_progress(folder) == 0.0
    PartProgress(files[0]).write(1.0)
    PartProgress(files[1]).write(0.5)
    assert read_progress(folder) == pytest.approx(0.375)


def test_a_stage_that_has_not_started_counts(folder: Path) -> None:
    announce_stages(folder, POLICIES, FEATURES)
    start_stage(folder, POLICIES, parts=2)
    finish_stage(folder, POLICIES)
    before = read_progress(folder)
    assert before == pytest.approx(0.8)
    files = start_stage(folder, FEATURES, parts=2)
    assert read_progress(folder) == before, "the start of a stage takes nothing back"
    PartProgress(files[0]).write(0.5)
    assert read_progress(folder) == pytest.approx(0.85)
    finish_stage(folder, FEATURES)
    assert read_progress(folder) == pytest.approx(1.0)


def test_a_stage_that_is_started_anew_begins_at_0(folder: Path) -> None:
    start_stage(folder, FEATURES, parts=3)
    finish_stage(folder, FEATURES)
    start_stage(folder, FEATURES, parts=2)
    assert read_progress(folder) == 0.0


def test_without_a_folder_nothing_is_written(folder: Path) -> None:
    assert start_stage(None, FEATURES, parts=2) == ["", ""]
    PartProgress("").write(0.5)
    finish_stage(None, FEATURES)
    assert list(folder.iterdir()) == []
