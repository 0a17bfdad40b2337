"""``sartor loop``: what each command prints, does, and refuses."""

import io
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Sartor


def test_a_new_loop_has_an_endpoint_and_two_keys(sartor: Sartor, empty: Path) -> None:
    made = sartor("loop", "create", "news", "--json").json
    assert set(made) == {"endpoint", "key1", "key2"}
    assert made["endpoint"] == "http://127.0.0.1:5000"
    assert made["key1"] != made["key2"]
    assert sartor("loop", "keys", "news", "--json").json == made


def test_keys_for_people(sartor: Sartor, empty: Path) -> None:
    made = sartor("loop", "create", "news", "--json").json
    printed = sartor("loop", "keys", "news").out.split()
    assert printed == ["endpoint", made["endpoint"], "key1", made["key1"], "key2", made["key2"]]


def test_the_list_shows_no_keys(sartor: Sartor, empty: Path) -> None:
    key = sartor("loop", "create", "news", "--json").json["key1"]
    for words in (("loop", "list"), ("loop", "list", "--json")):
        printed = sartor(*words).out
        assert "news" in printed
        assert key not in printed


def test_a_missing_folder_is_not_created(sartor: Sartor, empty: Path) -> None:
    result = sartor("loop", "list")
    assert (result.code, result.err.startswith("sartor: There is no data folder")) == (1, True)
    assert not empty.exists()


def test_an_empty_folder_has_no_loops(sartor: Sartor, empty: Path) -> None:
    empty.mkdir()
    assert sartor("loop", "list", "--json").json == []
    assert "no loop yet" in sartor("loop", "list").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("loop", "show", "nobody"), "There is no loop 'nobody'. Loops: news."),
        (("loop", "create", "news"), "There is a loop 'news' already."),
        (("loop", "create", "No Name"), "'No Name' can't name a loop"),
        (("loop", "set", "news", "speed=9"), "There is no setting 'speed'."),
        (("loop", "set", "news", "speed"), "'speed' is not a change: write it as SETTING=VALUE."),
        (("loop", "set", "news", "rewardWaitTime=PT0S"), "rewardWaitTime must be between"),
        (("loop", "policy", "news", "--cb_explore_adf -d file"), "-d"),
        (("loop", "promote", "news", "x"), "There is no model 'x'"),
        (("loop", "rollback", "news"), "The loop 'news' serves no model yet."),
        (("replay", "x", "--loop", "news"), "There is no decision with the event id 'x'."),
        (("loop", "list", "--data", "postgresql://host/db"), "Can't keep data at 'postgresql://host/db'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_error_is_one_sentence(sartor: Sartor, empty: Path, words: tuple[str, ...], sentence: str) -> None:
    sartor("loop", "create", "news")
    result = sartor(*words)
    assert result.code == 1
    assert result.out == ""
    assert result.err.startswith("sartor: ")
    assert sentence in result.err
    assert result.err.count("\n") == 1


def test_wrong_usage_has_its_own_exit_code(sartor: Sartor, empty: Path) -> None:
    assert sartor("loop", "set", "news").code == 2
    assert sartor("serve", "--port", "99999").code == 2
    assert sartor("loop", "policy", "news", "--cb_explore_adf", "--reset").code == 2


def test_settings_are_changed_under_their_names_on_the_wire(sartor: Sartor, empty: Path) -> None:
    sartor("loop", "create", "news")
    changed = sartor("loop", "set", "news", "rewardWaitTime=PT10S", "modelAutoPublish=false", "--json").json
    assert (changed["rewardWaitTime"], changed["modelAutoPublish"]) == ("PT10S", False)
    shown = sartor("loop", "show", "news", "--json").json
    assert shown["settings"] == changed
    assert shown["version"] == 2


def test_a_policy_is_replaced_and_reset(sartor: Sartor, empty: Path) -> None:
    sartor("loop", "create", "news")
    before = sartor("loop", "policy", "news").out
    assert sartor("loop", "policy", "news", "--cb_explore_adf --epsilon 0.1").out.strip() == (
        "--cb_explore_adf --epsilon 0.1"
    )
    assert sartor("loop", "show", "news", "--json").json["version"] == 2
    assert sartor("loop", "policy", "news", "--reset").out == before


def test_a_policy_may_name_the_second_order_engine(sartor: Sartor, empty: Path) -> None:
    sartor("loop", "create", "news")
    before = sartor("loop", "policy", "news").out
    replaced = sartor("loop", "policy", "news", "--sartor  --epsilon=0.35 --columns 64")
    assert (replaced.code, replaced.out.strip()) == (0, "--sartor --epsilon 0.35 --columns 64")
    assert sartor("loop", "show", "news", "--json").json["settings"]["explorationPercentage"] == 0.35
    assert sartor("loop", "policy", "news", "--reset").out == before


def test_options_that_the_second_order_engine_has_not_are_named(sartor: Sartor, empty: Path) -> None:
    sartor("loop", "create", "news")
    before = sartor("loop", "policy", "news").out
    for option in ("--squarecb", "--columns 1000"):
        refused = sartor("loop", "policy", "news", f"--sartor {option}")
        assert (refused.code, option.split()[0] in refused.err) == (1, True)
    assert sartor("loop", "policy", "news").out == before


def test_a_loop_becomes_one_of_several_slots_for_good(sartor: Sartor, empty: Path) -> None:
    sartor("loop", "create", "news")
    several = sartor("loop", "policy", "news", "--sartor --ccb_explore_adf")
    assert (several.code, several.out.strip()) == (0, "--sartor --ccb_explore_adf")
    assert sartor("loop", "policy", "news", "--sartor").code == 1
    assert "--ccb_explore_adf" in sartor("loop", "policy", "news", "--reset").out


def test_the_policy_that_is_shown_is_the_one_that_serves(sartor: Sartor, empty: Path) -> None:
    sartor("loop", "create", "news")
    sartor("loop", "policy", "news", "--cb_explore_adf --epsilon 0.05")
    assert sartor("loop", "show", "news", "--json").json["settings"]["explorationPercentage"] == 0.05
    sartor("loop", "set", "news", "explorationPercentage=0.4")
    served = "--cb_explore_adf --epsilon 0.4"
    assert sartor("loop", "policy", "news").out.strip() == served
    assert sartor("loop", "policy", "news", "--json").json["arguments"] == served
    assert sartor("loop", "show", "news", "--json").json["policy"]["arguments"] == served
    assert served in sartor("loop", "list").out
    assert served in sartor("loop", "show", "news").out


def test_one_key_is_replaced_and_the_other_kept(sartor: Sartor, empty: Path) -> None:
    old = sartor("loop", "create", "news", "--json").json
    new = sartor("loop", "rotate-key", "news", "--key", "2", "--json").json
    assert new["key1"] == old["key1"]
    assert new["key2"] != old["key2"]


def test_delete_asks_for_confirmation(sartor: Sartor, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sartor("loop", "create", "news")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert sartor("loop", "delete", "news").code == 1
    assert len(sartor("loop", "list", "--json").json) == 1
    assert sartor("loop", "delete", "news", "--yes", "--json").json["deleted"] == "news"
    assert sartor("loop", "list", "--json").json == []


def test_a_flag_can_be_set_by_the_environment(
    sartor: Sartor, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARTOR_JSON", "1")
    assert set(sartor("loop", "create", "news").json) == {"endpoint", "key1", "key2"}


def test_a_secret_from_the_environment_encrypts_the_keys(
    sartor: Sartor, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARTOR_SECRET_KEY", "a secret of more than sixteen bytes")
    key = sartor("loop", "create", "news", "--json").json["key1"]
    assert not (empty / "secret.key").exists()
    assert sartor("loop", "keys", "news", "--json").json["key1"] == key
    monkeypatch.setenv("SARTOR_SECRET_KEY", "another secret of more than sixteen")
    assert "can't be decrypted" in sartor("loop", "keys", "news").err


def test_the_models_are_listed_newest_first(sartor: Sartor, taught: Path) -> None:
    models = sartor("loop", "models", "default", "--json").json
    assert [(model["learned"], model["live"]) for model in models] == [(40, True), (20, False)]
    assert models[0]["parentId"] == models[1]["modelId"]
    printed = sartor("loop", "models", "default").out
    assert all(model["modelId"] in printed for model in models)


def test_a_loop_is_shown_with_its_counts(sartor: Sartor, taught: Path) -> None:
    shown = sartor("loop", "show", "default", "--json").json
    counts = {"decisions": 41, "observations": 40, "outcomes": 40, "learnable": 40, "late": 0, "dangling": 0}
    assert shown["counts"] == counts
    printed = sartor("loop", "show", "default").out
    assert shown["liveModel"] in printed
    assert "rewardWaitTime" in printed


def test_the_first_model_can_not_be_rolled_back(sartor: Sartor, tmp_path: Path) -> None:
    from tests.unit.instance import create_trained_folder

    data = ("--data", str(create_trained_folder(tmp_path / "data")))
    newest, oldest = (model["modelId"] for model in sartor("loop", "models", "default", *data, "--json").json)
    assert sartor("loop", "rollback", "default", *data, "--json").json["modelId"] == oldest
    assert sartor("loop", "show", "default", *data, "--json").json["settings"]["modelAutoPublish"] is False
    assert "There is no model before" in sartor("loop", "rollback", "default", *data).err
    assert sartor("loop", "promote", "default", newest, *data).code == 0
    assert sartor("loop", "show", "default", *data, "--json").json["liveModel"] == newest
