"""The version comes from the tags: at one, after one, without one, and in copies without git."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.architecture.house import ROOT

KEPT = ("pyproject.toml", ".gitattributes", ".git_archival.txt")
FOREIGN = ("GIT_", "SETUPTOOLS_")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)} | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
IDENTITY = ("-c", "user.name=Tests", "-c", "user.email=tests@localhost", "-c", "tag.gpgSign=false")


def git(folder: Path, *words: str) -> None:
    command = ["git", "-C", str(folder), *IDENTITY, *words]
    subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=30, check=True)


def version(folder: Path, **environment: str) -> str:
    """What a build in this folder would be called."""
    done = subprocess.run(
        [sys.executable, "-m", "setuptools_scm"],
        cwd=folder,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with the build settings of this one, two commits and no tag."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in KEPT:
        shutil.copy(ROOT / name, folder)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    git(folder, "commit", "--quiet", "--message", "two", "--allow-empty")
    return folder


def test_at_a_tag_it_is_the_tag(clone: Path) -> None:
    git(clone, "tag", "v1.2.3")
    assert version(clone) == "1.2.3"


def test_after_a_tag_it_leads_to_the_next_version(clone: Path) -> None:
    git(clone, "tag", "v1.2.3", "HEAD~1")
    assert re.fullmatch(r"1\.2\.4\.dev1\+g[0-9a-f]+", version(clone))


def test_without_a_tag_it_counts_commits(clone: Path) -> None:
    assert re.fullmatch(r"0\.1\.dev2\+g[0-9a-f]+", version(clone))


def test_a_shallow_clone_has_a_version(clone: Path, tmp_path: Path) -> None:
    git(clone, "tag", "v1.2.3", "HEAD~1")
    git(tmp_path, "clone", "--quiet", "--depth", "1", clone.as_uri(), "shallow")
    assert re.fullmatch(r"0\.1\.dev1\+g[0-9a-f]+", version(tmp_path / "shallow"))


def test_a_copy_without_git_has_a_version(clone: Path) -> None:
    shutil.rmtree(clone / ".git")
    assert version(clone) == "0.0"


def test_a_machine_without_git_builds_all_the_same(clone: Path, tmp_path: Path) -> None:
    git(clone, "tag", "v1.2.3")
    assert version(clone, PATH=str(tmp_path)) == "0.0"


def test_a_source_archive_of_a_tag_knows_it(clone: Path, tmp_path: Path) -> None:
    git(clone, "tag", "v1.2.3")
    git(clone, "archive", "--output", str(tmp_path / "source.tar"), "HEAD")
    with tarfile.open(tmp_path / "source.tar") as archive:
        archive.extractall(tmp_path / "source", filter="data")
    assert version(tmp_path / "source") == "1.2.3"
