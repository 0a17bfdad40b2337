"""The files of a public project are true: its commands, hooks and forms are there, releases are in order."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.house import ROOT

FORGE = ROOT / ".github"
FORMS = sorted((FORGE / "ISSUE_TEMPLATE").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


WORKFLOW = read(FORGE / "workflows" / "ci.yml")
HOOKS = [hook for source in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in source["hooks"]]


def lint_commands() -> list[str]:
    """The lines of ``make lint``, as a shell in the repository would run them."""
    _, _, recipe = MAKEFILE.partition("\nlint:")
    lines = recipe.partition("\n\n")[0].splitlines()[1:]
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in lines]


def test_the_hooks_are_the_lines_of_make_lint() -> None:
    assert [hook["entry"] for hook in HOOKS] == lint_commands()
    assert len(HOOKS) == 4


def test_the_hooks_download_nothing() -> None:
    assert {source["repo"] for source in read(ROOT / ".pre-commit-config.yaml")["repos"]} == {"local"}
    assert {hook["language"] for hook in HOOKS} == {"system"}


def steps(job: str) -> list[Any]:
    found: list[Any] = WORKFLOW["jobs"][job]["steps"]
    return found


def commands(job: str) -> str:
    return "\n".join(step["run"] for step in steps(job) if "run" in step)


def test_the_workflow_runs_what_ci_runs() -> None:
    assert commands("test") == ".ci/run"
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")


def test_the_workflow_installs_a_wheel_with_its_dependencies() -> None:
    said = commands("wheel")
    assert re.findall(r"pip (\w+)", said) == ["wheel", "install"]
    assert "--no-deps" in said.splitlines()[0]
    assert "--version" in said.splitlines()[-1]


def test_the_workflow_fetches_the_tags() -> None:
    every = [step for job in WORKFLOW["jobs"] for step in steps(job)]
    checkouts = [step for step in every if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["fetch-depth"] for step in checkouts] == [0, 0]


def test_the_workflow_may_only_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_the_versions_of_python_that_are_named_are_tried() -> None:
    matrix = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert matrix["system"] == ["ubuntu-latest", "macos-latest"]
    assert set(named) <= set(matrix["python"])
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"


@pytest.mark.parametrize("form", [pytest.param(f, id=f.name) for f in FORMS if f.name != "config.yml"])
def test_a_form_can_be_shown(form: Path) -> None:
    said = read(form)
    assert {"name", "description", "body"} <= said.keys()
    asked = [field for field in said["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in said["body"]} <= {
        "markdown",
        "textarea",
        "input",
        "checkboxes",
        "dropdown",
    }
    assert len({field["id"] for field in asked}) == len(asked) > 0
    assert all(field["attributes"]["label"] for field in asked)


def test_there_are_forms() -> None:
    assert [form.name for form in FORMS] == ["bug.yml", "change.yml", "config.yml"]


RELEASES = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", CHANGELOG, re.MULTILINE)
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def test_the_changelog_begins_with_what_is_not_released() -> None:
    assert RELEASES[0] == ("Unreleased", "")
    assert len(RELEASES) > 1


def test_the_releases_are_dated_and_in_order() -> None:
    numbers = [tuple(map(int, version.split("."))) for version, _ in RELEASES[1:]]
    days = [date.fromisoformat(day) for _, day in RELEASES[1:]]
    assert numbers == sorted(set(numbers), reverse=True)
    assert days == sorted(days, reverse=True)


def test_changes_are_sorted_by_kind() -> None:
    for release in re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.+)$", release, re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds], release.splitlines()[0]
        for section in re.split(r"^### ", release, flags=re.MULTILINE)[1:]:
            assert re.search(r"^- \S", section, re.MULTILINE), section.splitlines()[0]
