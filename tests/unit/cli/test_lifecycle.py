"""``sartor loop`` about tiers, tags, locks, deletion and backups; ``sartor audit``."""

import io
from pathlib import Path

import pytest

from sartor.runtime import compose
from tests.unit.cli.conftest import Sartor


def made(sartor: Sartor, *flags: str) -> dict[str, str]:
    keys: dict[str, str] = sartor("loop", "create", "news", *flags, "--json").json
    return keys


def test_create_with_a_tier_and_tags(sartor: Sartor, empty: Path) -> None:
    made(sartor, "--tier", "F0", "--tag", "team=desk", "--tag", "stage=")
    terms = sartor("loop", "list", "--json").json[0]["terms"]
    assert (terms["tier"], terms["tags"]) == ("F0", {"team": "desk", "stage": ""})
    assert sartor("loop", "tags", "news", "--json").json == {"team": "desk", "stage": ""}
    assert sartor("loop", "tags", "news", "stage=", "a=b", "--json").json == {"team": "desk", "a": "b"}
    assert sartor("loop", "tags", "news", "nothing").code == 1


def test_lock_and_unlock(sartor: Sartor, empty: Path) -> None:
    keys = made(sartor)
    assert "locked against deletion" in sartor("loop", "lock", "news").out
    refused = sartor("loop", "delete", "news", "--yes")
    assert (refused.code, refused.err) == (
        1,
        "sartor: The loop 'news' is locked against deletion. Unlock it first: sartor loop unlock news\n",
    )
    assert sartor("loop", "lock", "news", "--against", "change", "--json").json["lock"] == "change"
    assert sartor("loop", "rotate-key", "news").code == 1
    assert sartor("loop", "keys", "news", "--json").json == keys
    assert sartor("loop", "unlock", "news").out == "The loop 'news' is not locked.\n"
    assert sartor("loop", "rotate-key", "news", "--json").json["key2"] == keys["key2"]


def test_networks(sartor: Sartor, empty: Path) -> None:
    made(sartor)
    assert sartor("loop", "networks", "news").out == "everywhere\n"
    assert sartor("loop", "networks", "news", "10.0.0.0/8", "::1/128").out == "10.0.0.0/8, ::1/128\n"
    assert sartor("loop", "networks", "news", "10.0.0.1/8").code == 1
    assert sartor("loop", "networks", "news", "--json").json == {"allowedNetworks": ["10.0.0.0/8", "::1/128"]}
    assert sartor("loop", "networks", "news", "--everywhere").out == "everywhere\n"
    assert sartor("loop", "networks", "news", "10.0.0.0/8", "--everywhere").code == 2


def test_quotas(sartor: Sartor, empty: Path) -> None:
    made(sartor)
    assert sartor("loop", "quota", "news", "--json").json == {
        "tier": "S0",
        "ranksPerSecond": None,
        "ranksPerMonth": None,
    }
    words = ("loop", "quota", "news", "--tier", "F0", "--ranks-per-second", "none", "--json")
    assert sartor(*words).json == {"tier": "F0", "ranksPerSecond": None, "ranksPerMonth": 50_000}
    words = ("loop", "quota", "news", "--ranks-per-second", "tier", "--ranks-per-month", "7", "--json")
    assert sartor(*words).json == {"tier": "F0", "ranksPerSecond": 20, "ranksPerMonth": 7}
    assert "ranksPerMonth   7\n" in sartor("loop", "quota", "news").out
    for nonsense in ("-1", "0", "many"):
        assert sartor("loop", "quota", "news", "--ranks-per-month", nonsense).code == 1


def test_delete_list_and_recover(sartor: Sartor, empty: Path) -> None:
    keys = made(sartor)
    assert "no deleted loop" in sartor("loop", "deleted").out
    gone = sartor("loop", "delete", "news", "--yes", "--json").json
    assert sartor("loop", "deleted", "--json").json == [gone]
    assert gone["loopId"] in sartor("loop", "deleted").out
    assert sartor("loop", "recover", "news", "--as", "old", "--json").json == {
        "name": "old",
        "loopId": gone["loopId"],
    }
    assert sartor("loop", "keys", "old", "--json").json == keys
    assert sartor("loop", "recover", "news").code == 1


def test_purge_asks_for_confirmation(sartor: Sartor, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    made(sartor)
    assert sartor("loop", "purge", "news", "--yes").code == 1
    sartor("loop", "delete", "news", "--yes")
    assert sartor("loop", "purge", "news").code == 1
    assert len(sartor("loop", "deleted", "--json").json) == 1
    assert sartor("loop", "purge", "news", "--yes", "--json").json["purged"] == "news"
    assert sartor("loop", "deleted", "--json").json == []


def test_audit_shows_who_changed_what_and_no_key(sartor: Sartor, empty: Path) -> None:
    keys = made(sartor)
    sartor("loop", "set", "news", "defaultReward=0.5")
    sartor("loop", "rotate-key", "news")
    told = sartor("audit", "--json")
    assert [line["action"] for line in told.json] == ["create", "update", "update"]
    assert [line["number"] for line in told.json] == [1, 2, 3]
    assert told.json[1]["after"] == {"settings": {"defaultReward": 0.5}}
    assert told.json[1]["by"].endswith(" on this machine")
    shown = sartor("audit").out
    assert "update" in shown
    assert not {keys["key1"], keys["key2"]} & set((told.out + shown).split('"'))
    assert [line["number"] for line in sartor("audit", "--last", "1", "--json").json] == [3]
    assert sartor("audit", "--loop", "other", "--json").json == []


def test_audit_verifies_the_log(sartor: Sartor, empty: Path) -> None:
    made(sartor)
    checked = sartor("audit", "--verify", "--json").json
    assert (checked["whole"], checked["lines"]) == (True, 1)
    sartor("loop", "tags", "news", "a=b")
    assert sartor("audit", "--verify", "--expect", checked["digest"]).code == 0
    missing = sartor("audit", "--verify", "--expect", "00" * 32)
    assert missing.code == 1
    assert "expected digest" in missing.out


def test_backup_and_restore(sartor: Sartor, empty: Path, tmp_path: Path) -> None:
    keys = made(sartor)
    file = tmp_path / "news.backup"
    told = sartor("loop", "backup", "news", str(file), "--json").json
    assert (told["name"], told["bytes"]) == ("news", file.stat().st_size)
    assert sartor("loop", "restore", str(file)).code == 1
    sartor("loop", "delete", "news", "--yes")
    sartor("loop", "purge", "news", "--yes")
    assert sartor("loop", "restore", str(file)).code == 1, "the work process has not removed it yet"
    with compose.open_instance(str(empty)) as stores:
        stores.purge()
    assert sartor("loop", "restore", str(file)).out == "The loop 'news' is restored.\n"
    assert sartor("loop", "keys", "news", "--json").json == keys
