"""``sartor why`` on a folder that has learned."""

from pathlib import Path

from tests.unit.cli.conftest import Sartor


def test_why_scores_each_feature(sartor: Sartor, taught: Path) -> None:
    result = sartor("why", "event-30", "--json")
    assert result.code == 0
    (explanation,) = result.json["explanations"]
    assert explanation["measure"] == "reward"
    (chosen,) = explanation["actions"]
    assert chosen["id"] == result.json["rewardActionId"]
    assert {feature["name"] for feature in chosen["features"]} == {
        "Action.id",
        "Action.topic",
        "Action.length",
        "Context.device",
    }


def test_people_read_names_and_signed_scores(sartor: Sartor, taught: Path) -> None:
    out = sartor("why", "event-30").out
    assert out.startswith("Decision 31 (event-30): 'action-")
    assert "expected reward" in out
    assert any(
        line.startswith("  Action.topic    ") and line.split()[1][0] in "+-" for line in out.splitlines()
    )


def test_every_action_is_explained_on_request(sartor: Sartor, taught: Path) -> None:
    actions = sartor("why", "event-30", "--all", "--json").json["explanations"][0]["actions"]
    assert len(actions) == 3


def test_without_a_model_every_action_was_as_likely(sartor: Sartor, taught: Path) -> None:
    assert "there was no model yet" in sartor("why", "event-3").out
    assert sartor("why", "event-3", "--json").json["explanations"] == []


def test_an_unknown_event_is_an_error(sartor: Sartor, taught: Path) -> None:
    result = sartor("why", "nobody")
    assert result.code == 1
    assert "There is no decision with the event id 'nobody'" in result.err
