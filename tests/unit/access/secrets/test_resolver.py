"""Where a secret comes from, in which order, and what is said when it can't be had."""

from pathlib import Path

import pytest

from sartor.access.secrets import resolver, vault
from sartor.errors import InvalidSetting

NAME = "SARTOR_OWNER_KEY"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NAME, f"{NAME}_FILE", vault.VAULT, resolver.VAULT_TOKEN, f"{resolver.VAULT_TOKEN}_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_without_one_there_is_none() -> None:
    assert resolver.find_secret(NAME) == ""
    assert resolver.find_owner_key() == ""


def test_from_the_environment_before_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("  from the file\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(path))
    assert resolver.find_secret(NAME) == "from the file"
    monkeypatch.setenv(NAME, " from the environment ")
    assert resolver.find_secret(NAME) == "from the environment"


def test_a_file_that_can_not_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "nothing"))
    with pytest.raises(InvalidSetting, match=NAME):
        resolver.find_secret(NAME)


@pytest.mark.parametrize(
    "url", ["https://vault.example", "paper+https://x", "hashicorp", "hashicorp+https://x/only"]
)
def test_a_vault_that_is_none(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(vault.VAULT, url)
    with pytest.raises(InvalidSetting):
        resolver.find_secret(NAME)
